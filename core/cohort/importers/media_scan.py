"""Which media of which patient lie in a plain study folder.

Two layouts, which may be mixed: ``<id>*/slides|features|volumes|masks|reports/…``, and ``slides|…/<id>*`` or
``slides|…/<id>/…``; or a table ``files.csv`` that names every file (columns id, path, modality, and where wanted
kind and label). An id is matched whole: ``P1`` is not the beginning of ``P10``.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from core.cohort.importers.draft import DraftMedium
from core.cohort.importers.media_files import (
    FEATURES,
    FOLDERS,
    ending,
    is_hidden,
    kind_of,
    label_of,
    safe_label,
    stem,
)
from core.cohort.importers.narrow_table import read_narrow
from core.cohort.media_index import MediaKind
from core.cohort.modality import Modality
from core.cohort.wording import plural
from core.errors import PrognoscopeError

LIST = "files.csv"
STRANGER, OTHER, ABSENT, TWICE = "stranger", "other", "absent", "twice"
_WORDS = {
    STRANGER: ("file of a patient who is not in the table", "files of patients who are not in the table"),
    OTHER: ("file that is no slide, scan, mask or report", "files that are no slide, scan, mask or report"),
    ABSENT: (f"file named in {LIST} that is not there", f"files named in {LIST} that are not there"),
    TWICE: ("feature file beside another of the same slide", "feature files beside others of the same slides"),
}


@dataclass
class MediaScan:
    """Media by original id, and counts of the files that were left out."""

    media: list[DraftMedium] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was left out, counted."""
        return tuple(f"{plural(n, *_WORDS[why])}: left out." for why, n in self.left_out.items() if n)


def scan_media(folder: Path, ids: Collection[str]) -> MediaScan:
    """Find the media of the patients ``ids`` below a study folder; nothing is opened but DICOM heads."""
    scan = MediaScan()
    if (folder / LIST).is_file():
        _read_list(folder / LIST, set(ids), scan)
    else:
        _walk_study(folder, set(ids), scan)
    return _in_order(scan, ids)


def scan_list(table: Path, ids: Collection[str]) -> MediaScan:
    """The media of the patients ``ids`` that a table like ``files.csv`` names, with paths below the table's folder.

    Raises
    ------
    PrognoscopeError
        For a table without these columns, or a path that leads elsewhere.
    """
    scan = MediaScan()
    _read_list(table, set(ids), scan)
    return _in_order(scan, ids)


def _in_order(scan: MediaScan, ids: Collection[str]) -> MediaScan:
    _keep_one_feature_file(scan)
    order = {original: row for row, original in enumerate(ids)}
    scan.media.sort(key=lambda m: (order[m.patient], m.modality, m.kind != MediaKind.VOLUME, m.path))
    return scan


def patient_of(name: str, ids: Collection[str]) -> str | None:
    """The longest id that ``name`` is or begins with, followed by no further letter or digit."""
    ends = [k for k in range(len(name), 0, -1) if k == len(name) or not name[k].isalnum()]
    return next((name[:k] for k in ends if name[:k] in ids), None)


def _walk_study(folder: Path, ids: set[str], scan: MediaScan) -> None:
    for place in _entries(folder):
        if not place.is_dir():
            continue
        if place.name.lower() in FOLDERS and place.name not in ids:
            _walk_kind(place, ids, scan)
            continue
        owner = patient_of(place.name, ids)
        for inner in _entries(place):
            if inner.is_dir() and inner.name.lower() in FOLDERS:
                _collect(inner, inner.name.lower(), owner, scan)
            elif owner is not None:
                scan.left_out[OTHER] += 1


def _walk_kind(place: Path, ids: set[str], scan: MediaScan) -> None:
    """``slides/…``: each entry, a file or a folder, belongs to the patient whose id it begins with."""
    folder = place.name.lower()
    for inner in _entries(place):
        if folder == "features" and inner.is_dir() and inner.name.lower() in ("h5_files", "pt_files"):
            for file in _entries(inner):
                _collect(file, folder, patient_of(file.name, ids), scan)
        else:
            _collect(inner, folder, patient_of(inner.name, ids), scan)


def _collect(place: Path, folder: str, owner: str | None, scan: MediaScan) -> None:
    """Every medium at or below ``place``; all of them are counted when nobody known owns them."""
    for path in _media_below(place, folder):
        what = kind_of(path, folder)
        if what is None:
            scan.left_out[OTHER] += 1
        elif owner is None:
            scan.left_out[STRANGER] += 1
        else:
            label = "" if path.name.lower() in FOLDERS else label_of(path, what[1], owner)
            scan.media.append(DraftMedium(owner, *what, path.absolute(), label))


