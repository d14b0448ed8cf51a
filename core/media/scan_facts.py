"""The few facts of a scan that may be shown: a short list of tags whose values are checked, never the header itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from core.media.burned_in import BurnedIn, look_for_text
from core.media.volumes import Volume

BODY_PARTS = frozenset(
    (
        *("ABDOMEN", "ABDOMENPELVIS", "BREAST", "CHEST", "CHESTABDOMEN", "CHESTABDPELVIS", "HEAD", "HEART", "KIDNEY"),
        *("LIVER", "NECK", "PANCREAS", "PELVIS", "SPINE", "SPLEEN", "THORAX", "WHOLEBODY"),
    )
)
"""Terms that are shown; anything else in the field could be free text about a person and is called "other"."""

MODALITIES = {"CT": "CT", "MR": "MR", "PT": "PET", "NM": "Nuclear medicine", "US": "Ultrasound"}
_NUMBERS = (
    ("SliceThickness", "Slice thickness", "mm"),
    ("SpacingBetweenSlices", "Distance of slices", "mm"),
    ("KVP", "Tube voltage", "kV"),
    ("MagneticFieldStrength", "Field strength", "T"),
    ("RepetitionTime", "Repetition time", "ms"),
    ("EchoTime", "Echo time", "ms"),
)


@dataclass(frozen=True)
class ScanFacts:
    """``rows`` (what, value) to show · ``burned_in`` whether text may stand in the pictures · ``taken`` when, to
    compute intervals from and never to show; None where the file does not say."""

    rows: tuple[tuple[str, str], ...]
    burned_in: BurnedIn
    taken: datetime | None


def facts_of(path: str | Path, volume: Volume) -> ScanFacts:
    """Facts of a NIfTI file or a DICOM series whose pixels were read as ``volume``."""
    header = _first_header(Path(path)) if Path(path).is_dir() else None
    size = " × ".join(str(n) for n in volume.array.shape)
    spacing = " × ".join(f"{s:.3g}" for s in volume.spacing)
    rows = [("Format", "NIfTI" if header is None else "DICOM series"), ("Voxels", size), ("Spacing", f"{spacing} mm")]
    if header is None:
        return ScanFacts(tuple(rows), look_for_text(volume), None)
    rows[1:1] = [
        ("Modality", MODALITIES.get(str(header.get("Modality", "")), "other")),
        ("Body part", _body_part(str(header.get("BodyPartExamined", "")))),
    ]
    rows += [(name, f"{value:g} {unit}") for tag, name, unit in _NUMBERS if (value := _number(header, tag)) is not None]
    declared = str(header.get("BurnedInAnnotation", "")).upper()
    declared = declared if declared in ("YES", "NO") else ""
    rows.append(("Burned-in text declared", {"YES": "yes", "NO": "no"}.get(declared, "not said")))
    return ScanFacts(tuple(rows), look_for_text(volume, declared), _taken(header))


def interval_words(taken: datetime | None, first: datetime | None) -> str:
    """The time since the first scan of the patient: never a date."""
    if taken is None or first is None:
        return "not said"
    seconds = (taken - first).total_seconds()
    if seconds == 0:
        return "first scan"
    if seconds < 3600:
        return f"{seconds:.0f} s after the first"
    return f"{seconds / 3600:.0f} h after the first" if seconds < 48 * 3600 else f"{seconds / 86400:.0f} days after"


def _first_header(folder: Path) -> Any | None:
    import pydicom
    from pydicom.errors import InvalidDicomError

    for path in sorted(p for p in folder.rglob("*") if p.is_file() and not p.name.startswith(".")):
        try:
            header = pydicom.dcmread(path, stop_before_pixels=True)
        except InvalidDicomError:
            continue
        if "Rows" in header:
            return header
    return None


def _body_part(text: str) -> str:
    word = text.upper().replace(" ", "").replace("_", "")
    return word.capitalize() if word in BODY_PARTS else "other" if word else "not said"


def _number(header: Any, tag: str) -> float | None:
    value = header.get(tag)
    try:
        return None if value is None or value == "" else float(value)
    except (TypeError, ValueError):
        return None


def _taken(header: Any) -> datetime | None:
    date = str(header.get("AcquisitionDate") or header.get("SeriesDate") or header.get("StudyDate") or "")
    time = str(header.get("AcquisitionTime") or header.get("SeriesTime") or "000000").partition(".")[0].ljust(6, "0")
    try:
        return datetime.strptime(date + time, "%Y%m%d%H%M%S")
    except ValueError:
        return None
