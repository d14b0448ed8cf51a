"""JPEG tiles of a TIFF read straight from the file, for viewers: several times as fast as compositing them first.

Most scanners write such files (SVS among them). Where a level is stored otherwise, or a tile is missing, there is no
fast way and :class:`core.media.slides.Slide` reads it.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from threading import Lock

import numpy as np
import tifffile

from core.media.slides import RGB, Slide

_KEPT_BYTES = 64 << 20
_LOOK = 64  # px of the square on which both ways must agree


class TiffTiles:
    """The levels of a file whose tiles can be read straight. Safe to use from several threads."""

    def __init__(self, path: Path, slide: Slide, kept_bytes: int = _KEPT_BYTES) -> None:
        self._pages = _pages(path, slide.levels)
        self._file = os.open(path, os.O_RDONLY) if self._pages else -1
        self._kept: OrderedDict[tuple[int, int], RGB] = OrderedDict()
        self._size, self._most, self._lock = 0, kept_bytes, Lock()
        self._pages = {level: page for level, page in self._pages.items() if self._agrees(slide, level)}

    @property
    def levels(self) -> frozenset[int]:
        """The levels that have a fast way."""
        return frozenset(self._pages)

    def _agrees(self, slide: Slide, level: int) -> bool:
        """Whether the middle of the level is what the slide's own reader sees there: no other image of the file is."""
        (width, height), factor = slide.levels[level], slide.downsamples[level]
        x, y = (round(round(v / 2 / factor) * factor) for v in (width * factor, height * factor))
        mine = self.read(round(x / factor), round(y / factor), _LOOK, _LOOK, level)
        its = slide.read(x, y, _LOOK, _LOOK, level)
        return mine is not None and float(np.abs(mine.astype(np.int16) - its).mean()) < 8

    def __del__(self) -> None:
        if getattr(self, "_file", -1) >= 0:
            os.close(self._file)

    def read(self, x: int, y: int, width: int, height: int, level: int) -> RGB | None:
        """(height, width, 3) uint8 at pixel (x, y) of ``level`` itself, white outside; None where it cannot."""
        page = self._pages.get(level)
        if page is None:
            return None
        canvas = np.full((height, width, 3), 255, dtype=np.uint8)
        right, bottom = min(x + width, page.imagewidth), min(y + height, page.imagelength)
        left, top = max(x, 0), max(y, 0)
        across = -(-page.imagewidth // page.tilewidth)
        for row in range(top // page.tilelength, -(-bottom // page.tilelength)):
            for column in range(left // page.tilewidth, -(-right // page.tilewidth)):
                tile = self._tile(level, page, row * across + column)
                if tile is None:
                    return None
                x0, y0 = column * page.tilewidth, row * page.tilelength
                xs, ys = max(x0, left), max(y0, top)
                xe, ye = min(x0 + page.tilewidth, right), min(y0 + page.tilelength, bottom)
                canvas[ys - y : ye - y, xs - x : xe - x] = tile[ys - y0 : ye - y0, xs - x0 : xe - x0]
        return canvas

    def _tile(self, level: int, page: tifffile.TiffPage, index: int) -> RGB | None:
        key = (level, index)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        tile = self._decoded(page, index)
        if tile is None:
            return None
        with self._lock:
            if key not in self._kept:
                self._kept[key] = tile
                self._size += tile.nbytes
            while self._size > self._most:
                self._size -= self._kept.popitem(last=False)[1].nbytes
        return tile

    def _decoded(self, page: tifffile.TiffPage, index: int) -> RGB | None:
        count = page.databytecounts[index]
        if not count:
            return None
        data = os.pread(self._file, count, page.dataoffsets[index])
        try:
            decoded = page.decode(data, index, jpegtables=page.jpegtables, jpegheader=page.jpegheader)[0]
        except (ValueError, RuntimeError):  # a damaged tile: the slower reader says what is wrong with it
            return None
        return None if decoded is None else np.asarray(decoded[0], dtype=np.uint8)


def _pages(path: Path, sizes: Sequence[tuple[int, int]]) -> dict[int, tifffile.TiffPage]:
    """Level → page, for the levels of 8 bit RGB in JPEG tiles; decoders are made now, for use without the file."""
    found: dict[int, tifffile.TiffPage] = {}
    try:
        with tifffile.TiffFile(path) as file:
            for page in file.pages:
                if not isinstance(page, tifffile.TiffPage) or not _is_plain(page):
                    continue
                size = (page.imagewidth, page.imagelength)
                if size in sizes and sizes.index(size) not in found:
                    page.decode  # noqa: B018 - tifffile makes the decoder at the first look
                    found[sizes.index(size)] = page
    except (tifffile.TiffFileError, OSError, ValueError, IndexError, KeyError):
        return {}
    return found


def _is_plain(page: tifffile.TiffPage) -> bool:
    return bool(
        page.is_tiled
        and page.compression == tifffile.COMPRESSION.JPEG
        and page.photometric in (tifffile.PHOTOMETRIC.RGB, tifffile.PHOTOMETRIC.YCBCR)
        and (page.samplesperpixel, page.bitspersample, page.planarconfig) == (3, 8, tifffile.PLANARCONFIG.CONTIG)
        and page.imagedepth == 1
    )
