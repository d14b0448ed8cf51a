"""Where the explanations of one run and one patient lie: each kind in a folder of its own, whole or not there."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path

from core.errors import PrognoscopeError
from core.results.files import MANIFEST, verify_folder
from core.results.workspace import Workspace, checked_name


class Kind(StrEnum):
    """The kinds of explanation there are."""

    VALUES = "values"  # genes, clinical values, modalities: core.results.explanation
    SLIDE = "slide"  # maps over patches: core.results.slide_maps
    SCAN = "scan"  # attribution volumes: core.results.scan_maps
    REPORT = "report"  # sentences: core.results.report_evidence


def default_month(horizons: Sequence[float], wanted: float = 36.0) -> float:
    """The horizon nearest to ``wanted``, the earlier of two: the month that is explained unless one is named."""
    return float(min(sorted(horizons), key=lambda h: abs(h - wanted)))


def explained_folder(kind: Kind, run: str, patient: str, month: float | None, workspace: Workspace) -> Path:
    """The folder of one explanation; ``month`` None for a kind that explains no single month.

    The patient stands in it as a hash: file names may be seen where pseudonyms may not.
    """
    name = f"{kind.value}-{_key(patient)}" + ("" if month is None else f"-m{month:g}".replace(".", "_"))
    return workspace.explanations / checked_name(run, "run id") / name


def has_explanation(kind: Kind, run: str, patient: str, month: float | None, workspace: Workspace) -> bool:
    """Whether it was made and is whole, by its manifest alone."""
    return (explained_folder(kind, run, patient, month, workspace) / MANIFEST).is_file()


def opened(kind: Kind, run: str, patient: str, month: float | None, workspace: Workspace) -> Path:
    """The folder of a stored explanation, each file checked against its hash.

    Raises
    ------
    PrognoscopeError
        When it was not made yet, or was altered.
    """
    folder = explained_folder(kind, run, patient, month, workspace)
    if not (folder / MANIFEST).is_file():
        raise PrognoscopeError(
            "no explanation of this kind yet", "the patient's explanations", "explain the patient (./run cli explain)"
        )
    verify_folder(folder)
    return folder


def is_explained(run: str, patient: str, workspace: Workspace) -> bool:
    """Whether anything is stored that explains a patient's estimates by a run."""
    return any((workspace.explanations / checked_name(run, "run id")).glob(f"*-{_key(patient)}*"))


def forget_explanations(run: str, patient: str | None, workspace: Workspace) -> None:
    """Remove what explains a patient's estimates by a run, or with None everything that was made of the run."""
    folder = workspace.explanations / checked_name(run, "run id")
    if patient is None:
        shutil.rmtree(folder, ignore_errors=True)
        return
    for found in folder.glob(f"*-{_key(patient)}*"):
        shutil.rmtree(found)


def _key(patient: str) -> str:
    return hashlib.sha256(patient.encode()).hexdigest()[:20]
