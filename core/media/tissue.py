"""Where on a slide the tissue is: background, pen marks and dust out.

Background is told from tissue by Otsu's threshold (1979) on the saturation of a small copy of the slide, kept within
bounds so that a slide which is all tissue, or all glass, is not cut in half. Pen marks are found by
:mod:`core.media.ink`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image
from scipy import ndimage

from core.arrays import BoolArray, Float32Array, FloatArray
from core.media.absorption import saturation
from core.media.ink import ink
from core.media.slides import RGB, Slide

UM_PER_PX = 8.0
SATURATION_BOUNDS = (0.04, 0.12)
SMALLEST_MM2 = 0.005
_STRIP = 2048  # rows of a level read at a time


@dataclass(frozen=True, eq=False)
class TissueMask:
    """``mask`` (h, w) bool · ``um_per_px`` of its pixels · ``scale`` level-0 pixels per mask pixel."""

    mask: BoolArray
    um_per_px: float
    scale: float

    @property
    def area_mm2(self) -> float:
        """Tissue in mm²."""
        return float(self.mask.sum()) * (self.um_per_px / 1000) ** 2

    def shares(self, coordinates: FloatArray, side: float) -> FloatArray:
        """Share of tissue in the squares of ``side`` level-0 px whose corners are ``coordinates`` (n, 2) x, y."""
        summed = np.zeros((self.mask.shape[0] + 1, self.mask.shape[1] + 1))
        summed[1:, 1:] = self.mask.cumsum(axis=0).cumsum(axis=1)
        left, top = (coordinates / self.scale).T
        right, bottom = ((coordinates + side) / self.scale).T
        inside = _area(summed, bottom, right) - _area(summed, top, right)
        inside -= _area(summed, bottom, left) - _area(summed, top, left)
        return np.asarray(inside / (side / self.scale) ** 2)


def _area(summed: FloatArray, rows: FloatArray, columns: FloatArray) -> FloatArray:
    """The summed-area table at fractional places (bilinear, exact for a piecewise constant mask)."""
    rows, columns = np.clip(rows, 0, summed.shape[0] - 1), np.clip(columns, 0, summed.shape[1] - 1)
    return np.asarray(ndimage.map_coordinates(summed, [rows, columns], order=1, mode="nearest"))


def thumbnail(slide: Slide, um_per_px: float = UM_PER_PX) -> tuple[RGB, float]:
    """A small copy of a slide, averaged over whole pixels of one level.

    Returns
    -------
    image : (h, w, 3) uint8
    scale : level-0 pixels per pixel of it
    """
    level = slide.level_for(um_per_px / slide.known_mpp())
    downsample = slide.downsamples[level]
    factor = max(1, round(um_per_px / slide.known_mpp() / downsample))
    width, height = slide.levels[level]
    rows = max(1, _STRIP // factor) * factor
    parts = []
    for top in range(0, height, rows):
        strip = slide.read(0, round(top * downsample), width, min(rows, height - top), level)
        parts.append(np.asarray(Image.fromarray(strip).reduce(factor)))
    return np.concatenate(parts), factor * downsample


def tissue_mask(slide: Slide, um_per_px: float = UM_PER_PX) -> TissueMask:
    """The tissue of a slide at about ``um_per_px``; the exact value stands in the result."""
    image, scale = thumbnail(slide, um_per_px)
    exact = scale * slide.known_mpp()
    return TissueMask(tissue_in(image, exact), exact, scale)


def tissue_in(image: RGB, um_per_px: float) -> BoolArray:
    """(h, w) bool: tissue in an RGB image whose pixels are ``um_per_px`` wide."""
    coloured, value = saturation(image), image.max(axis=2)
    threshold = float(np.clip(otsu(coloured), *SATURATION_BOUNDS))
    found = (coloured > threshold) & (value > 40) & ~ink(image)
    found = ndimage.binary_closing(ndimage.binary_opening(np.pad(found, 2, mode="edge")), iterations=2)[2:-2, 2:-2]
    smallest = max(4, round(SMALLEST_MM2 * 1e6 / um_per_px**2))
    return without_small(~without_small(~without_small(found, smallest), smallest // 4), 1)


def otsu(values: Float32Array, bins: int = 256) -> float:
    """The threshold that separates two classes with the largest variance between them (Otsu, 1979).

    Where a gap between the classes makes many thresholds equally good it is the middle of the gap.
    """
    counts, edges = np.histogram(values, bins=bins)
    centres = (edges[1:] + edges[:-1]) / 2
    below = counts.cumsum()
    above = below[-1] - below
    total = (counts * centres).cumsum()
    with np.errstate(divide="ignore", invalid="ignore"):
        gap = total / below - (total[-1] - total) / above
        between = np.nan_to_num(below * above * gap**2)
    best = np.flatnonzero(between >= between.max() * (1 - 1e-9))
    return float(edges[1 + best].mean())


def without_small(mask: BoolArray, smallest: int) -> BoolArray:
    """``mask`` without its connected parts of fewer than ``smallest`` pixels."""
    labels, count = ndimage.label(mask)
    keep = np.bincount(labels.ravel(), minlength=count + 1) >= smallest
    keep[0] = False
    return np.asarray(keep[labels])
