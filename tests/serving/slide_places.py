"""A workspace with one patient's slide, and maps over it, for the tests of routes and viewers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tifffile
from PIL import Image

from core.cohort.media_index import MediaFile, MediaIndex, MediaKind, save_media
from core.cohort.modality import Modality
from core.results.slide_maps import LayerKind, MapLayer, SlideMaps, save_slide_maps
from core.results.workspace import Workspace


def write_slide(path: Path, image: np.ndarray, mpp: float | None = 0.5, factors: Sequence[int] = (1, 4)) -> Path:
    """A tiled pyramid that OpenSlide reads, without loss."""
    where = {} if mpp is None else {"resolution": (1e4 / mpp, 1e4 / mpp), "resolutionunit": "CENTIMETER"}
    path.parent.mkdir(parents=True, exist_ok=True)
    with tifffile.TiffWriter(path, bigtiff=True) as out:
        for i, factor in enumerate(factors):
            reduced = np.asarray(Image.fromarray(image).reduce(factor))
            extra = {"subfiletype": 1} if i else where
            out.write(reduced, tile=(256, 256), compression="deflate", photometric="rgb", **extra)
    return path


def index_slides(cohort: str, patient: str, paths: Sequence[Path], workspace: Workspace) -> None:
    """The files as the slides of a patient."""
    files = [MediaFile(patient, Modality.SLIDES, MediaKind.SLIDE, str(p)) for p in paths]
    save_media(cohort, MediaIndex(tuple(files)), workspace)


def maps_of(run: str, patient: str, corners: np.ndarray, side: int, month: float = 36.0) -> SlideMaps:
    """Attention that grows from patch to patch, one signed expert, one that is not used."""
    n = len(corners)
    attention = np.arange(1, n + 1, dtype=np.float32) / (n * (n + 1) / 2)
    relevance = np.linspace(-2, 3, n, dtype=np.float32)
    layers = (
        MapLayer("attention", "attention", LayerKind.ATTENTION, attention, False, "share of the attention"),
        MapLayer("expert-1", "relevance through expert 1", LayerKind.RELEVANCE, relevance, True,
                 "percentage points of survival at month 36"),
        MapLayer("expert-2", "relevance through expert 2", LayerKind.RELEVANCE, np.full(n, np.nan, np.float32), True,
                 "percentage points of survival at month 36", "this patient does not use expert 2"),
    )  # fmt: skip
    return SlideMaps(
        run=run, patient=patient, month=month, models=3, slides=np.zeros(n, dtype=np.int64),
        coordinates=np.asarray(corners, dtype=np.int64), sides={0: float(side)}, layers=layers, synthetic=True,
        encoder="test", code_version="test", seconds=0.1,
        cohort_quantiles={"attention": tuple(0.1 * np.linspace(0, 1, 101) ** 2)},
    )  # fmt: skip


def store_maps(maps: SlideMaps, workspace: Workspace) -> SlideMaps:
    """Store them and hand them back."""
    save_slide_maps(maps, workspace)
    return maps


def corners_of(width: int, height: int, side: int) -> np.ndarray:
    """All corners of whole squares of a grid, row by row."""
    columns, rows = np.meshgrid(np.arange(0, width - side + 1, side), np.arange(0, height - side + 1, side))
    return np.stack([columns.ravel(), rows.ravel()], axis=1)
