"""A cohort whose survival hangs on how brightly a tumour takes up contrast medium: what a map has to find."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import nibabel
import numpy as np

from core.arrays import BoolArray
from core.cohort.cohort import Cohort
from core.cohort.endpoint import Endpoint
from core.cohort.media_index import MediaFile, MediaIndex, MediaKind, save_media
from core.cohort.modality import Modality
from core.cohort.sample import make_sample_cohort
from core.cohort.storage import save_cohort
from core.results.workspace import Workspace

SHAPE = (20, 18, 14)
AFFINE = np.array([[-4.0, 0, 0, 38], [0, 4.0, 0, -34], [0, 0, 5.0, -33], [0, 0, 0, 1]])
TUMOUR = 5
MONTH = 12.0


@dataclass(frozen=True)
class PlantedScans:
    """The stored cohort · patient → the voxels of the tumour · the liver's voxels, the same in everybody."""

    cohort: Cohort
    tumours: dict[str, BoolArray]
    liver: BoolArray
    brightness: dict[str, float]


def liver_mask() -> BoolArray:
    """An ellipsoid that leaves a rim of background."""
    grid = np.indices(SHAPE) - (np.reshape(SHAPE, (3, 1, 1, 1)) - 1) / 2
    return np.asarray(sum((g / s) ** 2 for g, s in zip(grid, (9, 8, 6), strict=True)) <= 1)


def make_planted_scans(workspace: Workspace, folder: Path, patients: int = 60) -> PlantedScans:
    """Two phases a patient; the tumour lies anywhere in the liver, is as bright as it in t1 and brighter by 0 to 150
    in the arterial phase, and the brighter it is the earlier the patient dies."""
    rng = np.random.default_rng(5)
    cohort, _ = make_sample_cohort(patients)
    liver = liver_mask()
    bright = rng.uniform(0, 1, patients)
    tumours: dict[str, BoolArray] = {}
    files: list[MediaFile] = []
    for number, patient in enumerate(cohort.ids):
        corner = rng.integers([4, 4, 3], [11, 9, 6])
        tumour = np.zeros(SHAPE, dtype=bool)
        tumour[tuple(slice(c, c + TUMOUR) for c in corner)] = True
        tumours[patient] = tumour & liver
        for label, lift in (("t1", 0.0), ("arterial", 150 * bright[number])):
            array = 20 + 80 * liver + lift * tumours[patient] + rng.normal(0, 5, SHAPE)
            files.append(_file(folder, patient, number, label, array.astype(np.float32)))
        files.append(_file(folder, patient, number, "liver", liver.astype(np.uint8)))
        files.append(_file(folder, patient, number, "tumour", tumours[patient].astype(np.uint8)))
    time = np.clip(60 * (1 - bright) + rng.normal(0, 4, patients), 1, 70)
    nobody = np.zeros(patients, dtype=bool)
    event = rng.random(patients) < 0.85
    overall = Endpoint("OS", "Overall survival", "diagnosis", np.zeros(patients), time, event, nobody)
    have = cohort.availability[["clinical"]].assign(volumes=True)[["volumes", "clinical"]]
    cohort = replace(cohort, name="study", availability=have, endpoints={"OS": overall}, genomics=None)
    save_cohort(cohort, None, workspace)
    save_media("study", MediaIndex(tuple(files)), workspace)
    return PlantedScans(cohort, tumours, liver, dict(zip(cohort.ids, bright, strict=True)))


def _file(folder: Path, patient: str, number: int, label: str, array: np.ndarray) -> MediaFile:
    path = folder / f"{number}-{label}.nii.gz"
    nibabel.save(nibabel.Nifti1Image(array, AFFINE), path)
    kind = MediaKind.MASK if label in ("liver", "tumour") else MediaKind.VOLUME
    return MediaFile(patient, Modality.VOLUMES, kind, str(path), label)
