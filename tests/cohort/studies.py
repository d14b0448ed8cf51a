"""Plain study folders of a few patients, made for the tests of their importer."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from pathlib import Path

import h5py
import numpy as np

IDS = ("HOSP-0001", "HOSP-0002", "HOSP-00021", "HOSP-0003")


def write_patients(folder: Path, ids: Sequence[str] = IDS, header: str = "id,time,event,age") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    rows = [f"{original},{10 + k},{k % 2},{50 + k}" for k, original in enumerate(ids)]
    (folder / "patients.csv").write_text("\n".join([header, *rows]) + "\n")
    return folder


def put(folder: Path, name: str, content: bytes = b"content") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def put_features(folder: Path, name: str, features: np.ndarray, coords: np.ndarray) -> Path:
    path = put(folder, name)
    with h5py.File(path, "w") as file:
        file["features"], file["coords"] = features, coords
        file["coords"].attrs["patch_size"] = 256
    return path


def dicom_head() -> bytes:
    return bytes(128) + b"DICM" + bytes(100)


def zip_of(folder: Path, target: Path, extra: Sequence[tuple[zipfile.ZipInfo | str, bytes]] = ()) -> Path:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, str(Path(folder.name) / path.relative_to(folder)))
        for name, content in extra:
            archive.writestr(name, content)
    target.write_bytes(buffer.getvalue())
    return target
