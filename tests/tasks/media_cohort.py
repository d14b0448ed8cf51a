"""A small cohort with files of every kind, for tests of encoding."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import h5py
import nibabel
import numpy as np
import tifffile

from core.cohort.cohort import Cohort
from core.cohort.media_index import MediaFile, MediaIndex, MediaKind, save_media
from core.cohort.modality import Modality
from core.cohort.sample import make_sample_cohort
from core.cohort.storage import save_cohort
from core.results.workspace import Workspace

SLIDES, VOLUMES, REPORTS = Modality.SLIDES, Modality.VOLUMES, Modality.REPORTS
SECRET = "TCGA-ZZ-0001"
"""Part of every file's path: it must show nowhere."""


@dataclass(frozen=True)
class MediaCohort:
    """The stored cohort with its index."""

    cohort: Cohort
    index: MediaIndex


def make_media_cohort(
    workspace: Workspace, folder: Path, patients: int = 40, slides: int = 0, volumes: int = 0, reports: int = 0
) -> MediaCohort:
    """The first so many patients have slides, volumes and reports; the rest have none."""
    cohort, _ = make_sample_cohort(patients)
    home = folder / SECRET
    home.mkdir(parents=True)
    files: list[MediaFile] = []
    for number, patient in enumerate(cohort.ids):
        random = np.random.default_rng(number)
        if number < slides:
            files.append(MediaFile(patient, SLIDES, MediaKind.SLIDE, str(write_slide(home / f"{number}.tif", random))))
        if number < volumes:
            files += write_scan(home, patient, number, random)
        if number < reports:
            path = home / f"{number}.txt"
            path.write_text(f"A {random.integers(5, 90)} mm lesion in a cirrhotic liver. No ascites. Case {number}.")
            files.append(MediaFile(patient, REPORTS, MediaKind.REPORT, str(path), "radiology"))
    availability = cohort.availability[[c for c in cohort.availability if c in ("genomics", "clinical")]].copy()
    for modality, count in ((REPORTS, reports), (VOLUMES, volumes), (SLIDES, slides)):
        availability[modality.value] = np.arange(len(cohort)) < count
    ordered = [m.value for m in Modality if m.value in availability]
    cohort = replace(cohort, name="study", availability=availability[ordered])
    save_cohort(cohort, None, workspace)
    index = MediaIndex(tuple(files))
    save_media("study", index, workspace)
    return MediaCohort(cohort, index)


def write_slide(path: Path, random: np.random.Generator, side: int = 448) -> Path:
    """Tissue with dark spots, 0.5 µm a pixel."""
    image = np.full((side, side, 3), 246, dtype=np.uint8)
    image[32:, 32:] = (226, 150, 190)
    y, x = np.mgrid[:side, :side]
    for cy, cx in random.integers(40, side - 10, (60, 2)):
        image[(y - cy) ** 2 + (x - cx) ** 2 < 60] = (95, 50, 140)
    where = {"resolution": (2e4, 2e4), "resolutionunit": "CENTIMETER"}
    tifffile.imwrite(path, image, tile=(256, 256), compression="deflate", photometric="rgb", **where)
    return path


def write_scan(folder: Path, patient: str, number: int, random: np.random.Generator) -> list[MediaFile]:
    """Two phases and a liver mask of 16 × 16 × 12 voxels."""
    mask = np.zeros((16, 16, 12), dtype=np.uint8)
    mask[3:13, 4:12, 2:10] = 1
    found = []
    for name, array in (
        ("t1", 80 * mask + random.normal(0, 5, mask.shape)),
        ("arterial", 120 * mask + random.normal(0, 5, mask.shape)),
        ("liver", mask),
    ):
        path = folder / f"{number}-{name}.nii.gz"
        nibabel.save(nibabel.Nifti1Image(array.astype(np.float32), np.diag([4.0, 4, 5, 1])), path)
        kind = MediaKind.MASK if name == "liver" else MediaKind.VOLUME
        found.append(MediaFile(patient, VOLUMES, kind, str(path), name))
    return found


def write_features(path: Path, rows: int, width: int, seed: int) -> Path:
    """A CLAM file of random features."""
    with h5py.File(path, "w") as out:
        out["features"] = np.random.default_rng(seed).normal(size=(rows, width)).astype(np.float32)
        out["coords"] = np.zeros((rows, 2), dtype=np.int32)
    return path
