"""A run with one patient whose slide carries fiducials, whose maps are known, and whose scan has marked sides."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import nibabel
import numpy as np

from core.cohort.media_index import MediaFile, MediaIndex, MediaKind, save_media
from core.cohort.modality import Modality
from core.cohort.sample import make_sample_cohort
from core.cohort.storage import save_cohort
from core.results.run_store import save_run
from core.results.scan_maps import ScanLayer, ScanMaps, save_scan_maps
from core.results.slide_maps import LayerKind, MapLayer, SlideMaps, save_slide_maps
from core.results.workspace import Workspace
from tests.media.test_slides_and_patches import write_pyramid
from tests.pages.builders import make_predictions, make_run

SECRET = "TCGA-ZZ-0009"
WIDTH, HEIGHT, MPP, SIDE = 3003, 2201, 0.5, 200
FIDUCIAL = 20
PLACES = np.array([[300, 260], [1490, 1090], [2890, 2090], [2400, 420], [700, 1730]])
"""x, y of the corner of each black square, level-0 px."""


@dataclass(frozen=True)
class Planted:
    """What was made. ``image`` is the slide's level 0, ``maps`` those of the run."""

    run: str
    patient: str
    other: str
    image: np.ndarray
    maps: SlideMaps
    scan: ScanMaps


def plant(workspace: Workspace, folder: Path) -> Planted:
    """A cohort of which one patient has a slide and a scan, another neither."""
    cohort, _ = make_sample_cohort(60)
    first = np.arange(len(cohort)) == 0
    cohort = replace(cohort, name="study", availability=cohort.availability.assign(slides=first, volumes=first))
    save_cohort(cohort, None, workspace)
    predictions = make_predictions(cohort)
    run = make_run(cohort, predictions)
    save_run(run, predictions, workspace)
    home = folder / SECRET
    home.mkdir(parents=True)
    image = draw()
    patient, other = cohort.ids[:2]
    write_pyramid(home / "a.tif", image, MPP, levels=3)
    mask = np.zeros((30, 24, 20), dtype=np.uint8)
    mask[18:26, 12:20, 8:14] = 1  # on the patient's right, in front
    rows = [MediaFile(patient, Modality.SLIDES, MediaKind.SLIDE, str(home / "a.tif"))]
    affine = np.diag([-3.0, 3, 5, 1])  # first voxel axis towards the patient's left, as scanners write it
    affine[:3, 3] = 40, -30, -50
    for name, array, kind in (
        ("t1", 20 + 100.0 * mask[::-1], MediaKind.VOLUME), ("arterial", 30 + 150.0 * mask[::-1], MediaKind.VOLUME),
        ("tumour", mask[::-1], MediaKind.MASK),
    ):  # fmt: skip
        nibabel.save(nibabel.Nifti1Image(array.astype(np.float32), affine), home / f"{name}.nii.gz")
        rows.append(MediaFile(patient, Modality.VOLUMES, kind, str(home / f"{name}.nii.gz"), name))
    save_media("study", MediaIndex(tuple(rows)), workspace)
    maps = slide_maps(run.id, patient)
    save_slide_maps(maps, workspace)
    values = np.zeros(mask.shape, dtype=np.float32)
    values[4:12, 12:16, 8:14], values[4:12, 16:20, 8:14] = 1.0, -0.5
    layers = (ScanLayer("all", "t1", "Attribution", "percentage points", True, values, affine),)
    scan = ScanMaps(run.id, patient, 36.0, 2, "method", "encoder", layers, True, "test", 0.1)
    save_scan_maps(scan, workspace)
    return Planted(run.id, patient, other, image, maps, scan)


def draw() -> np.ndarray:
    """(HEIGHT, WIDTH, 3) tissue of one colour with black squares."""
    image = np.full((HEIGHT, WIDTH, 3), (226, 170, 200), dtype=np.uint8)
    for x, y in PLACES:
        image[y : y + FIDUCIAL, x : x + FIDUCIAL] = 0
    return image


def slide_maps(run: str, patient: str) -> SlideMaps:
    """Patches on a grid of SIDE, every third left out; attention 0 … 1, relevance of both signs, an expert unused."""
    corners = np.array([(x, y) for y in range(0, 2000, SIDE) for x in range(0, 2800, SIDE)], dtype=np.int64)
    corners = corners[np.arange(len(corners)) % 3 > 0]
    attention = np.linspace(0, 1, len(corners)).astype(np.float32)
    relevance = np.linspace(-2, 3, len(corners)).astype(np.float32)
    layers = (
        MapLayer("attention", "attention", LayerKind.ATTENTION, attention, False, "share"),
        MapLayer("expert-1", "relevance through expert 1", LayerKind.RELEVANCE, relevance, True, "points"),
        MapLayer("expert-2", "relevance through expert 2", LayerKind.RELEVANCE, relevance * np.float32(np.nan), True,
                 "points", "expert 2 is not used for this patient"),
    )  # fmt: skip
    slides = np.zeros(len(corners), dtype=np.int64)
    return SlideMaps(run, patient, 36.0, 2, slides, corners, {0: float(SIDE)}, layers, True, "encoder", "test", 0.1)
