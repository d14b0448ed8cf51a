"""What was planted in a synthetic cohort's slides and reports. Read to measure explanations, and for nothing else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from core.arrays import BoolArray, FloatArray
from core.cohort.sample import truth_path
from core.explain.patch_places import PatchPlaces
from core.media.synthetic.patient_media import REGION, SLIDE, TRUTH
from core.media.synthetic.slide_plan import CELL
from core.results.files import read_json
from core.results.workspace import Workspace
from core.tasks.complete_sample import TRUTH_FOLDER

HIGH_RISK, GLASS = 255, 0
LEAST = 0.5


def planted_genes(cohort: str, workspace: Workspace) -> tuple[str, ...]:
    """The planted gene columns; empty for a cohort whose truth is not known."""
    path = truth_path(workspace, cohort)
    return tuple(sorted(read_json(path)["planted"])) if path.is_file() else ()


def planted_shares(patient: str, media: str, places: PatchPlaces) -> FloatArray | None:
    """(n,) the share of each patch's tissue that is planted as high risk; None where no truth is kept.

    ``media`` is the path of the patient's slide, beside whose folder the truth lies.
    """
    region = _beside(media, patient, REGION)
    if region is None or len(places.sides) != 1:
        return None
    cells = np.asarray(Image.open(region))
    side = int(next(iter(places.sides.values())))
    shares = np.zeros(len(places.coordinates))
    for i, (x, y) in enumerate(places.coordinates):
        window = cells[y // CELL : -(-(y + side) // CELL), x // CELL : -(-(x + side) // CELL)]
        shares[i] = (window == HIGH_RISK).sum() / max(1, (window != GLASS).sum())
    return shares


def planted_patches(patient: str, media: str, places: PatchPlaces) -> BoolArray | None:
    """(n,) whether most of a patch's tissue is planted as high risk; None where no truth is kept."""
    shares = planted_shares(patient, media, places)
    return None if shares is None else shares >= LEAST


def planted_sentences(patient: str, media: str) -> tuple[tuple[int, int, str], ...]:
    """(start, end, kind) of every sentence of a generated report; empty where no truth is kept."""
    truth = _beside(media, patient, TRUTH)
    if truth is None:
        return ()
    return tuple((int(s["start"]), int(s["end"]), str(s["kind"])) for s in read_json(truth).get("report", ()))


def _beside(media: str, patient: str, name: str) -> Path | None:
    """The truth of a patient, kept beside the folders of the patients: ``<media>/.truth/<patient>/<name>``."""
    path = Path(media).parents[len(Path(SLIDE).parts)] / TRUTH_FOLDER / patient / name
    return path if path.is_file() else None
