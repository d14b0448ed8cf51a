"""Which file of which patient holds a slide, a scan, a mask or a report.

Paths may carry original ids, so the index lies in ``protected/<cohort>-media.parquet``, readable by its owner
only, and no path of it is ever shown. Report texts are kept as files beside it, in ``protected/<cohort>-reports/``.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path

import pandas as pd

from core.cohort.modality import Modality
from core.cohort.private_files import staged_private_table
from core.cohort.pseudonyms import protected_folder
from core.errors import PrognoscopeError
from core.results.workspace import Workspace, checked_name


class MediaKind(StrEnum):
    """What a medium is. The value is the word used in ``files.csv`` and in the stored index."""

    SLIDE = "slide"
    SLIDE_FEATURES = "slide-features"
    VOLUME = "volume"
    MASK = "mask"
    REPORT = "report"


@dataclass(frozen=True)
class MediaFile:
    """One medium of one patient.

    Parameters
    ----------
    patient : str
        Pseudonym.
    modality : Modality
        ``slides``, ``volumes`` or ``reports``; a mask belongs to the modality it masks.
    kind : MediaKind
    path : str
        Absolute path; a folder for a DICOM series. Never shown.
    label : str
        Phase of a volume (``arterial``, ``t2``), what a mask covers (``liver``, ``tumour``, ``region``), the kind
        of a report (``pathology``); never an id.
    """

    patient: str
    modality: Modality
    kind: MediaKind
    path: str
    label: str = ""


@dataclass(frozen=True)
class MediaIndex:
    """Every medium of a cohort, in the order of its patients."""

    files: tuple[MediaFile, ...] = ()

    def __len__(self) -> int:
        return len(self.files)

    @cached_property
    def _by_patient(self) -> Mapping[str, tuple[MediaFile, ...]]:
        found: dict[str, list[MediaFile]] = {}
        for file in self.files:
            found.setdefault(file.patient, []).append(file)
        return {patient: tuple(files) for patient, files in found.items()}

    def of(
        self, patient: str, modality: Modality | None = None, kind: MediaKind | None = None
    ) -> tuple[MediaFile, ...]:
        """The media of a patient (pseudonym), of one modality or kind where that is given."""
        return tuple(
            f
            for f in self._by_patient.get(patient, ())
            if (modality is None or f.modality is modality) and (kind is None or f.kind is kind)
        )

    def patients(self, modality: Modality) -> frozenset[str]:
        """Patients with at least one medium of the modality that is no mask: a mask alone shows nothing."""
        return frozenset(f.patient for f in self.files if f.modality is modality and f.kind is not MediaKind.MASK)


def save_media(name: str, index: MediaIndex, workspace: Workspace) -> None:
    """Write a cohort's index; one of the same name is replaced. An empty one leaves no file."""
    with staged_media(name, index, workspace):
        pass


@contextmanager
def staged_media(name: str, index: MediaIndex, workspace: Workspace) -> Iterator[None]:
    """Write an index aside; it takes the place of the cohort's earlier one when the block ends well."""
    target = _index_path(name, workspace)
    rows = [(f.patient, str(f.modality), str(f.kind), f.path, f.label) for f in index.files]
    table = pd.DataFrame(rows, columns=["patient", "modality", "kind", "path", "label"], dtype="string")
    with staged_private_table(table, target):
        yield
    if not index.files:
        target.unlink(missing_ok=True)


def load_media(name: str, workspace: Workspace) -> MediaIndex:
    """A cohort's index; an empty one for a cohort without media.

    Raises
    ------
    PrognoscopeError
        When the stored index cannot be read.
    """
    path = _index_path(name, workspace)
    if not path.is_file():
        return MediaIndex()
    try:
        table = pd.read_parquet(path).astype(str)
        rows = zip(*(table[c] for c in ("patient", "modality", "kind", "path", "label")), strict=True)
        return MediaIndex(tuple(MediaFile(p, Modality(m), MediaKind(k), f, t) for p, m, k, f, t in rows))
    except (OSError, ValueError, KeyError) as error:
        raise PrognoscopeError("an unreadable index of media", f"cohort {name!r}", "import the cohort again") from error


def delete_media(name: str, workspace: Workspace) -> None:
    """Remove a cohort's index, its report texts, and the files that were unpacked or made for it.

    Files outside the workspace are only referred to and stay.
    """
    _index_path(name, workspace).unlink(missing_ok=True)
    for folder in (report_folder(name, workspace), workspace.media_of(name)):
        if folder.is_dir():
            shutil.rmtree(folder)


def report_folder(name: str, workspace: Workspace) -> Path:
    """Where the report texts of a cohort lie, as ``<pseudonym>-<number>.txt``."""
    return protected_folder(workspace) / f"{checked_name(name, 'cohort name')}-reports"


def _index_path(name: str, workspace: Workspace) -> Path:
    return protected_folder(workspace) / f"{checked_name(name, 'cohort name')}-media.parquet"
