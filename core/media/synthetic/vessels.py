"""Vessels and bile ducts: small pictures laid over a slide."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from core.arrays import BoolArray, Float32Array
from core.media.synthetic.nuclei import NucleusKind, nucleus_bank
from core.media.synthetic.stain import pack

_LINING = NucleusKind(4.2, 0.1, 1.8, 0.04, 0.82, 0.06, 0.0)
_DUCT = NucleusKind(5.2, 0.08, 1.2, 0.04, 0.80, 0.08, 0.0)


@dataclass(frozen=True, eq=False)
class Stamp:
    """A square picture in packed stains and where it covers what lies below."""

    stains: NDArray[np.uint16]
    cover: BoolArray


@dataclass(frozen=True)
class VesselStamps:
    """Pictures to choose from: veins with and without blood, arteries, bile ducts."""

    veins: tuple[Stamp, ...]
    arteries: tuple[Stamp, ...]
    ducts: tuple[Stamp, ...]


def make_vessels(seed: int) -> VesselStamps:
    """All stamps, from one seed."""
    rng = np.random.default_rng([seed, 91])
    veins = tuple(_vessel(rng.uniform(26, 70), 5.0, 0, rng, blood=i % 2 == 0) for i in range(12))
    arteries = tuple(_vessel(rng.uniform(9, 14), 10.0, 0, rng, blood=i % 3 == 0) for i in range(6))
    ducts = tuple(_vessel(rng.uniform(12, 22), 11.0, 1, rng, blood=False) for _ in range(8))
    return VesselStamps(veins, arteries, ducts)


def _vessel(lumen: float, wall: float, duct: int, rng: np.random.Generator, blood: bool) -> Stamp:
    """A lumen (radius in px) in a wall; a duct's wall is a ring of cuboidal cells."""
    stretch = rng.uniform(1.0, 1.15 if duct else 1.5)
    half = int((lumen * stretch + wall) * 1.25) + 12
    y, x = np.mgrid[-half : half + 1, -half : half + 1].astype(np.float32)
    turn = rng.uniform(0, np.pi)
    u = (x * np.cos(turn) + y * np.sin(turn)) / stretch
    v = y * np.cos(turn) - x * np.sin(turn)
    angle = np.arctan2(v, u)
    wobble = 1 + sum(0.05 * rng.standard_normal() * np.cos(k * angle + rng.uniform(0, 6.3)) for k in (2, 3, 5))
    distance = np.hypot(u, v) / wobble
    inner, outer = np.clip(lumen - distance + 0.5, 0, 1), distance < lumen + wall
    fine = gaussian_filter(rng.standard_normal(x.shape).astype(np.float32), 1.0)
    eosin = (0.62 - 0.25 * duct) * (1 - inner) + 0.10 * fine * (1 - inner)
    haematoxylin = (0.08 + 0.08 * duct) * (1 - inner)
    nuclei = np.zeros_like(x)
    _ring(nuclei, lumen + (0.55 if duct else 0.4) * wall, stretch, turn, _DUCT if duct else _LINING, rng)
    if blood:
        eosin, haematoxylin = _red_cells(eosin, haematoxylin, inner, rng)
    h = np.maximum(haematoxylin, np.where(outer, nuclei, 0))
    return Stamp(pack(np.asarray(h, dtype=np.float32), np.asarray(eosin, dtype=np.float32)), outer)


def _ring(
    canvas: Float32Array, radius: float, stretch: float, turn: float, kind: NucleusKind, rng: np.random.Generator
) -> None:
    """Nuclei along an ellipse; ducts (round nuclei) are lined densely."""
    dense = kind.elongation < 1.5
    count = int(2 * np.pi * radius / (13 if dense else 34))
    bank, centre = nucleus_bank(kind, rng)[:40], len(canvas) // 2
    for angle in np.linspace(0, 2 * np.pi, max(count, 4), endpoint=False) + rng.uniform(0, 1):
        u, v = radius * stretch * np.cos(angle), radius * np.sin(angle)
        row = int(centre + u * np.sin(turn) + v * np.cos(turn))
        column = int(centre + u * np.cos(turn) - v * np.sin(turn))
        picture = bank[int(rng.integers(len(bank)))]
        half = len(picture) // 2
        if half <= row < len(canvas) - half and half <= column < len(canvas) - half:
            spot = canvas[row - half : row + half + 1, column - half : column + half + 1]
            np.maximum(spot, picture, out=spot)


def _red_cells(
    eosin: Float32Array, haematoxylin: Float32Array, inner: Float32Array, rng: np.random.Generator
) -> tuple[Float32Array, Float32Array]:
    """Erythrocytes: bright discs of 7 µm, crowded in part of the lumen."""
    eosin, haematoxylin = eosin.copy(), haematoxylin.copy()
    spots = np.argwhere(inner > 0.9)
    y, x = np.mgrid[-6:7, -6:7]
    disc = x**2 + y**2 <= 36
    for row, column in spots[rng.random(len(spots)) < 0.005]:
        if 6 <= row < len(eosin) - 6 and 6 <= column < len(eosin) - 6:
            window = (slice(row - 6, row + 7), slice(column - 6, column + 7))
            inside = disc & (inner[window] > 0.9)
            eosin[window][inside] = 0.78 - 0.012 * (x**2 + y**2 < 9)[inside]
            haematoxylin[window][inside] = 0.02
    return eosin, haematoxylin