def _media_below(place: Path, folder: str) -> Iterator[Path]:
    """Files, and of the volumes the folders that hold a DICOM series; not what belongs to a MIRAX slide."""
    if place.is_file():
        yield place
        return
    seen: set[str] = set()  # links are followed, but never in a circle
    for root, folders, names in os.walk(place, onerror=_unreadable, followlinks=True):
        here = Path(root)
        if (real := os.path.realpath(root)) in seen:
            folders.clear()
            continue
        seen.add(real)
        paths = sorted(here / n for n in names if not is_hidden(Path(n)))
        companions = {stem(p) for p in paths if ending(p) == ".mrxs"}
        folders[:] = sorted(f for f in folders if not is_hidden(Path(f)) and f not in companions)
        dicom = [p for p in paths if folder == "volumes" and _is_dicom(p)]
        if dicom:
            yield here
        yield from (p for p in paths if p not in set(dicom))


def _is_dicom(path: Path) -> bool:
    if ending(path) in (".dcm", ".ima"):
        return True
    if ending(path) in (".nii", ".nii.gz", ".txt", ".json"):
        return False
    try:
        with path.open("rb") as stream:
            return stream.read(132)[128:] == b"DICM"
    except OSError:
        return False


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(p for p in folder.iterdir() if not is_hidden(p))
    except OSError as error:
        _unreadable(error)


def _unreadable(error: OSError) -> NoReturn:
    """A folder that cannot be listed may hold media of anybody: the import ends, without the folder's name."""
    raise PrognoscopeError(
        f"a folder that cannot be read ({error.strerror or 'unknown reason'})",
        "the study folder",
        "let the user who runs Prognoscope read it",
    ) from error


def _keep_one_feature_file(scan: MediaScan) -> None:
    """CLAM writes each slide's features twice; the ``.h5`` knows where they lie and is kept."""
    with_places = {
        (m.patient, stem(m.path)) for m in scan.media if m.kind is MediaKind.SLIDE_FEATURES and _is_h5(m.path)
    }
    doubled = {
        m
        for m in scan.media
        if m.kind is MediaKind.SLIDE_FEATURES and not _is_h5(m.path) and (m.patient, stem(m.path)) in with_places
    }
    scan.left_out[TWICE] += len(doubled)
    scan.media = [m for m in scan.media if m not in doubled]


def _is_h5(path: Path) -> bool:
    return ending(path) in FEATURES[:2]


def _read_list(file: Path, ids: set[str], scan: MediaScan) -> None:
    folder, table = file.parent, read_narrow(file)
    absent = [c for c in ("id", "path", "modality") if c not in table.columns]
    if absent:
        raise PrognoscopeError(
            f"no column {absent[0]}", file.name, "name the columns id, path, modality, and where wanted kind and label"
        )
    rows = zip(table["id"], table["path"], table["modality"], table.get("kind"), table.get("label"), strict=True)
    for original, place, modality, kind, label in ((c.strip() for c in row) for row in rows):
        path = folder / place
        if Path(place).is_absolute() or ".." in Path(place).parts:
            raise PrognoscopeError(
                "a path that leads out of the study folder", LIST, "write paths below the folder of the study"
            )
        if original not in ids:
            scan.left_out[STRANGER] += 1
        elif not place or not path.exists():
            scan.left_out[ABSENT] += 1
        else:
            what = _named(modality, kind, path)
            if what is None:
                scan.left_out[OTHER] += 1
                continue
            word = safe_label(label, original) if label else label_of(path, what[1], original)
            scan.media.append(DraftMedium(original, *what, path.absolute(), word))


def _named(modality: str, kind: str, path: Path) -> tuple[Modality, MediaKind] | None:
    """Modality and kind as the table says them; a kind left out is told by the file."""
    try:
        found = Modality(modality.lower())
        wanted = MediaKind(kind.lower()) if kind else None
    except ValueError as error:
        raise PrognoscopeError(
            f"the modality {modality[:40]!r} or kind {kind[:40]!r}",
            LIST,
            f"use slides, volumes or reports, and as kind one of {', '.join(MediaKind)}",
        ) from error
    return kind_of(path, found) if wanted is None else (found, wanted)
