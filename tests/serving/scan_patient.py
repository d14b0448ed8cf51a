"""Patients with scans: a bright voxel at a known place, in a volume that lies turned and offset in the patient."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np

from core.cohort.cohort import Cohort
from core.cohort.media_index import MediaFile, MediaIndex, MediaKind, save_media
from core.cohort.modality import Modality
from core.cohort.storage import save_cohort
from core.results.run_store import save_run
from core.results.scan_maps import ScanLayer, ScanMaps, save_scan_maps
from core.results.workspace import Workspace
from tests.pages.builders import make_large_cohort, make_predictions, make_run

COHORT, RUN, OTHER_RUN = "scans", "hdmoe-1", "hdmoe-2"
FULL, BROKEN, NONE = "P-000000", "P-000001", "P-000002"
"""Two phases, two masks and a map · one unreadable scan · no scan."""

SHAPE = (44, 38, 30)
AFFINE = np.array([[0.0, -2.5, 0, 31], [2.0, 0, 0, -47], [0, 0, -3.0, 40], [0, 0, 0, 1]])
"""First axis towards the front, second towards the left, third towards the feet."""

FIDUCIAL = (27, 12, 9)
TUMOUR_MIDDLE = (15, 22, 9)
"""In the slice of the fiducial: the viewer begins there."""


def fiducial_mm() -> np.ndarray:
    """Where the bright voxel is, RAS+."""
    return np.asarray((AFFINE @ np.array([*FIDUCIAL, 1.0]))[:3])


def make_scan_workspace(workspace: Workspace, folder: Path, with_map: bool = True) -> Cohort:
    """The cohort with its media, one run that reads scans and one that reads none."""
    folder.mkdir(parents=True, exist_ok=True)
    cohort = make_large_cohort(60, COHORT)
    cohort = replace(cohort, availability=cohort.availability.assign(volumes=[i < 2 for i in range(60)]))
    save_cohort(cohort, None, workspace)
    predictions = make_predictions(cohort)
    for run, modalities in ((RUN, ("volumes", "clinical")), (OTHER_RUN, ("clinical",))):
        save_run(replace(make_run(cohort, predictions, run), modalities=modalities), predictions, workspace)
    save_media(COHORT, MediaIndex(tuple(_files(folder))), workspace)
    if with_map:
        save_scan_maps(make_map(), workspace)
    return cohort


def make_map() -> ScanMaps:
    """A map that raises in one half of the tumour and lowers in the other."""
    values = np.zeros(SHAPE, dtype=np.float32)
    x, y, z = TUMOUR_MIDDLE
    values[x - 4 : x, y - 4 : y + 4, z - 3 : z + 3] = 0.8
    values[x : x + 4, y - 4 : y + 4, z - 3 : z + 3] = -1.2
    layer = ScanLayer("shared", "", "Share of each region", "percentage points, a region", True, values, AFFINE)
    return ScanMaps(
        RUN, FULL, 36.0, 2, "Shapley values of 28 regions", "shape-intensity", (layer,), True, "test", 3.0,
        ("Blue regions raise the estimate, orange ones lower it.",), 52.0, 56.0, 0.0,
    )  # fmt: skip


def _files(folder: Path) -> list[MediaFile]:
    rng = np.random.default_rng(1)
    grid = np.indices(SHAPE)
    body = sum(((g - (n - 1) / 2) / (n / 2.2)) ** 2 for g, n in zip(grid, SHAPE, strict=True)) <= 1
    tumour = sum((g - m) ** 2 for g, m in zip(grid, TUMOUR_MIDDLE, strict=True)) <= 16
    files = []
    for label in ("t1", "arterial"):
        array = np.where(body, 120, 10) + rng.normal(0, 6, SHAPE) + (label == "arterial") * 40 * tumour
        array[FIDUCIAL] = 1000
        files.append(_file(folder, label, array.astype(np.float32), MediaKind.VOLUME))
    files.append(_file(folder, "liver", (body & (grid[1] > 12)).astype(np.uint8), MediaKind.MASK))
    files.append(_file(folder, "tumour", tumour.astype(np.uint8), MediaKind.MASK))
    broken = folder / "broken.nii.gz"
    broken.write_bytes(b"no scan")
    files.append(MediaFile(BROKEN, Modality.VOLUMES, MediaKind.VOLUME, str(broken), "arterial"))
    return files


def _file(folder: Path, label: str, array: np.ndarray, kind: MediaKind) -> MediaFile:
    path = folder / f"{label}.nii.gz"
    nibabel.save(nibabel.Nifti1Image(array, AFFINE), path)
    return MediaFile(FULL, Modality.VOLUMES, kind, str(path), label)
