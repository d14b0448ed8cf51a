"""Whatever a feature file holds, it is read or refused in one sentence. See :mod:`tests.fuzz.effort`."""

from __future__ import annotations

import io
import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from core.cohort.importers.feature_files import Finding, look_at
from core.cohort.media_index import MediaFile, MediaKind
from core.cohort.modality import Modality
from core.errors import PrognoscopeError
from core.features.encoders import make_encoder
from core.features.imported import read_features
from tests.fuzz.effort import tried, tries
from tests.fuzz.mutations import NASTY, mutated_bytes
from tests.fuzz.test_fuzz_importers import one_sentence
from tests.fuzz.watch import Watch

NAMES = ("features", "coords", "coordinates", "feats", "x")
SHAPES = ((3, 4), (1, 3, 4), (3,), (), (0, 4), (3, 0), (2, 3, 4), (3, 2), (1, 3, 2), (4, 2), (1, 1, 1, 3))
TYPES = ("f4", "f8", "f2", "i4", "i8", "u1", "?", "c8", "S5", "O", "i2")
ODD = (0.0, 1.0, -1.0, np.nan, np.inf, 1e300, 7.5)


def values(draw: st.DrawFn) -> Any:
    """An array of some shape and type."""
    shape, kind = draw(st.sampled_from(SHAPES)), draw(st.sampled_from(TYPES))
    with np.errstate(all="ignore"):
        base = np.full(shape, draw(st.sampled_from(ODD)))
        if kind in ("S5", "O"):
            return base.astype("S5").astype(object) if kind == "O" else base.astype("S5")
        return np.nan_to_num(base, posinf=9, neginf=-9).astype(kind) if kind[0] in "iu?" else base.astype(kind)


@st.composite
def hdf5(draw: st.DrawFn) -> bytes:
    """A CLAM or TRIDENT file with odd parts, or with its bytes changed."""
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        for name in draw(st.sets(st.sampled_from(NAMES), max_size=3)) | (
            {"features"} if draw(st.booleans()) else set()
        ):
            _part(draw, file, name)
        if draw(st.booleans()) and "features" not in file:
            file["features"] = np.ones((3, 4), dtype=np.float32)
        if draw(st.booleans()) and "coords" not in file:
            file["coords"] = np.zeros((3, 2), dtype=np.int64)
        for name in ("patch_size", "patch_level", "patch_size_level0", "target_magnification"):
            if isinstance(file.get("coords", getlink=True), h5py.HardLink) and draw(st.booleans()):
                file["coords"].attrs[name] = draw(st.sampled_from([0, 1, 256, -1, 1e300, np.nan, np.inf, "x", [1, 2]]))
    data = stream.getvalue()
    return draw(mutated_bytes(data)) if draw(st.booleans()) else data


def _part(draw: st.DrawFn, file: h5py.File, name: str) -> None:
    how = draw(st.integers(0, 9))
    if how == 0:
        file.create_group(name)
    elif how == 1:
        file[name] = h5py.SoftLink(draw(st.sampled_from(["/nowhere", "/", "/features"])))
    elif how == 2:
        file[name] = h5py.ExternalLink("/etc/passwd", "/features")
    elif how == 3:  # promises more than it holds
        file.create_dataset(name, shape=(10**13, 8), dtype="f4", chunks=(16, 8))
    else:
        array = values(draw)
        kind = h5py.string_dtype() if array.dtype == object else None
        file.create_dataset(name, data=array, dtype=kind)


class Trap:
    """What a pickle must not be allowed to do."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return Path.touch, (Path("/tmp/prognoscope-trap"),)  # type: ignore[return-value]


@st.composite
def tensors(draw: st.DrawFn) -> bytes:
    """A ``.pt`` of today with odd contents, an older one, a trap, or one of these with its bytes changed."""
    stored: Any = draw(st.sampled_from(["tensor", "dict", "list", "trap", "parameter", "sparse", "text", "nested"]))
    array = torch.full(draw(st.sampled_from(SHAPES)), draw(st.sampled_from(ODD)), dtype=torch.float64)
    kinds = [torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.bool, torch.complex64]
    array = array.to(draw(st.sampled_from(kinds)))
    objects: dict[str, Any] = {
        "tensor": array, "list": [array, 1], "trap": Trap(), "parameter": torch.nn.Parameter(torch.ones(3, 4)),
        "dict": OrderedDict({"features": array, "coords": torch.zeros(draw(st.sampled_from(SHAPES)))}),
        "sparse": torch.eye(3).to_sparse(), "text": "features", "nested": {"features": {"features": array}},
    }  # fmt: skip
    stream = io.BytesIO()
    if draw(st.integers(0, 9)) == 0:
        pickle.dump(objects[stored], stream)
    else:
        torch.save(objects[stored], stream, _use_new_zipfile_serialization=bool(draw(st.integers(0, 9))))
    data = stream.getvalue()
    if draw(st.integers(0, 3)) == 0 and zipfile.is_zipfile(stream):
        data = draw(_repacked(data))
    return draw(mutated_bytes(data)) if draw(st.booleans()) else data


@st.composite
def _repacked(draw: st.DrawFn, data: bytes) -> bytes:
    """The zip whole, its parts changed: what a checksum of the archive no longer finds."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(stream, "w") as target:
        for name in source.namelist():
            part = source.read(name)
            if draw(st.integers(0, 2)) == 0:
                part = draw(mutated_bytes(part, 2))
            if draw(st.integers(0, 9)):
                target.writestr(name, part)
    return stream.getvalue()


def encoded(path: Path) -> None:
    """As an import looks at it, and as the encoder reads it."""
    finding = look_at(path) if path.suffix in (".h5", ".pt") else Finding.UNUSABLE
    assert isinstance(finding, Finding)
    file = MediaFile("P-00000000", Modality.SLIDES, MediaKind.SLIDE_FEATURES, str(path))
    for read in (lambda: read_features(path), lambda: make_encoder("imported").encode((file,))):
        try:
            found = read()
        except PrognoscopeError as error:
            one_sentence(error)
            continue
        assert found.features.ndim == 2
        assert len(found.features)
        assert not np.isinf(found.features).any()
        assert found.coordinates is None or found.coordinates.shape == (len(found.features), 2)


@tries(0.09, 120)
@given(hdf5())
def test_hdf5(tmp_path: Path, watch: Watch, data: bytes) -> None:
    path = tmp_path / "a.h5"
    path.write_bytes(data)
    tried("feature files")
    encoded(path)


@tries(0.09, 120)
@given(tensors())
def test_tensors(tmp_path: Path, watch: Watch, data: bytes) -> None:
    path = tmp_path / "a.pt"
    path.write_bytes(data)
    tried("feature files")
    encoded(path)
    assert not Path("/tmp/prognoscope-trap").exists()


@tries(0.02, 30)
@given(st.sampled_from([".npy", ".npz", ".h5", ".pt", ".pkl", "", ".H5", ".csv"]), st.data())
def test_other_files(tmp_path: Path, watch: Watch, ending: str, data: st.DataObject) -> None:
    stream = io.BytesIO()
    np.save(stream, np.ones((3, 4)))
    path = tmp_path / f"a{ending}"
    path.write_bytes(data.draw(st.binary(max_size=200) | mutated_bytes(stream.getvalue()) | st.sampled_from(
        [n.encode("utf-8", "replace") for n in NASTY])))  # fmt: skip
    tried("feature files")
    encoded(path)
