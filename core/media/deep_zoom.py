"""A slide as a Deep Zoom pyramid: each level half of the one above, cut into tiles that overlap by one pixel.

Level ``k`` below the last is the slide at exactly 2^-k: every pixel of its tiles stands for 2^k × 2^k level-0 pixels,
also the last column and row, which may reach over the slide's edge (white there; viewers cut that fraction off).
"""

from __future__ import annotations

import io
import itertools
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import numpy as np
from PIL import Image

from core.errors import PrognoscopeError
from core.media.colours import to_srgb
from core.media.slides import Slide
from core.media.tiff_tiles import TiffTiles

TILE, OVERLAP = 510, 1
QUALITY = 85
LONGEST_READ = 8192
"""A file whose smallest level is longer than this gets a smaller one in memory."""
_STRIP = 1024


@dataclass(frozen=True)
class _Span:
    """One axis of a tile: level-0 pixels ``start`` … ``end`` become ``pixels``."""

    start: int
    end: int
    pixels: int


class DeepZoom:
    """The pyramid over an open slide. Tiles may be read from several threads. ``number`` is its own in this process."""

    _numbers = itertools.count()

    def __init__(self, slide: Slide, path: Path | None = None) -> None:
        """``path`` of the slide's file, to read its tiles straight where that is possible."""
        self._tiles = None if path is None else TiffTiles(path, slide)
        self.number = next(self._numbers)
        self.slide = slide
        self.levels = max(0, (max(slide.dimensions) - 1).bit_length()) + 1
        self._to_screen, self.colours = to_srgb(slide.profile)
        self._factors = [_factor(slide, level) for level in range(len(slide.levels))]
        self._overview_step = _overview_step(slide)
        self._overview: Image.Image | None = None
        self._lock = Lock()

    def descriptor(self) -> str:
        """The ``.dzi`` file."""
        width, height = self.slide.dimensions
        return (
            '<?xml version="1.0" encoding="UTF-8"?>\n<Image xmlns="http://schemas.microsoft.com/deepzoom/2008" '
            f'Format="jpeg" Overlap="{OVERLAP}" TileSize="{TILE}"><Size Width="{width}" Height="{height}"/></Image>'
        )

    def tile(self, level: int, column: int, row: int) -> Image.Image:
        """An RGB tile of at most ``TILE + 2 · OVERLAP`` pixels a side.

        Raises
        ------
        PrognoscopeError
            For a tile that the pyramid does not have.
        """
        if not 0 <= level < self.levels:
            raise _no_tile()
        step = 1 << (self.levels - 1 - level)
        width, height = self.slide.dimensions
        return self._drawn(_span(column, width, step), _span(row, height, step), step)

    def patch(self, x: int, y: int, side: int, pixels: int) -> Image.Image:
        """The square of ``side`` level-0 px at (x, y), ``pixels`` wide; white beyond the slide's edge."""
        return self._drawn(_Span(x, x + side, pixels), _Span(y, y + side, pixels), max(1, side // pixels))

    def _drawn(self, across: _Span, down: _Span, step: int) -> Image.Image:
        if step >= self._overview_step > 0:
            return self._from_overview(across, down)
        level = self.slide.level_for(step)
        factor, stated = self._factors[level], self.slide.downsamples[level]
        left, top = across.start / factor, down.start / factor
        right, bottom = across.end / factor, down.end / factor
        x, y = int(left), int(top)
        columns, rows = int(np.ceil(right - 1e-9)) - x, int(np.ceil(bottom - 1e-9)) - y
        columns, rows = max(1, columns), max(1, rows)
        pixels = None if self._tiles is None else self._tiles.read(x, y, columns, rows, level)
        if pixels is None:
            pixels = self.slide.read(round(x * stated), round(y * stated), columns, rows, level)
        image, size = Image.fromarray(pixels), (across.pixels, down.pixels)
        box = (left - x, top - y, right - x, bottom - y)
        whole = (left, top, right, bottom) == (x, y, x + image.width, y + image.height)
        if not whole:
            image = image.resize(size, Image.Resampling.BOX, box)  # averages over what a pixel covers, edges included
        elif image.size != size:
            image = _reduced(image, size)
        return self._to_screen(image)

    def _from_overview(self, across: _Span, down: _Span) -> Image.Image:
        with self._lock:
            if self._overview is None:
                self._overview = _read_overview(self.slide, self._overview_step)
        left, top, right, bottom = (v / self._overview_step for v in (across.start, down.start, across.end, down.end))
        box = (left, top, right, bottom)
        room = Image.new("RGB", (int(np.ceil(right)), int(np.ceil(bottom))), "white")
        room.paste(self._overview)
        return self._to_screen(room.resize((across.pixels, down.pixels), Image.Resampling.BOX, box))


def _reduced(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The whole image at ``size``, averaged; by whole blocks where they fit, which is four times as fast."""
    across, down = image.width / size[0], image.height / size[1]
    if across == down and across.is_integer():
        return image.reduce(int(across))
    return image.resize(size, Image.Resampling.BOX)


def _overview_step(slide: Slide) -> int:
    """The step from which tiles come from one small picture, where the file has no small level itself; 0 = never.

    A far view of such a file would read all of it for every tile, and hold it in memory.
    """
    coarsest = slide.level_for(float("inf"))
    longest = max(slide.levels[coarsest])
    if longest <= LONGEST_READ:
        return 0
    return 1 << int(np.ceil(np.log2(slide.downsamples[coarsest] * longest / LONGEST_READ)))


def _read_overview(slide: Slide, step: int) -> Image.Image:
    """The whole slide at 1 / ``step``, averaged, read a strip at a time from the level next finer."""
    level = slide.level_for(step)
    reduce = max(1, round(step / slide.downsamples[level]))
    width, height = slide.levels[level]
    high = max(1, _STRIP // reduce) * reduce
    strips = []
    for top in range(0, height, high):
        strip = slide.read(0, round(top * slide.downsamples[level]), width, min(high, height - top), level)
        strips.append(np.asarray(Image.fromarray(strip).reduce(reduce)))
    return Image.fromarray(np.concatenate(strips))


def _span(index: int, length: int, step: int) -> _Span:
    tiles = -(-length // (TILE * step))
    if not 0 <= index < max(1, tiles):
        raise _no_tile()
    first = max(0, index * TILE - OVERLAP)
    last = min(-(-length // step), (index + 1) * TILE + OVERLAP)
    return _Span(first * step, last * step, last - first)


def _no_tile() -> PrognoscopeError:
    return PrognoscopeError("a tile that does not exist", "the address of a tile", "open the page again")


def _factor(slide: Slide, level: int) -> float:
    """Level-0 pixels per pixel of a level: the whole number a scanner used, where its rounded sizes agree with one.

    Readers divide the sizes, which is off by a few level-0 pixels at the far edge of a level that was cut to whole
    pixels.
    """
    stated = slide.downsamples[level]
    whole = round(stated)
    close = all(abs(full / whole - size) <= 1 for full, size in zip(slide.dimensions, slide.levels[level], strict=True))
    return float(whole) if close else stated


def jpeg(image: Image.Image) -> bytes:
    """The picture as JPEG, without any metadata."""
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=QUALITY)
    return stream.getvalue()
