"""The plan of one generated slide: where there is tissue, high-risk tumour, scar, portal tracts, fat and lymphocytes.

All maps are small: one cell is ``CELL`` px of the slide (16 µm). The region map is the planted truth.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.ndimage import gaussian_filter

from core.arrays import BoolArray, Float32Array, FloatArray
from core.media.synthetic.noise import smooth

CELL = 32


@dataclass(frozen=True, eq=False)
class SlidePlan:
    """What is painted where; maps are (rows, columns) of cells.

    Parameters
    ----------
    width, height : int
        Of the slide in px; multiples of ``CELL``.
    tissue, risk : float32 maps
        Positive inside; zero at the edge.
    septa, portal : float32 maps
        Positive in scar and in portal tracts.
    clear : float32 map
        Positive where hepatocytes are pale.
    atypia : float32 map
        0 to 3: which grade of atypical tumour the high-risk region shows.
    lymphocytes, fat : float32 maps
        0 to 255: share of the possible cells and vacuoles.
    portal_centres : (n, 2) float array
        Row and column in px.
    vein_centres : (n, 2) float array
        Central veins, in px.
    region : (rows, columns) bool
        Tissue that is high risk: the truth.
    """

    width: int
    height: int
    tissue: Float32Array
    risk: Float32Array
    septa: Float32Array
    portal: Float32Array
    clear: Float32Array
    atypia: Float32Array
    lymphocytes: Float32Array
    fat: Float32Array
    portal_centres: FloatArray
    vein_centres: FloatArray
    region: BoolArray

    @property
    def high_risk_share(self) -> float:
        """Share of the tissue's area that is high risk."""
        return float(self.region.sum() / max((self.tissue > 0).sum(), 1))


def plan_slide(finding: Mapping[str, Any], rng: np.random.Generator) -> SlidePlan:
    """Lay out a slide that shows the amounts of ``finding`` (a row of ``SampleTruth.findings``)."""
    width, height = int(finding["slide_width"]), int(finding["slide_height"])
    shape = (height // CELL, width // CELL)
    tissue = _outline(shape, rng)
    inside = tissue > 0
    risk = _region(shape, inside, float(finding["high_risk_share"]), rng)
    region = inside & (risk > 0)
    ridge = np.abs(smooth(shape, 8, rng)) + 0.15 * smooth(shape, 1.5, rng)
    septa = 0.01 + 0.20 * float(finding["fibrosis"]) - ridge
    septa = np.where(region, septa - 0.12, septa)
    capsule = 0.015 - np.abs(risk + 0.02) + 0.02 * smooth(shape, 9, rng)  # a broken rim of scar around the tumour
    centres = _scattered(shape, 30, inside & (risk < -0.06), rng)
    portal = _blobs(shape, centres, rng)
    swarm = np.clip(0.5 * smooth(shape, 4, rng) + 0.8, 0, None)
    edge = np.exp(-((risk / 0.10) ** 2))
    immune = float(finding["lymphocytes"])
    everywhere = 0.45 + 0.35 * (risk > -0.05) + 0.6 * edge  # most at the edge of the tumour, some in all tissue
    lymphocytes = 255 * np.clip(immune * swarm * everywhere + 0.06 * (portal > 0), 0, 0.9)
    fat = 255 * float(finding["steatosis"]) * np.clip(0.6 + 0.5 * smooth(shape, 12, rng), 0, 1) * (risk < 0)
    return SlidePlan(
        width,
        height,
        tissue,
        risk,
        _f32(np.maximum(septa, capsule)),
        portal,
        _f32(smooth(shape, 14, rng) - 0.55),
        _f32(np.clip(3 * float(finding["atypia"]) + 0.45 * smooth(shape, 10, rng), 0, 2.999)),
        _f32(gaussian_filter(lymphocytes, 0.7)),
        _f32(fat),
        centres * CELL,
        _scattered(shape, 34, inside & (risk < -0.04) & (portal < -0.5), rng) * CELL,
        region,
    )


def _f32(values: Any) -> Float32Array:
    return np.asarray(values, dtype=np.float32)


def _outline(shape: tuple[int, int], rng: np.random.Generator) -> Float32Array:
    """Tissue on glass: one block of a resection, or two or three strips, with an uneven edge and a few tears."""
    rows, columns = shape
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32)
    v, u = 2 * (y + 0.5) / rows - 1, 2 * (x + 0.5) / columns - 1
    uneven = 0.05 * smooth(shape, min(shape) / 10, rng) + 0.012 * smooth(shape, 2, rng)
    if rng.random() < 0.2 and max(shape) < 200:
        count = int(rng.integers(2, 4))
        bend = 0.10 * np.sin(2.2 * u + rng.uniform(0, 6.3))
        offsets = (np.arange(count) + 0.5) * 2 / count - 1
        strips = [0.62 / count - np.abs(v - o - bend) for o in offsets]
        field = np.minimum(np.max(strips, axis=0), 0.9 - np.abs(u)) + 0.5 * uneven
    else:
        power = rng.uniform(2.2, 5.0)
        reach = rng.uniform(0.82, 0.92, 2)
        field = 1 - (np.abs(u / reach[0]) ** power + np.abs(v / reach[1]) ** power) ** (1 / power) + uneven
    tears = np.abs(smooth(shape, min(shape) / 7, rng)) - 0.012 * (smooth(shape, 3, rng) > 0.4)
    return _f32(np.minimum(field, np.where(tears < 0, -0.01, 1.0)))


def _region(shape: tuple[int, int], inside: BoolArray, share: float, rng: np.random.Generator) -> Float32Array:
    """A field that is positive on ``share`` of the tissue, in a few connected nodules."""
    field = smooth(shape, min(shape) / 9, rng) + 0.06 * smooth(shape, 2, rng)
    threshold = np.quantile(field[inside], 1 - share)
    return _f32((field - threshold) / max(shape[0] / 9, 1) * 4)


def _scattered(shape: tuple[int, int], spacing: float, allowed: BoolArray, rng: np.random.Generator) -> FloatArray:
    """(n, 2) points about ``spacing`` cells apart, where ``allowed``."""
    count = [max(round(s / spacing), 1) for s in shape]
    grid = (np.argwhere(np.ones(count)) + 0.5) * (np.array(shape) / count)
    points = grid + spacing * 0.33 * rng.uniform(-1, 1, grid.shape)
    cells = np.clip(points.astype(int), 0, np.array(shape) - 1)
    return np.asarray(points[allowed[cells[:, 0], cells[:, 1]]], dtype=float)


def _blobs(shape: tuple[int, int], centres: FloatArray, rng: np.random.Generator) -> Float32Array:
    """Positive within portal tracts: about 60 to 110 µm around each centre, three-cornered."""
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float32) + 0.5
    field = np.full(shape, -1.0, dtype=np.float32)
    for row, column in centres:
        radius, turn = rng.uniform(3.5, 6.5), rng.uniform(0, 6.3)
        top, left = max(int(row) - 12, 0), max(int(column) - 12, 0)
        window = (slice(top, int(row) + 13), slice(left, int(column) + 13))
        dy, dx = y[window] - row, x[window] - column
        reach = radius * (1 + 0.35 * np.cos(3 * np.arctan2(dy, dx) + turn))
        field[window] = np.maximum(field[window], 1 - np.hypot(dy, dx) / reach)
    return field
