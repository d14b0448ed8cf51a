"""Paints a planned slide, strip by strip.

Every pixel depends on its own place alone (seamless textures, maps of the plan), so a strip needs no neighbour and a
slide of any size needs the memory of one strip.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from core.arrays import BoolArray, Float32Array, IntArray
from core.media.synthetic.slide_plan import CELL, SlidePlan
from core.media.synthetic.tissue_atlas import SIZE, Tissue, TissueAtlas
from core.media.synthetic.vessels import Stamp, VesselStamps

_USUAL_SIDE = 2688
_PEN = np.array([0.16, 0.26, 0.66])

RGB = NDArray[np.uint8]


class SlidePainter:
    """One slide. ``rng`` chooses where the textures are cut and which vessels lie where, once, before painting."""

    def __init__(
        self,
        plan: SlidePlan,
        atlas: TissueAtlas,
        vessels: VesselStamps,
        table: RGB,
        rng: np.random.Generator,
        pen_mark: bool = False,
    ) -> None:
        self._plan, self._atlas, self._table = plan, atlas, table
        self._cuts = rng.integers(0, SIZE, (len(Tissue) + 3, 2))
        self._stamps = _placed(plan, vessels, rng)
        # maps that span the whole slide are flatter on a larger one: their edges stay equally ragged in µm
        self._steepness = min(1.0, _USUAL_SIDE / min(plan.width, plan.height))
        self._pen = _pen_line(plan, rng) if pen_mark else None

    def strip(self, top: int, rows: int) -> RGB:
        """(rows, width, 3) pixels from row ``top`` on; both even."""
        kinds = self._kinds(top, rows)
        stains = np.zeros((rows, self._plan.width), dtype=np.uint16)
        for tissue in Tissue:
            here = kinds == tissue
            if tissue is not Tissue.GLASS and here.any():
                np.copyto(stains, self._cut(self._atlas.tissues[tissue], tissue, top, rows), where=here)
        self._add_fat(stains, kinds, top, rows)
        self._add_lymphocytes(stains, kinds, top, rows)
        self._add_stamps(stains, kinds, top)
        pixels = np.take(self._table, stains, axis=0)
        if self._pen is not None:
            _draw_pen(pixels, self._pen, top)
        return pixels

    def _kinds(self, top: int, rows: int) -> NDArray[np.uint8]:
        """Which tissue each pixel belongs to, decided for 2 × 2 px together."""
        plan = self._plan
        ragged = self._cut(self._atlas.ragged, len(Tissue), top // 2, rows // 2, plan.width // 2).astype(np.float32)
        tissue = self._map(plan.tissue, top, rows) + 0.006 * self._steepness * ragged
        risk = self._map(plan.risk, top, rows) + 0.008 * self._steepness * ragged
        scar = np.maximum(
            self._map(plan.septa, top, rows) + 0.010 * ragged, self._map(plan.portal, top, rows) + 0.04 * ragged
        )
        grade = np.clip(self._map(plan.atypia, top, rows) + 0.08 * ragged, 0, 2.999).astype(np.uint8)
        clear = self._map(plan.clear, top, rows) + 0.04 * ragged
        kinds = np.where(clear > 0, np.uint8(Tissue.CLEAR), np.uint8(Tissue.TRABECULAR))
        np.copyto(kinds, grade + np.uint8(Tissue.ATYPIA_1), where=risk > 0)
        kinds[scar > 0] = Tissue.STROMA
        kinds[tissue <= 0] = Tissue.GLASS
        return np.asarray(kinds.repeat(2, axis=0).repeat(2, axis=1))

    def _map(self, field: Float32Array, top: int, rows: int, step: int = 2) -> Float32Array:
        """A map of the plan at one value per ``step`` px, interpolated across the edges of strips."""
        box = (0, top / CELL, self._plan.width / CELL, (top + rows) / CELL)
        size = (self._plan.width // step, rows // step)
        picture = Image.fromarray(field).resize(size, Image.Resampling.BILINEAR, box=box)
        return np.asarray(picture, dtype=np.float32)

    def _cut(self, texture: NDArray[Any], which: int, top: int, rows: int, width: int | None = None) -> NDArray[Any]:
        """A window of a seamless texture at this slide's own offset."""
        row = (np.arange(top, top + rows) + self._cuts[which, 0]) % SIZE
        column = (np.arange(width or self._plan.width) + self._cuts[which, 1]) % SIZE
        return np.asarray(np.take(np.take(texture, row, axis=0), column, axis=1))

    def _add_fat(self, stains: NDArray[np.uint16], kinds: NDArray[np.uint8], top: int, rows: int) -> None:
        if float(self._plan.fat.max()) < 1:
            return
        density = self._map(self._plan.fat, top, rows, 1).astype(np.uint8)
        ranks = self._cut(self._atlas.fat, len(Tissue) + 1, top, rows)
        stains[(ranks > 0) & (ranks <= density) & (kinds <= Tissue.CLEAR)] = 0

    def _add_lymphocytes(self, stains: NDArray[np.uint16], kinds: NDArray[np.uint8], top: int, rows: int) -> None:
        density = self._map(self._plan.lymphocytes, top, rows, 1).astype(np.uint8)
        cells = self._cut(self._atlas.lymphocytes, len(Tissue) + 2, top, rows)
        shown = (cells[..., 1] > 0) & (cells[..., 1] <= density) & (kinds != Tissue.GLASS)
        dark = np.maximum(stains[shown] >> 8, cells[..., 0][shown])
        stains[shown] = (dark << 8) | ((stains[shown] & 255) * 5 // 8)

    def _add_stamps(self, stains: NDArray[np.uint16], kinds: NDArray[np.uint8], top: int) -> None:
        rows, columns = stains.shape
        for row, column, stamp in self._stamps:
            side = len(stamp.stains)
            first, left = row - top, column
            r0, r1 = max(first, 0), min(first + side, rows)
            c0, c1 = max(left, 0), min(left + side, columns)
            if r0 >= r1 or c0 >= c1:
                continue
            part = (slice(r0 - first, r1 - first), slice(c0 - left, c1 - left))
            cover: BoolArray = stamp.cover[part] & (kinds[r0:r1, c0:c1] != Tissue.GLASS)
            np.copyto(stains[r0:r1, c0:c1], stamp.stains[part], where=cover)


def _placed(plan: SlidePlan, vessels: VesselStamps, rng: np.random.Generator) -> list[tuple[int, int, Stamp]]:
    """Row, column (top left, px) and picture of every vessel: a triad in each portal tract, and central veins."""
    placed = []
    for centre in plan.portal_centres:
        start = rng.uniform(0, 6.3)
        for k, (kind, away) in enumerate(((vessels.veins, 30), (vessels.arteries, 70), (vessels.ducts, 62))):
            angle = start + 2.1 * k + 0.3 * rng.standard_normal()
            placed.append(_at(centre + away * np.array([np.sin(angle), np.cos(angle)]), kind, rng))
    placed += [_at(centre, vessels.veins, rng) for centre in plan.vein_centres]
    return placed


def _at(centre: NDArray[np.floating], kind: tuple[Stamp, ...], rng: np.random.Generator) -> tuple[int, int, Stamp]:
    stamp, turns = kind[int(rng.integers(len(kind)))], int(rng.integers(4))
    turned = Stamp(np.rot90(stamp.stains, turns), np.rot90(stamp.cover, turns))
    half = len(stamp.stains) // 2
    return int(centre[0]) - half, int(centre[1]) - half, turned


def _pen_line(plan: SlidePlan, rng: np.random.Generator) -> IntArray:
    """Points (column, row) of a felt-pen stroke along a side of the tissue, in px."""
    t = np.linspace(0, 1, 24)
    start, end = rng.uniform(0.04, 0.20, 2), rng.uniform(0.75, 0.95)
    x = plan.width * (start[0] + 0.03 * np.sin(5 * t + rng.uniform(0, 6)))
    y = plan.height * (start[1] + (end - start[1]) * t)
    return np.asarray(np.stack([x, y], axis=1), dtype=np.int64)


def _draw_pen(pixels: RGB, line: IntArray, top: int) -> None:
    """A translucent blue stroke of 45 µm over the glass."""
    rows, width = pixels.shape[:2]
    canvas = Image.new("L", (width // 4, rows // 4))
    points = [(int(x) // 4, (int(y) - top) // 4) for x, y in line]
    ImageDraw.Draw(canvas).line(points, fill=255, width=23, joint="curve")
    inked = np.asarray(canvas).repeat(4, axis=0).repeat(4, axis=1)[:, :, None] > 0
    np.copyto(pixels, (pixels * (0.25 + 0.75 * _PEN)).astype(np.uint8), where=inked)
