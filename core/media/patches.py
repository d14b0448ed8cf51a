"""The patch grid of a slide: squares of one physical size, side by side from the slide's corner, where tissue is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image

from core.arrays import IntArray
from core.media.slides import RGB, Slide
from core.media.tissue import TissueMask

LEAST_TISSUE = 0.3


@dataclass(frozen=True, eq=False)
class PatchGrid:
    """``coordinates`` (n, 2) x, y of the patches' corners in level-0 pixels, row by row.

    ``side`` of a patch in level-0 pixels · ``size`` in pixels at ``um_per_px``, the resolution actually used (the
    side is a whole number of pixels, so it can differ from the wanted one by a fraction of a percent).
    """

    coordinates: IntArray
    side: int
    size: int
    um_per_px: float

    def __len__(self) -> int:
        return len(self.coordinates)


def patch_grid(
    slide: Slide, tissue: TissueMask, um_per_px: float, size: int, least_tissue: float = LEAST_TISSUE
) -> PatchGrid:
    """All patches of ``size`` pixels at ``um_per_px`` with at least that share of tissue.

    The last column and row may reach over the edge of the slide (white there): no tissue is lost at an edge.
    """
    mpp = slide.known_mpp()
    side = max(1, round(size * um_per_px / mpp))
    width, height = slide.dimensions
    columns, rows = np.arange(0, width, side), np.arange(0, height, side)
    corners = np.stack([g.ravel() for g in np.meshgrid(columns, rows)], axis=1).astype(np.int64)
    kept = tissue.shares(corners.astype(float), side) >= least_tissue
    return PatchGrid(corners[kept], side, size, side * mpp / size)


def read_patches(slide: Slide, grid: PatchGrid, longest: int = 16) -> Iterator[RGB]:
    """The patches in the grid's order, in runs of neighbours of one row: (k, size, size, 3) uint8, k ≤ ``longest``.

    Pixels are averages over the area they cover (never skipped), from the level next finer than the wanted one.
    """
    level = slide.level_for(grid.side / grid.size)
    pixels = round(grid.side / slide.downsamples[level])
    for start, count in _runs(grid, longest):
        x, y = (int(v) for v in grid.coordinates[start])
        strip = slide.read(x, y, pixels * count, pixels, level)
        if pixels != grid.size:
            image = Image.fromarray(strip).resize((grid.size * count, grid.size), Image.Resampling.BOX)
            strip = np.asarray(image)
        yield strip.reshape(grid.size, count, grid.size, 3).swapaxes(0, 1)


def _runs(grid: PatchGrid, longest: int) -> Iterator[tuple[int, int]]:
    """(first patch, how many) of the runs of neighbours."""
    start = 0
    for i in range(1, len(grid) + 1):
        if i < len(grid):
            step = grid.coordinates[i] - grid.coordinates[i - 1]
            if step[1] == 0 and step[0] == grid.side and i - start < longest:
                continue
        yield start, i - start
        start = i
