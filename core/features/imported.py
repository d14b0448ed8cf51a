"""Slide features made elsewhere: CLAM and TRIDENT files. Nothing in them is executed."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from core.arrays import IntArray
from core.cohort.importers.feature_files import DAMAGED, plain_dataset
from core.cohort.media_index import MediaFile, MediaKind
from core.cohort.modality import Modality
from core.errors import PrognoscopeError
from core.features.encoders import Encoded
from core.features.slide_encoder import join_slides

_WHERE = "a feature file"
_Found = tuple[np.ndarray[Any, np.dtype[np.float32]], IntArray | None, dict[str, Any]]


@dataclass(frozen=True)
class ImportedFeatures:
    """Takes features as they are: ``features`` and ``coords`` of an .h5, or the tensor of a .pt."""

    name: ClassVar[str] = "imported"
    version: ClassVar[int] = 1
    modality: ClassVar[Modality] = Modality.SLIDES
    reads: ClassVar[frozenset[MediaKind]] = frozenset({MediaKind.SLIDE_FEATURES})

    def encode(self, files: tuple[MediaFile, ...]) -> Encoded:
        """The rows of all of a patient's files; one that cannot be read is left out, and said."""
        parts: list[tuple[int, Encoded]] = []
        failures: list[str] = []
        for number, file in enumerate(files):
            try:
                parts.append((number, read_features(Path(file.path))))
            except PrognoscopeError as error:
                failures.append(error.found)
        if not parts:
            raise PrognoscopeError("; ".join(dict.fromkeys(failures)), "the features of a patient", "see each file")
        widths = sorted({p.features.shape[1] for _, p in parts})
        if len(widths) > 1:
            raise PrognoscopeError(
                f"slides with features of different widths ({', '.join(map(str, widths))})",
                "the features of a patient",
                "encode all slides with one encoder",
            )
        return join_slides(parts, failures)


def read_features(path: Path) -> Encoded:
    """One file: (n, d) features, and coordinates where it has them; a single vector is a bag of one row.

    Raises
    ------
    PrognoscopeError
        For another format, a legacy pickle (it could execute code), or features that are no table of numbers.
    """
    if not path.is_file():
        raise PrognoscopeError("a feature file that is missing", _WHERE, "restore it, or import again")
    reader = {".h5": _from_h5, ".hdf5": _from_h5, ".pt": _from_torch, ".pth": _from_torch}.get(path.suffix.lower())
    if reader is None:
        raise PrognoscopeError(f"features in a {path.suffix} file", _WHERE, "give .h5 or .pt")
    features, coordinates, facts = reader(path)
    while features.ndim > 2 and features.shape[0] == 1:
        features = features[0]
    if features.ndim == 1 and len(features):  # one vector for the whole slide
        features = features[None]
    if features.ndim != 2 or not len(features):
        raise PrognoscopeError(f"features of shape {features.shape}", _WHERE, "give one row a patch")
    if not np.isfinite(features).all():
        raise PrognoscopeError("features that are no numbers", _WHERE, "make them again")
    if coordinates is not None and coordinates.shape != (len(features), 2):
        raise PrognoscopeError(
            f"{len(features)} rows of features and coordinates of shape {coordinates.shape}", _WHERE, "make it again"
        )
    return Encoded(features, coordinates, facts=facts)


def _from_h5(path: Path) -> _Found:
    import h5py

    try:
        with h5py.File(path, "r") as stream:
            table = plain_dataset(stream, "features")
            if table is None:
                raise PrognoscopeError("no data set called features", _WHERE, "give a CLAM or TRIDENT feature file")
            features = np.asarray(table, dtype=np.float32)
            found = next((d for n in ("coords", "coordinates") if (d := plain_dataset(stream, n)) is not None), None)
            coordinates = None if found is None else np.asarray(found, dtype=np.int64)
            facts = {} if found is None else _facts(dict(found.attrs))
    except DAMAGED as error:
        raise PrognoscopeError("a feature file that cannot be read", _WHERE, "make it again") from error
    if coordinates is not None and coordinates.ndim == 3 and len(coordinates) == 1:
        coordinates = coordinates[0]
    return features, coordinates, facts


def _facts(stated: dict[str, Any]) -> dict[str, Any]:
    """Side of a patch in level-0 px, its size in px and the µm of one, as far as TRIDENT or CLAM state them."""
    numbers = {k: float(v) for k, v in stated.items() if np.ndim(v) == 0 and isinstance(v, int | float | np.number)}
    if numbers.get("patch_size_level0", 0) >= 1:
        facts: dict[str, Any] = {"side": round(numbers["patch_size_level0"])}
        if numbers.get("patch_size", 0) >= 1 and numbers.get("target_magnification", 0) > 0:
            facts |= {"size": round(numbers["patch_size"]), "um_per_px": 10 / numbers["target_magnification"]}
        return facts
    if numbers.get("patch_size", 0) >= 1 and numbers.get("patch_level") == 0:
        return {"side": round(numbers["patch_size"])}
    return {}


def _from_torch(path: Path) -> _Found:
    if not zipfile.is_zipfile(path):
        raise PrognoscopeError(
            "a legacy pickle, which could execute code", _WHERE, "save it again with torch.save of today, or as .h5"
        )
    import torch

    try:
        stored: Any = torch.load(path, map_location="cpu", weights_only=True)
    except DAMAGED as error:
        raise PrognoscopeError(
            "a .pt file that holds more than tensors, or is damaged", _WHERE, "save the features alone as a tensor"
        ) from error
    place: Any = stored.get("coords") if isinstance(stored, dict) else None
    features: Any = stored.get("features") if isinstance(stored, dict) else stored
    if not _is_table(features) or not (place is None or _is_table(place)):
        raise PrognoscopeError("no tensor of features", _WHERE, "save the features alone as a tensor")
    coordinates = None if place is None else place.detach().to(torch.int64).numpy()
    return features.detach().to(torch.float32).numpy(), coordinates, {}


def _is_table(stored: object) -> bool:
    """A tensor of plain numbers, one beside the other."""
    import torch

    if not isinstance(stored, torch.Tensor) or stored.layout is not torch.strided:
        return False
    return stored.device.type == "cpu" and not (stored.is_complex() or stored.is_quantized)
