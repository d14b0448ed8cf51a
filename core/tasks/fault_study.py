"""A tiny synthetic study, zipped: a little of everything an import brings, genes, clinic, slide features, reports."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np

NAME = "faults"
PATIENTS = 60
_GENES = tuple(f"G{number}_rnaseq" for number in range(8))
_PATCHES, _WIDTH = 6, 16
_SENTENCES = (
    "A {size} mm lesion in a cirrhotic liver. No ascites.",
    "Well differentiated tumour of {size} mm. Margins are free.",
    "Microvascular invasion is seen. The tumour measures {size} mm.",
)


def write_study(target: Path, patients: int = PATIENTS, seed: int = 0) -> Path:
    """Write ``target``, a zip of a study folder of generated patients; the same seed gives the same study."""
    random = np.random.default_rng(seed)
    ids = [f"SYNTH-{number:04d}" for number in range(patients)]
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("study/patients.csv", _table(ids, random))
        for number, patient in enumerate(ids):
            archive.writestr(f"study/features/{patient}.h5", _features(random))
            text = _SENTENCES[number % len(_SENTENCES)].format(size=int(random.integers(8, 90)))
            archive.writestr(f"study/reports/{patient}.txt", text)
    return target


def _table(ids: list[str], random: np.random.Generator) -> str:
    lines = [",".join(("id", "time", "event", "age", "sex", *_GENES))]
    for patient in ids:
        risk = float(random.normal())
        months = float(random.exponential(30.0) * np.exp(-0.5 * risk)) + 1.0
        event = int(random.random() < 0.7)
        genes = [f"{value:.4f}" for value in random.normal(0.4 * risk, 1.0, len(_GENES))]
        sex = "female" if random.random() < 0.5 else "male"
        lines.append(",".join((patient, f"{months:.2f}", str(event), f"{random.normal(60, 9):.1f}", sex, *genes)))
    return "\n".join(lines) + "\n"


def _features(random: np.random.Generator) -> bytes:
    import h5py

    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        file["features"] = random.normal(size=(_PATCHES, _WIDTH)).astype(np.float32)
        file["coords"] = np.stack([np.arange(_PATCHES) * 256, np.zeros(_PATCHES)], axis=1).astype(np.int64)
        file["coords"].attrs["patch_size"], file["coords"].attrs["patch_level"] = 256, 0
    return stream.getvalue()
