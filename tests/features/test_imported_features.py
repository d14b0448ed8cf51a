"""CLAM and TRIDENT files: taken as they are; nothing in them runs."""

from __future__ import annotations

import pickle
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch

from core.cohort.media_index import MediaFile, MediaKind
from core.cohort.modality import Modality
from core.errors import PrognoscopeError
from core.features.encoders import make_encoder
from core.features.imported import read_features


def write_h5(path: Path, features: np.ndarray, coords: np.ndarray | None) -> Path:
    with h5py.File(path, "w") as out:
        out["features"] = features
        if coords is not None:
            out["coords"] = coords
    return path


def test_real_files(shared_data: Path) -> None:
    path = shared_data / "features" / "DERIVED_clam_cmu-1-small-region.h5"
    found = read_features(path)
    with h5py.File(path) as stored:
        assert np.array_equal(found.features, stored["features"])
        assert np.array_equal(found.coordinates, stored["coords"])
    tokens = read_features(shared_data / "features" / "prov_normal_000_1.pt")
    stored_tensor = torch.load(shared_data / "features" / "prov_normal_000_1.pt", weights_only=True)
    assert np.array_equal(tokens.features, stored_tensor[None].numpy())  # one vector for the whole slide: one row
    assert tokens.coordinates is None


def test_trident_shapes_and_two_slides(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    first, second = random.normal(size=(1, 5, 8)), random.normal(size=(3, 8))
    a = write_h5(tmp_path / "a.h5", first, random.integers(0, 9, (1, 5, 2)))
    torch.save({"features": torch.from_numpy(second), "coords": torch.zeros(3, 2)}, tmp_path / "b.pt")
    files = [MediaFile("p", Modality.SLIDES, MediaKind.SLIDE_FEATURES, str(p)) for p in (a, tmp_path / "b.pt")]
    encoded = make_encoder("imported").encode(tuple(files))
    assert encoded.features == pytest.approx(np.concatenate([first[0], second]), abs=1e-6)
    assert encoded.sources.tolist() == [0] * 5 + [1] * 3
    assert encoded.coordinates.shape == (8, 2)


class Trap:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[Path, str]]:
        return Path.write_text, (self.path, "executed")


def test_a_file_that_would_execute_code_is_refused(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    (tmp_path / "old.pt").write_bytes(pickle.dumps(Trap(mark)))
    torch.save(Trap(mark), tmp_path / "new.pt")
    torch.save(torch.ones(3, 4), tmp_path / "legacy.pt", _use_new_zipfile_serialization=False)
    for name, found in (("old", "legacy pickle"), ("new", "more than tensors"), ("legacy", "legacy pickle")):
        with pytest.raises(PrognoscopeError, match=found):
            read_features(tmp_path / f"{name}.pt")
    assert not mark.exists()


@pytest.mark.parametrize(
    ("features", "coords", "found"),
    [
        (np.ones((2, 3, 4)), None, "shape"),
        (np.full((2, 3), np.nan), None, "no numbers"),
        (np.ones((4, 3)), np.zeros((3, 2)), "4 rows of features"),
    ],
)
def test_features_that_fit_no_table_are_refused(
    tmp_path: Path, features: np.ndarray, coords: np.ndarray | None, found: str
) -> None:
    with pytest.raises(PrognoscopeError, match=found):
        read_features(write_h5(tmp_path / "a.h5", features, coords))


def test_other_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.h5").write_bytes(b"nothing")
    with h5py.File(tmp_path / "b.h5", "w") as out:
        out["embeddings"] = np.ones((2, 2))
    (tmp_path / "c.npy").write_bytes(b"")
    torch.save([1, 2], tmp_path / "d.pt")
    for name in ("a.h5", "b.h5", "c.npy", "d.pt", "e.h5"):
        with pytest.raises(PrognoscopeError):
            read_features(tmp_path / name)
