"""Text burned into the pixels of a scan: what the file declares, and a plain look at the edges of its slices.

A name written into the picture survives every cleaning of headers. The look is a heuristic: it warns, it proves
nothing, and text in the middle of the picture or in letters of another brightness is not found.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy import ndimage

from core.arrays import BoolArray, Float32Array
from core.media.volumes import Volume

BORDER = 0.2
"""The outer share of each side that is looked at: overlays stand in the corners and along the edges."""

LEAST_GLYPHS = 4
_GLYPH_PX = (5, 48)
_LOOKED_AT = 9
_BRIGHT = (0.97, 0.5)
_SMALLEST_SIDE = 96


@dataclass(frozen=True)
class BurnedIn:
    """``declared`` what the DICOM tag BurnedInAnnotation says: "YES", "NO" or "" · ``slices`` looked at · ``suspect``
    slices with what looks like a line of text."""

    declared: str
    slices: int
    suspect: int

    @property
    def warning(self) -> str:
        """One sentence for the reader, or "" when neither the tag nor the picture gives reason."""
        if self.declared == "YES":
            return "The file says that text is burned into its pictures: it may hold a name. Look before you show it."
        if self.suspect:
            return (
                f"{self.suspect} of {self.slices} slices looked at have what looks like a line of text near the edge:"
                " it may hold a name. Look before you show it."
            )
        return ""


def look_for_text(volume: Volume, declared: str = "") -> BurnedIn:
    """Look at nine slices, evenly spread, along the third axis of the array, as a DICOM series is stored.

    A slice is suspect when :func:`has_text_line` finds a line in it, upright or turned by a quarter.
    """
    depth = volume.array.shape[2]
    chosen = np.unique(np.linspace(0, depth - 1, min(depth, _LOOKED_AT)).round().astype(int))
    images = [volume.array[:, :, k] for k in chosen]
    suspect = sum(has_text_line(image) or has_text_line(image.T) for image in images)
    return BurnedIn(declared, len(chosen), int(suspect))


def has_text_line(image: Float32Array) -> bool:
    """Whether the border of a (rows, columns) picture holds a row of at least four glyph-like marks.

    A glyph-like mark is a connected group of pixels far brighter than the band it stands in (its brightest value, for
    letters with hard edges, or above half of the way to it, for softened ones), 5 to 48 pixels high, no wider than
    one and a half times its height, that does not fill its box. Marks of like height on one line, close together, are
    a line of text. Anatomy fails on the number, likeness and closeness of the marks, noise on their size.
    """
    rows, columns = image.shape
    if min(rows, columns) < _SMALLEST_SIDE:
        return False
    tall, wide = round(rows * BORDER), round(columns * BORDER)
    low, high = float(image.min()), float(image.max())
    if high <= low:
        return False
    bands = (image[:tall], image[-tall:], image[:, :wide], image[:, -wide:])
    return any(_line_of_glyphs(_glyphs(band, high - low, share)) for band in bands for share in _BRIGHT)


def _glyphs(band: Float32Array, spread: float, share: float) -> list[tuple[float, float, float, float]]:
    """(middle row, height, first column, last column) of the marks in a band."""
    top, middle = float(band.max()), float(np.median(band))
    if top - middle < 0.4 * spread:
        return []
    flat: BoolArray = band >= middle + share * (top - middle)
    labels, count = ndimage.label(flat, np.ones((3, 3)))
    found = []
    for number, box in enumerate(ndimage.find_objects(labels, count), start=1):
        height, width = (s.stop - s.start for s in box)
        if not _GLYPH_PX[0] <= height <= _GLYPH_PX[1] or width > 1.5 * height:
            continue
        filled = float((labels[box] == number).mean())
        if width > 2 and filled > 0.9:  # a bar or a block is no letter; a thin stroke (I, 1) is
            continue
        found.append(((box[0].start + box[0].stop) / 2, height, box[1].start, box[1].stop))
    return found


def _line_of_glyphs(glyphs: list[tuple[float, float, float, float]]) -> bool:
    for middle, height, _, _ in glyphs:
        line = sorted(
            (g for g in glyphs if abs(g[0] - middle) <= 0.35 * height and 0.6 <= g[1] / height <= 1.67),
            key=lambda g: g[2],
        )
        run = 1
        for one, after in pairwise(line):
            run = run + 1 if after[2] - one[3] <= 1.5 * height else 1
            if run >= LEAST_GLYPHS:
                return True
    return False
