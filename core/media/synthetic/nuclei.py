"""Cell nuclei: small pictures of them, and the places where they lie."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from core.arrays import Float32Array, FloatArray, IntArray

_VARIANTS = 160


@dataclass(frozen=True)
class NucleusKind:
    """Nuclei of one kind of cell.

    Parameters
    ----------
    radius : float
        Median radius in px.
    spread : float
        SD of the log radius: pleomorphism.
    elongation : float
        Mean of long ÷ short axis, at least 1.
    irregular : float
        How far the outline leaves an ellipse, as a share of the radius.
    dark : float
        Haematoxylin of the nucleus, 0 to 1.
    clumps : float
        Contrast of the chromatin.
    nucleoli : float
        Share of nuclei with a visible nucleolus.
    """

    radius: float
    spread: float
    elongation: float
    irregular: float
    dark: float
    clumps: float
    nucleoli: float


def nucleus_bank(kind: NucleusKind, rng: np.random.Generator, angles: bool = True) -> list[Float32Array]:
    """Small square pictures (haematoxylin 0 to 1, 0 outside); with ``angles`` in every direction."""
    return [_nucleus(kind, rng, angles) for _ in range(_VARIANTS)]


def _nucleus(kind: NucleusKind, rng: np.random.Generator, angles: bool) -> Float32Array:
    radius = float(np.clip(kind.radius * np.exp(kind.spread * rng.standard_normal()), 3.0, 3 * kind.radius))
    long = 1 + (kind.elongation - 1) * rng.gamma(4.0, 0.25)
    half = int(np.ceil(radius * np.sqrt(long) * (1 + 2 * kind.irregular))) + 2
    y, x = np.mgrid[-half : half + 1, -half : half + 1].astype(np.float32)
    turn = rng.uniform(0, np.pi) if angles else 0.15 * rng.standard_normal()
    u = (x * np.cos(turn) + y * np.sin(turn)) / np.sqrt(long)
    v = (y * np.cos(turn) - x * np.sin(turn)) * np.sqrt(long)
    angle, distance = np.arctan2(v, u), np.hypot(u, v)
    outline = np.full_like(angle, radius)
    for k in (2, 3, 4):
        outline += radius * kind.irregular * rng.standard_normal() / k * np.cos(k * angle + rng.uniform(0, 2 * np.pi))
    inside = np.clip(outline - distance + 0.5, 0, 1)
    rim = np.exp(-((outline - distance - 1) ** 2) / 3)
    chromatin = gaussian_filter(rng.standard_normal(x.shape), 1.2)
    tone = kind.dark * (0.80 + 0.20 * rim) + kind.clumps * chromatin
    if rng.random() < kind.nucleoli:
        spot = radius * 0.35 * rng.standard_normal(2)
        tone += 0.35 * np.exp(-((x - spot[0]) ** 2 + (y - spot[1]) ** 2) / (0.06 * radius**2 + 1))
    return np.asarray(np.clip(tone * np.exp(0.12 * rng.standard_normal()), 0.15, 1) * inside, dtype=np.float32)


def places(size: int, spacing: float, jitter: float, rng: np.random.Generator) -> IntArray:
    """(n, 2) rows and columns on a jittered grid that closes at the edges; ``jitter`` as a share of the spacing."""
    count = round(size / spacing)
    grid: FloatArray = (np.argwhere(np.ones((count, count))).astype(float) + 0.5) * (size / count)
    grid[:, 1] += (np.arange(len(grid)) // count % 2) * spacing / 2
    moved = grid + jitter * spacing * rng.uniform(-1, 1, grid.shape)
    return np.asarray(np.floor(moved), dtype=np.int64) % size


def stamp(canvas: Float32Array, where: IntArray, bank: list[Float32Array], rng: np.random.Generator) -> IntArray:
    """Lay random nuclei of ``bank`` at ``where``, darker wins, around the edges of ``canvas``; returns which ones."""
    size = len(canvas)
    chosen = rng.integers(0, len(bank), len(where))
    for (row, column), which in zip(where, chosen, strict=True):
        picture = bank[which]
        half = len(picture) // 2
        rows = np.arange(row - half, row + half + 1) % size
        columns = np.arange(column - half, column + half + 1) % size
        spot = np.ix_(rows, columns)
        canvas[spot] = np.maximum(canvas[spot], picture)
    return np.asarray(chosen, dtype=np.int64)
