"""The tiled, pyramidal TIFF of a scanner, written from strips of pixels."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image

from core.media.synthetic.slide_painter import SlidePainter
from core.media.synthetic.slide_plan import SlidePlan

TILE = 512
STRIP = 512
_SHRINK = 4  # each level against the one before
_SMALLEST = 1024
_QUALITY = 80

RGB = NDArray[np.uint8]


def write_slide(painter: SlidePainter, plan: SlidePlan, microns_per_pixel: float, path: Path) -> None:
    """Write a pyramid that OpenSlide reads: separate pages, 512 px JPEG tiles, pixels per centimetre."""
    smaller: list[RGB] = []
    big = plan.width * plan.height > 2**28
    with tifffile.TiffWriter(path, bigtiff=big) as file:
        resolution = 1e4 / microns_per_pixel
        shape = (plan.height, plan.width, 3)
        _write_level(file, _tiles(_strips(painter, plan, smaller)), shape, resolution, first=True)
        level = np.concatenate(smaller)
        while True:
            resolution /= _SHRINK
            _write_level(file, _tiles(iter([level])), level.shape, resolution, first=False)
            if max(level.shape) <= _SMALLEST:
                break
            level = _reduced(level)


def _strips(painter: SlidePainter, plan: SlidePlan, smaller: list[RGB]) -> Iterator[RGB]:
    """The strips of level 0; what the next level needs of them is kept in ``smaller``."""
    for top in range(0, plan.height, STRIP):
        pixels = painter.strip(top, min(STRIP, plan.height - top))
        smaller.append(_reduced(pixels))
        yield pixels


def _reduced(pixels: RGB) -> RGB:
    return np.asarray(Image.fromarray(pixels).reduce(_SHRINK))


def _tiles(strips: Iterator[RGB]) -> Iterator[RGB]:
    """Tiles row by row; those at the right and lower edge are filled up with glass."""
    for strip in strips:
        for y in range(0, strip.shape[0], TILE):
            for x in range(0, strip.shape[1], TILE):
                tile = strip[y : y + TILE, x : x + TILE]
                if tile.shape[:2] != (TILE, TILE):
                    missing = ((0, TILE - tile.shape[0]), (0, TILE - tile.shape[1]), (0, 0))
                    tile = np.pad(tile, missing, mode="edge")
                yield np.ascontiguousarray(tile)


def _write_level(
    file: tifffile.TiffWriter, tiles: Iterator[RGB], shape: tuple[int, ...], resolution: float, first: bool
) -> None:
    file.write(
        tiles,
        shape=shape,
        dtype=np.uint8,
        tile=(TILE, TILE),
        photometric="rgb",  # stored as YCbCr, as JPEG does
        subsampling=(2, 2),
        compression="jpeg",
        compressionargs={"level": _QUALITY},
        subfiletype=0 if first else 1,
        resolution=(resolution, resolution),
        resolutionunit="CENTIMETER",
        metadata=None,
        software="Prognoscope synthetic sample",
        maxworkers=1,
    )
