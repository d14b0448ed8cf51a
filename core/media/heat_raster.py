"""A map over patches as a small picture whose pixels are whole cells of the patch grid, and where it lies on the slide.

The browser and napari draw the same picture into the same level-0 rectangle without smoothing, so that an edge of a
patch is an edge of a pixel at every zoom.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.arrays import FloatArray, IntArray
from core.errors import PrognoscopeError
from core.media.heat_scale import RGBA, Scale

MOST_PIXELS = 16_000_000
"""A grid that would need more (patches at odd places) is drawn coarser, and ``Raster.error`` tells by how much."""


@dataclass(frozen=True, eq=False)
class Raster:
    """``rgba`` (h, w, 4) uint8 · ``x, y, width, height`` the level-0 rectangle it fills · ``cell`` level-0 px a pixel ·
    ``error`` the largest distance in level-0 px between an edge of a patch and the edge drawn (0 on a regular grid)."""

    rgba: RGBA
    x: int
    y: int
    width: int
    height: int
    cell: int
    error: float

    @property
    def rectangle(self) -> tuple[int, int, int, int]:
        """x, y, width, height in level-0 pixels."""
        return self.x, self.y, self.width, self.height


def rasterise(
    coordinates: IntArray, side: float, values: FloatArray, dimensions: tuple[int, int], scale: Scale
) -> Raster:
    """Draw one value a patch.

    Parameters
    ----------
    coordinates : (n, 2) int
        x, y of the patches' corners, level-0 pixels.
    side : float
        Of a patch, level-0 pixels.
    values : (n,) float
        NaN draws nothing. Where patches overlap their mean is drawn.
    dimensions : (width, height)
        Of level 0, to notice a map that was made on another slide.
    scale : Scale

    Raises
    ------
    PrognoscopeError
        When a patch begins outside the slide.
    """
    grid = patch_cells(coordinates, side, dimensions)
    drawn = _means(grid.first, grid.last, np.asarray(values, dtype=np.float64), grid.shape)
    return Raster(scale.colours(drawn), *grid.rectangle, grid.cell, grid.error)


@dataclass(frozen=True, eq=False)
class PatchCells:
    """Which cells of a grid of ``shape`` (columns, rows) the patches cover: from ``first`` (n, 2) column, row up to and
    without ``last``. ``rectangle``, ``cell`` and ``error`` are those of :class:`Raster`."""

    first: IntArray
    last: IntArray
    shape: tuple[int, int]
    rectangle: tuple[int, int, int, int]
    cell: int
    error: float


def patch_cells(coordinates: IntArray, side: float, dimensions: tuple[int, int]) -> PatchCells:
    """Where patches lie on the coarsest grid that shows them exactly; parameters and errors of :func:`rasterise`."""
    corners, whole = np.asarray(coordinates, dtype=np.int64), max(1, round(side))
    if not len(corners):
        return PatchCells(corners, corners, (1, 1), (0, 0, *dimensions), max(dimensions), 0.0)
    if corners.min() < 0 or (corners >= np.asarray(dimensions)).any():
        raise PrognoscopeError(
            "a map with patches outside the slide: it was made on another file",
            "the map of a slide",
            "explain the patient again",
        )
    origin = corners.min(axis=0)
    begin, end = corners - origin, corners - origin + whole
    cell = _cell(begin, whole, end.max(axis=0))
    columns, rows = (int(v) for v in -(-end.max(axis=0) // cell))
    first = np.rint(begin / cell).astype(np.int64)
    last = np.minimum(np.maximum(first + 1, np.rint(end / cell).astype(np.int64)), (columns, rows))
    error = float(max(np.abs(first * cell - begin).max(), np.abs(last * cell - end).max()))
    x, y = (int(v) for v in origin)
    return PatchCells(first, last, (columns, rows), (x, y, columns * cell, rows * cell), cell, error)


def _cell(offsets: IntArray, side: int, extent: IntArray) -> int:
    """The largest square of which every patch is made, or a coarser one where those were too many."""
    exact = int(np.gcd.reduce(np.append(np.unique(offsets), side)))
    if np.prod(-(-extent // exact), dtype=float) <= MOST_PIXELS:
        return exact
    return int(np.ceil(np.sqrt(np.prod(extent, dtype=float) / MOST_PIXELS)))


def _means(first: IntArray, last: IntArray, values: FloatArray, shape: tuple[int, int]) -> FloatArray:
    """(h, w) mean over the patches that cover each cell, NaN where none does."""
    known = np.isfinite(values)
    first, last, values = first[known], last[known], values[known]
    columns, rows = shape
    total, count = np.zeros((rows, columns)), np.zeros((rows, columns))
    if (last - first == 1).all():  # one pixel a patch: nothing to fill
        np.add.at(total, (first[:, 1], first[:, 0]), values)
        np.add.at(count, (first[:, 1], first[:, 0]), 1)
    else:
        total, count = (_filled(first, last, w, shape) for w in (values, np.ones(len(values))))
        count = np.rint(count)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(count > 0, total / count, np.nan)


def _filled(first: IntArray, last: IntArray, weights: FloatArray, shape: tuple[int, int]) -> FloatArray:
    """(h, w) sum of the weights of the rectangles over each cell: their corners, summed up along both axes."""
    corners = np.zeros((shape[1] + 1, shape[0] + 1))
    for x, y, sign in ((first, first, 1), (last, first, -1), (first, last, -1), (last, last, 1)):
        np.add.at(corners, (y[:, 1], x[:, 0]), sign * weights)
    return np.asarray(corners.cumsum(axis=0).cumsum(axis=1)[:-1, :-1])
