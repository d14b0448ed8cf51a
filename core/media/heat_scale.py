"""How the numbers of a map become colours: raw or by rank, against the slide or the cohort, with or without a sign.

Unsigned layers run from dark blue over green to yellow, signed ones from vermillion (negative: lowers survival) to
blue (positive), as in the figures; luminance is monotone along each, so the order survives any colour blindness and a
grey print. What is near zero lets the tissue shine through.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from core.arrays import FloatArray
from core.results.slide_maps import MapLayer, SlideMaps

RGBA = NDArray[np.uint8]

SEQUENTIAL = ((27, 36, 104), (11, 104, 140), (46, 170, 122), (250, 226, 40))
NEGATIVE = ((250, 196, 148), (213, 94, 0), (150, 55, 0))
POSITIVE = ((168, 208, 236), (0, 114, 178), (0, 70, 125))
FAINTEST, STRONGEST = 0.12, 0.92
"""Opacity at the weak and the strong end; the layer's own opacity multiplies it."""
_STEPS = 101


class Shown(StrEnum):
    """Whether the colour follows the value or its rank."""

    RAW = "raw"
    PERCENTILE = "percentile"


class Over(StrEnum):
    """Against what: the patches of this slide, or those of a sample of the run's patients."""

    SLIDE = "slide"
    COHORT = "cohort"


@dataclass(frozen=True)
class Scale:
    """One way from values to colours.

    ``anchors`` ascending values that stand at equal steps of the palette: the two ends for a raw scale, quantiles for
    one by rank; of \\|value\\| where ``signed``. Values beyond the ends take the colour of the end.
    """

    shown: Shown
    over: Over
    signed: bool
    anchors: tuple[float, ...]

    def place(self, values: FloatArray) -> FloatArray:
        """Where the values lie: 0 … 1, or −1 … 1 where signed; NaN stays NaN."""
        values = np.asarray(values, dtype=np.float64)
        # equal anchors are one value with many ranks: it takes their middle
        known, first = np.unique(np.asarray(self.anchors, dtype=np.float64), return_inverse=True)
        steps = np.linspace(0, 1, len(self.anchors)) if len(self.anchors) > 1 else np.full(1, 0.5)
        middle = np.bincount(first, weights=steps) / np.bincount(first)
        where = np.interp(np.abs(values) if self.signed else values, known, middle)
        return np.asarray(np.where(np.isnan(values), np.nan, np.sign(values) * where if self.signed else where))

    def colours(self, values: FloatArray) -> RGBA:
        """(…, 4) uint8; a NaN is fully transparent."""
        return paint(self.place(values), self.signed)

    @property
    def ends(self) -> tuple[float, float]:
        """The values at the two ends of the palette."""
        return (-self.anchors[-1] if self.signed else self.anchors[0]), self.anchors[-1]


def paint(places: FloatArray, signed: bool) -> RGBA:
    """(…, 4) uint8: the colours of places in 0 … 1, or −1 … 1 where ``signed``."""
    places = np.asarray(places, dtype=np.float64)
    strength = np.nan_to_num(np.abs(places)).clip(0, 1)
    rgba = np.empty((*places.shape, 4), dtype=np.float64)
    if signed:
        rgba[..., :3] = np.where((places < 0)[..., None], _along(NEGATIVE, strength), _along(POSITIVE, strength))
        rgba[..., 3] = 255 * STRONGEST * strength
    else:
        rgba[..., :3] = _along(SEQUENTIAL, strength)
        rgba[..., 3] = 255 * (FAINTEST + (STRONGEST - FAINTEST) * strength)
    rgba[np.isnan(places)] = 0
    return np.asarray(np.rint(rgba), dtype=np.uint8)


def _along(palette: Sequence[tuple[int, int, int]], where: FloatArray) -> FloatArray:
    steps = np.linspace(0, 1, len(palette))
    return np.stack([np.interp(where, steps, [c[i] for c in palette]) for i in range(3)], axis=-1)


def scale_over(values: FloatArray, signed: bool, shown: Shown, over: Over) -> Scale:
    """The scale that the values themselves (or their quantiles) span; NaNs are left out, none left gives 0 to 0."""
    known = np.asarray(values, dtype=np.float64)
    known = known[np.isfinite(known)]
    size = np.abs(known) if signed else known
    if not len(size):
        return Scale(shown, over, signed, (0.0, 0.0))
    if shown is Shown.PERCENTILE:
        anchors = np.quantile(size, np.linspace(0, 1, _STEPS))
        return Scale(shown, over, signed, tuple(float(a) for a in anchors))
    return Scale(shown, over, signed, (min(0.0, float(size.min())), float(size.max())))


def layer_scale(maps: SlideMaps, layer: MapLayer, slide: int, shown: Shown, over: Over) -> Scale:
    """The scale of a layer on one slide; the slide's own where the cohort's was not made (``Scale.over`` tells)."""
    quantiles = maps.cohort_quantiles.get(layer.key, ())
    if over is Over.COHORT and quantiles:
        return scale_over(np.asarray(quantiles), layer.signed, shown, Over.COHORT)
    return scale_over(np.asarray(layer.values[maps.slides == slide], dtype=float), layer.signed, shown, Over.SLIDE)
