"""What the desktop viewer shall open: slides, maps, scans and the view, as a file.

The file holds paths of a patient's media: only its owner may read it, and neither its name nor its title says who
the patient is.
"""

from __future__ import annotations

import hashlib
import json
import os
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from core.errors import PrognoscopeError
from core.media.geojson import Area, read_geojson, write_geojson
from core.media.heat_scale import NEGATIVE, POSITIVE, SEQUENTIAL, Over, Shown
from core.media.scan_slices import LOWERS, MASK_COLOURS, RAISES
from core.results.workspace import Workspace, checked_name

VERSION = 1
_ANY_SIDE = 10**9  # areas were checked against their slide before they were kept
Palette = Mapping[str, tuple[tuple[int, int, int], ...]]


@dataclass(frozen=True)
class SlideEntry:
    """A slide: its ``number`` in the order of the media index, its file, µm a level-0 px (None: nobody knows)."""

    number: int
    path: str
    mpp: float | None
    mpp_source: str


@dataclass(frozen=True)
class MapEntry:
    """A layer of the run's maps over the slides, as it begins: ``key`` of the layer, what people read, how coloured."""

    key: str
    title: str
    shown: Shown = Shown.PERCENTILE
    over: Over = Over.SLIDE
    opacity: float = 0.75
    visible: bool = False


@dataclass(frozen=True)
class ScanEntry:
    """A volume or a mask of the patient's scans; ``name`` the phase, or what a mask covers."""

    path: str
    name: str
    mask: bool = False


@dataclass(frozen=True)
class Looking:
    """Where to begin: the slide, its place in the middle (level-0 px, as the browser counts: a pixel's left edge is
    its number) and screen px a level-0 px. None: all of the slide. ``opacities`` of the layers to show, by key."""

    slide: int = 0
    x: float | None = None
    y: float | None = None
    zoom: float | None = None
    opacities: Mapping[str, float] = field(default_factory=dict)


def palette() -> Palette:
    """The colours maps, attribution and masks are drawn with, here as in the browser."""
    return {
        "sequential": SEQUENTIAL,
        "negative": NEGATIVE,
        "positive": POSITIVE,
        "raises survival": (RAISES,),
        "lowers survival": (LOWERS,),
        **{f"mask {name}": (colour,) for name, colour in MASK_COLOURS.items()},
    }


@dataclass(frozen=True)
class Session:
    """All of it. ``workspace`` is where the run's maps lie; ``annotations`` slide number → areas (level-0 px);
    ``notes`` what is not there, and why."""

    workspace: str
    cohort: str
    run: str
    patient: str
    synthetic: bool
    slides: tuple[SlideEntry, ...] = ()
    maps: tuple[MapEntry, ...] = ()
    scans: tuple[ScanEntry, ...] = ()
    scan_maps: bool = False
    annotations: Mapping[int, tuple[Area, ...]] = field(default_factory=dict)
    looking: Looking = field(default_factory=Looking)
    notes: tuple[str, ...] = ()
    palette: Palette = field(default_factory=palette)
    version: int = VERSION

    @property
    def title(self) -> str:
        """For the window: the run, never the patient."""
        return f"Prognoscope – run {self.run}{', synthetic data' if self.synthetic else ''} – research use only"


def desktop_folder(workspace: Workspace) -> Path:
    """Where sessions lie, readable by their owner only; made when it is missing."""
    folder = workspace.root / "desktop"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    return folder


def session_path(session: Session, workspace: Workspace) -> Path:
    """The file of a patient and run: the patient stands in its name as a hash."""
    key = hashlib.sha256(f"{session.cohort}\0{session.patient}".encode()).hexdigest()[:20]
    return desktop_folder(workspace) / f"{checked_name(session.run, 'run id')}-{key}.json"


def save_session(session: Session, path: Path) -> Path:
    """Write it with mode 0600 under a temporary name, then rename; the path it has then."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{uuid.uuid4().hex}.tmp")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            json.dump(_plain(session), stream, ensure_ascii=False, indent=1, sort_keys=True, allow_nan=False)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return path.absolute()


def load_session(path: Path) -> Session:
    """A session from its file.

    Raises
    ------
    PrognoscopeError
        When there is none, or it is no session of this version.
    """
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        return _restored(stored)
    except FileNotFoundError as error:
        raise PrognoscopeError("no such file", f"session {path.name!r}", "write it again") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise PrognoscopeError(
            "a file that is no session of this version", f"session {path.name!r}",
            "write it again: ./run cli napari RUN PATIENT",
        ) from error  # fmt: skip


def _plain(session: Session) -> dict[str, Any]:
    areas = {str(number): json.loads(write_geojson(found)) for number, found in session.annotations.items()}
    return {**asdict(replace(session, annotations={})), "annotations": areas}


def _areas(stored: Mapping[str, Any]) -> tuple[Area, ...]:
    return read_geojson(json.dumps(stored).encode(), (_ANY_SIDE, _ANY_SIDE)).areas if stored["features"] else ()


def _restored(stored: Mapping[str, Any]) -> Session:
    if stored["version"] != VERSION:
        raise ValueError(stored["version"])
    maps = (MapEntry(**{**m, "shown": Shown(m["shown"]), "over": Over(m["over"])}) for m in stored["maps"])
    colours = {name: tuple((int(r), int(g), int(b)) for r, g, b in steps) for name, steps in stored["palette"].items()}
    parts = {
        "slides": tuple(SlideEntry(**s) for s in stored["slides"]),
        "maps": tuple(maps),
        "scans": tuple(ScanEntry(**s) for s in stored["scans"]),
        "annotations": {int(number): _areas(found) for number, found in stored["annotations"].items()},
        "looking": Looking(**stored["looking"]),
        "notes": tuple(str(n) for n in stored["notes"]),
        "palette": colours,
    }
    return Session(**{**stored, **parts})
