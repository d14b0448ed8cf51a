"""The slides looked at last stay open: opening one costs more than reading a tile."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from core.errors import PrognoscopeError
from core.media.deep_zoom import DeepZoom, jpeg
from core.media.slides import open_slide
from core.results.workspace import Workspace
from core.serving.slide_ids import SlideRef, slide_file

MOST_OPEN = 6
KEPT_BYTES = 96 << 20
_CACHE_BYTES = 64 << 20


@dataclass(frozen=True)
class SlideFacts:
    """What a viewer says of a slide.

    ``width``, ``height`` of level 0 in pixels · ``mpp`` µm per level-0 pixel or None, ``mpp_source`` where it comes
    from, ``mpp_stated`` False when it was estimated · ``power`` of the objective or None · ``colours`` a sentence on
    colour management.
    """

    width: int
    height: int
    mpp: float | None
    mpp_source: str
    mpp_stated: bool
    power: float | None
    colours: str


class OpenSlides:
    """A small store of open slides, safe to use from several threads.

    A slide that falls out is not closed here: a thread may be reading from it, and the file closes when the last of
    them lets go of it.
    """

    def __init__(self, most: int = MOST_OPEN) -> None:
        self._most = most
        self._held: OrderedDict[tuple[str, int], DeepZoom] = OrderedDict()
        self._lock = Lock()

    def get(self, path: Path) -> DeepZoom:
        """The pyramid of a file, opened again when the file has changed."""
        if not path.is_file():
            raise PrognoscopeError(
                "a slide file that is missing", "the slides of a patient", "restore it, or import again"
            )
        key = (str(path), path.stat().st_mtime_ns)
        with self._lock:
            if key not in self._held:
                self._held[key] = DeepZoom(open_slide(path, cache_bytes=_CACHE_BYTES), path)
                while len(self._held) > self._most:
                    self._held.popitem(last=False)
            self._held.move_to_end(key)
            return self._held[key]


class KeptTiles:
    """Encoded tiles asked for last, up to ``most`` bytes: two views in step, and a whole board, ask for the same ones.

    They are kept in memory alone, under a number that each opening of a slide has for itself.
    """

    def __init__(self, most: int = KEPT_BYTES) -> None:
        self._most, self._size = most, 0
        self._held: OrderedDict[tuple[int, ...], bytes] = OrderedDict()
        self._lock = Lock()

    def get(self, key: tuple[int, ...], make: Callable[[], bytes]) -> bytes:
        """The tile of this key, made outside the lock when it is not kept."""
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
                return self._held[key]
        made = make()
        with self._lock:
            if key not in self._held:
                self._held[key] = made
                self._size += len(made)
            while self._size > self._most:
                self._size -= len(self._held.popitem(last=False)[1])
        return made


_OPEN = OpenSlides()
_TILES = KeptTiles()


def tile_jpeg(pyramid: DeepZoom, level: int, column: int, row: int) -> bytes:
    """An encoded tile of an open slide; raises for one that is not there."""
    key = (pyramid.number, level, column, row)
    return _TILES.get(key, lambda: jpeg(pyramid.tile(level, column, row)))


def opened_slide(ref: SlideRef, workspace: Workspace) -> DeepZoom:
    """The pyramid of a slide; raises when it is unknown, missing or unreadable."""
    return _OPEN.get(Path(slide_file(ref, workspace).path))


def slide_facts(ref: SlideRef, workspace: Workspace) -> SlideFacts:
    """What the viewer says of a slide; raises like :func:`opened_slide`."""
    pyramid = opened_slide(ref, workspace)
    slide = pyramid.slide
    width, height = slide.dimensions
    return SlideFacts(width, height, slide.mpp, slide.mpp_source, slide.mpp_stated, slide.power, pyramid.colours)
