"""The anatomy of one generated patient on a voxel grid: organs, vessels, liver, tumours.

Coordinates in mm from the centre, x towards the patient's right, y to the front, z to the head.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, gaussian_filter

from core.arrays import BoolArray, Float32Array, FloatArray
from core.media.synthetic.noise import smooth

Point = tuple[float, float, float]
_SIZES = ((96, 80, 64), (88, 72, 64), (96, 88, 68), (92, 76, 72))
_MOST_TUMOURS = 6
_LARGEST_MM = 120.0


class Part(IntEnum):
    """Labels of the anatomy; also the row of a part in the table of signals."""

    AIR = 0
    MUSCLE = 1
    FAT = 2
    BONE = 3
    AORTA = 4
    KIDNEY = 5
    STOMACH = 6
    SPLEEN = 7
    LIVER = 8
    VEIN = 9
    TUMOUR = 10
    CAPSULE = 11
    NECROSIS = 12


@dataclass(frozen=True, eq=False)
class Abdomen:
    """``parts`` (x, y, z) uint8 labels · ``spacing`` mm · masks ``liver`` (tumours included) and ``tumour``."""

    parts: NDArray[np.uint8]
    spacing: Point
    liver: BoolArray
    tumour: BoolArray


def make_abdomen(finding: Mapping[str, Any], rng: np.random.Generator) -> Abdomen:
    """Build the anatomy that shows the amounts of ``finding`` (a row of ``SampleTruth.findings``)."""
    size = _SIZES[int(rng.integers(len(_SIZES)))]
    spacing = (*(2 * (round(float(rng.uniform(3.55, 3.85)), 2),)), round(float(rng.uniform(3.4, 4.4)), 1))
    x, y, z = np.meshgrid(
        *(((np.arange(n) - (n - 1) / 2) * s).astype(np.float32) for n, s in zip(size, spacing, strict=True)),
        indexing="ij",
        sparse=True,
    )
    grid = (x, y, z)
    parts = np.zeros(size, dtype=np.uint8)
    body = _ellipsoid(grid, (0, 0, 0), (158, 108, 1e4))
    parts[body > 0] = Part.FAT
    parts[body > 0.20] = Part.MUSCLE
    cavity = _ellipsoid(grid, (0, 12, 0), (126, 80, 1e4)) > 0
    parts[cavity] = Part.FAT
    parts[_ellipsoid(grid, (0, -62, 0), (22, 20, 1e4)) > 0] = Part.BONE
    parts[_ellipsoid(grid, (-8, -32, 0), (10, 10, 1e4)) > 0] = Part.AORTA
    for side in (1, -1):
        parts[_ellipsoid(grid, (58 * side, -48, -75), (24, 20, 48)) > 0] = Part.KIDNEY
    parts[_ellipsoid(grid, (-62, 32, 35), (38, 30, 42)) > 0] = Part.STOMACH
    grown = float(finding["spleen"])
    parts[_ellipsoid(grid, (-92, -28, 28), (21 + 9 * grown, 26 + 12 * grown, 36 + 32 * grown)) > 0] = Part.SPLEEN
    liver = _liver(grid, size, float(finding["nodularity"]), rng) & (body > 0.16)
    parts[liver] = Part.LIVER
    parts[_veins(size, spacing, rng) & liver] = Part.VEIN
    tumour = _add_tumours(parts, liver, grid, spacing, finding, rng)
    return Abdomen(parts, spacing, liver, tumour)


def _ellipsoid(grid: tuple[Float32Array, ...], centre: Point, radii: Point) -> Float32Array:
    """1 at the centre, 0 on the surface, negative outside."""
    squares = [((g - c) / r) ** 2 for g, c, r in zip(grid, centre, radii, strict=True)]
    return np.asarray(1 - np.sqrt(squares[0] + squares[1] + squares[2]), dtype=np.float32)


def _liver(
    grid: tuple[Float32Array, ...], size: tuple[int, int, int], nodularity: float, rng: np.random.Generator
) -> BoolArray:
    """Right and left lobe; with ``nodularity`` the surface turns bumpy and the right lobe shrinks."""
    scale = rng.normal(1.0, 0.05)
    right = _ellipsoid(
        grid, (62, 4, 8), (66 * scale * (1 - 0.10 * nodularity), 68 * scale, 84 * scale * (1 - 0.08 * nodularity))
    )
    left = _ellipsoid(grid, (-8, 38, 34), (70 * scale, 34 * scale, (40 + 8 * nodularity) * scale))
    bumps = 0.02 * smooth(size, 5, rng) + 0.055 * nodularity * smooth(size, 1.6, rng)
    return np.asarray(np.maximum(right, left * 0.8) + bumps > 0)


def _veins(size: tuple[int, int, int], spacing: Point, rng: np.random.Generator) -> BoolArray:
    """The portal vein from the hilum and its branches, as tubes."""
    lines: list[FloatArray] = []
    trunk = np.array([[10.0, -8.0, -18.0], [34.0, 0.0, 0.0]])
    lines.append(np.linspace(trunk[0], trunk[1], 24))
    for _ in range(7):
        direction = rng.standard_normal(3) * (1.0, 0.8, 1.0) + (0.35, 0.1, 0.1)
        end = trunk[1] + 58 * direction / np.linalg.norm(direction)
        bend = 7 * np.sin(np.linspace(0, 3.1, 40))[:, None] * rng.standard_normal(3)
        lines.append(np.linspace(trunk[1], end, 40) + bend)
    points = np.concatenate(lines) / spacing + (np.array(size) - 1) / 2
    cells = np.clip(np.round(points).astype(int), 0, np.array(size) - 1)
    canvas = np.zeros(size, dtype=np.float32)
    canvas[tuple(cells.T)] = 1
    return np.asarray(gaussian_filter(canvas, 0.7) > 0.12)


def _add_tumours(
    parts: NDArray[np.uint8],
    liver: BoolArray,
    grid: tuple[Float32Array, ...],
    spacing: Point,
    finding: Mapping[str, Any],
    rng: np.random.Generator,
) -> BoolArray:
    """Write tumours, their capsule and necrosis into ``parts``; returns the tumour mask, inside the liver."""
    diameters = _diameters(float(finding["tumour_size"]) * 10, int(finding["tumour_number"]), rng)
    depth = distance_transform_edt(liver, sampling=spacing)
    tumour = np.zeros(parts.shape, dtype=bool)
    uneven = smooth(parts.shape, 2.5, rng)
    for diameter in diameters:
        radius = diameter / 2
        allowed = np.flatnonzero((depth >= min(0.7 * radius, 0.85 * float(depth.max()))) & ~tumour)
        if not len(allowed):
            continue
        place = np.unravel_index(allowed[int(rng.integers(len(allowed)))], parts.shape)
        centre = tuple(float(g.ravel()[i]) for g, i in zip(grid, place, strict=True))
        shape = radius * np.exp(0.10 * rng.standard_normal(3))
        field = _ellipsoid(grid, (centre[0], centre[1], centre[2]), (shape[0], shape[1], shape[2])) + 0.07 * uneven
        inside = (field > 0) & liver
        inside[place] = True
        rim = inside & (field < min(4.0 / radius, 0.5))
        parts[inside] = Part.TUMOUR
        parts[rim] = Part.CAPSULE
        if diameter > 45:
            parts[inside & (field + 0.12 * uneven > 0.62)] = Part.NECROSIS
        tumour |= inside
    return tumour


def _diameters(largest: float, number: int, rng: np.random.Generator) -> list[float]:
    """Diameters in mm, the largest first; at most six tumours are drawn."""
    first = min(max(largest, 8.0), _LARGEST_MM)
    others = first * rng.uniform(0.25, 0.65, max(min(number, _MOST_TUMOURS) - 1, 0))
    return [first, *(max(float(d), 8.0) for d in others)]
