"""Seamless pictures of the tissues of a liver, made once and cut for every slide."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, gaussian_filter

from core.arrays import Float32Array, IntArray
from core.media.synthetic.noise import seamless
from core.media.synthetic.nuclei import NucleusKind, nucleus_bank, places, stamp
from core.media.synthetic.stain import pack

SIZE = 2048
"""Side of a texture, in px of 0.5 µm."""


class Tissue(IntEnum):
    """Place of a texture in the atlas; ``GLASS`` has none."""

    TRABECULAR = 0
    CLEAR = 1
    STROMA = 2
    ATYPIA_1 = 3
    ATYPIA_2 = 4
    ATYPIA_3 = 5
    GLASS = 6


@dataclass(frozen=True, eq=False)
class TissueAtlas:
    """Textures of ``SIZE`` px a side.

    ``tissues`` (6, SIZE, SIZE) packed stains · ``lymphocytes`` (SIZE, SIZE, 2) uint8: haematoxylin, and the rank at
    which a cell appears (0 nowhere, low: already at low density) · ``fat`` (SIZE, SIZE) uint8 rank of each vacuole ·
    ``ragged`` (SIZE, SIZE) float16 noise for the edges between tissues.
    """

    tissues: NDArray[np.uint16]
    lymphocytes: NDArray[np.uint8]
    fat: NDArray[np.uint8]
    ragged: NDArray[np.float16]


HEPATOCYTE = NucleusKind(7.0, 0.10, 1.05, 0.03, 0.62, 0.10, 0.5)
FIBROBLAST = NucleusKind(4.6, 0.15, 4.2, 0.05, 0.75, 0.05, 0.0)
LYMPHOCYTE = NucleusKind(5.0, 0.08, 1.05, 0.04, 0.92, 0.05, 0.0)
ATYPICAL = (
    NucleusKind(8.2, 0.16, 1.15, 0.07, 0.70, 0.22, 0.6),
    NucleusKind(8.9, 0.23, 1.25, 0.10, 0.76, 0.26, 0.7),
    NucleusKind(9.6, 0.30, 1.30, 0.13, 0.82, 0.30, 0.8),
)
_SPACING = (27.0, 27.0, 27.5)  # px between atypical nuclei


def make_atlas(seed: int) -> TissueAtlas:
    """All textures, from one seed."""
    streams = [np.random.default_rng([seed, 90, part]) for part in range(9)]
    tissues = np.stack(
        [
            _hepatocytes(streams[0], clear=False),
            _hepatocytes(streams[1], clear=True),
            _stroma(streams[2]),
            *(_atypical(kind, space, s) for kind, space, s in zip(ATYPICAL, _SPACING, streams[3:6], strict=True)),
        ]
    )
    ragged = seamless(SIZE, 40, streams[8], 0.8).astype(np.float16)
    return TissueAtlas(tissues, _lymphocytes(streams[6]), _fat(streams[7]), ragged)


def _hepatocytes(rng: np.random.Generator, clear: bool) -> NDArray[np.uint16]:
    """Plates of polygonal cells one to two wide, sinusoids between them; ``clear``: pale, glycogen-rich cytoplasm."""
    plates = seamless(SIZE, 112, rng, 0.16) + 0.25 * seamless(SIZE, 38, rng)
    width = 0.20 + 0.07 * seamless(SIZE, 500, rng)  # sinusoids open and close over half a millimetre
    sinusoid = 0.85 * np.clip((width - np.abs(plates)) / 0.08, 0, 1)
    where = places(SIZE, 39, 0.30, rng)
    where = where[np.abs(plates[where[:, 0], where[:, 1]]) > 0.30]
    tone, border = _cells(where, rng)
    grain = seamless(SIZE, 5, rng, 0.6)
    eosin = 0.50 + 0.025 * tone + 0.05 * grain + 0.05 * seamless(SIZE, 260, rng) + 0.07 * border
    haematoxylin = 0.07 + 0.01 * tone + 0.03 * grain
    if clear:
        eosin = 0.30 + 0.03 * tone + 0.09 * seamless(SIZE, 9, rng, 0.7) + 0.18 * border
        haematoxylin *= 0.8
    nuclei = np.zeros((SIZE, SIZE), dtype=np.float32)
    stamp(nuclei, where[rng.random(len(where)) < 0.9], nucleus_bank(HEPATOCYTE, rng), rng)
    lining = places(SIZE, 34, 0.5, rng)  # endothelium and Kupffer cells lie along the sinusoids
    lining = lining[np.abs(np.abs(plates[lining[:, 0], lining[:, 1]]) - 0.22) < 0.06]
    stamp(nuclei, lining, nucleus_bank(NucleusKind(3.6, 0.15, 2.6, 0.05, 0.8, 0.05, 0.0), rng), rng)
    return _packed(haematoxylin, eosin, nuclei, sinusoid)


def _atypical(kind: NucleusKind, spacing: float, rng: np.random.Generator) -> NDArray[np.uint16]:
    """High-risk tumour: crowded, large, uneven, dark nuclei in scant bluish cytoplasm, few clefts, a few mitoses."""
    clefts = seamless(SIZE, 230, rng, 0.3) + 0.3 * seamless(SIZE, 45, rng)
    gap = np.clip((0.035 + 0.05 * seamless(SIZE, 600, rng) - np.abs(clefts)) / 0.03, 0, 1)
    where = places(SIZE, spacing, 0.42, rng)
    where = where[np.abs(clefts[where[:, 0], where[:, 1]]) > 0.07]
    tone, border = _cells(where, rng)
    grain = seamless(SIZE, 6, rng, 0.6)
    eosin = 0.40 + 0.05 * tone + 0.05 * grain + 0.04 * border + 0.04 * seamless(SIZE, 300, rng)
    haematoxylin = 0.17 + 0.03 * tone + 0.04 * grain + 0.03 * seamless(SIZE, 200, rng)
    nuclei = np.zeros((SIZE, SIZE), dtype=np.float32)
    stamp(nuclei, where[rng.random(len(where)) < 0.96], nucleus_bank(kind, rng), rng)
    mitoses = where[rng.random(len(where)) < 0.012]
    stamp(nuclei, mitoses, nucleus_bank(NucleusKind(6.5, 0.2, 2.0, 0.45, 1.0, 0.0, 0.0), rng), rng)
    return _packed(haematoxylin, eosin, nuclei, gap)


def _stroma(rng: np.random.Generator) -> NDArray[np.uint16]:
    """Wavy collagen in bundles with clefts and spindle nuclei along it."""
    row = np.arange(SIZE, dtype=np.float32)[:, None]
    warp = 42 * seamless(SIZE, 640, rng, 0.25) + 4 * seamless(SIZE, 150, rng, 0.25)
    phase = 2 * np.pi * (row + warp)
    fibres = sum(
        np.sin(phase / (SIZE / count) + 1.8 * seamless(SIZE, 190, rng)).astype(np.float32) for count in (70, 140, 300)
    )
    fibres = np.asarray(fibres, dtype=np.float32) / 1.2
    cleft = 0.9 * np.clip((fibres - 1.45 + 0.5 * seamless(SIZE, 240, rng)) / 0.4, 0, 1)
    eosin = 0.52 + 0.10 * fibres + 0.04 * seamless(SIZE, 4, rng, 0.6)
    haematoxylin = 0.05 + 0.015 * fibres
    where = places(SIZE, 62, 0.5, rng)
    where = where[cleft[where[:, 0], where[:, 1]] < 0.3]
    slope = np.gradient(warp, axis=1)[where[:, 0], where[:, 1]] / (
        1 + np.gradient(warp, axis=0)[where[:, 0], where[:, 1]]
    )
    nuclei = np.zeros((SIZE, SIZE), dtype=np.float32)
    flat = np.abs(slope) < 0.35  # where the fibres run across the picture, the spindles do too
    stamp(nuclei, where[flat], nucleus_bank(FIBROBLAST, rng, angles=False), rng)
    stamp(nuclei, where[~flat], nucleus_bank(FIBROBLAST, rng), rng)
    return _packed(haematoxylin, eosin, nuclei, cleft)


def _cells(where: IntArray, rng: np.random.Generator) -> tuple[Float32Array, Float32Array]:
    """Shade of each cell (unit SD) and its border (0 to 1): the Voronoi cells of the nuclei, at half resolution."""
    half, margin = SIZE // 2, 48
    seeds = np.zeros((half, half), dtype=np.int64)
    seeds[where[:, 0] // 2, where[:, 1] // 2] = np.arange(len(where)) + 1
    padded = np.pad(seeds, margin, mode="wrap")
    _, nearest = distance_transform_edt(padded == 0, return_indices=True)
    label = padded[nearest[0], nearest[1]][margin:-margin, margin:-margin]
    tone = rng.standard_normal(len(where) + 1).astype(np.float32)[label]
    border = ((label != np.roll(label, 1, 0)) | (label != np.roll(label, 1, 1))).astype(np.float32)
    twice = np.ones((2, 2), dtype=np.float32)
    return np.kron(tone, twice).astype(np.float32), np.kron(border, twice).astype(np.float32)


def _packed(
    haematoxylin: NDArray[Any], eosin: NDArray[Any], nuclei: Float32Array, gap: NDArray[Any]
) -> NDArray[np.uint16]:
    """Cytoplasm, then gaps, then nuclei over both."""
    inside = np.clip(nuclei * 4, 0, 1)
    h = np.maximum(haematoxylin * (1 - gap), nuclei)
    e = eosin * (1 - gap) * (1 - 0.35 * inside) + 0.2 * gap * inside
    return pack(*(gaussian_filter(np.asarray(x, dtype=np.float32), 0.6, mode="wrap") for x in (h, e)))


def _lymphocytes(rng: np.random.Generator) -> NDArray[np.uint8]:
    where = places(SIZE, 15, 0.35, rng)
    rank = rng.permutation(len(where)) * 254 // len(where) + 1
    dark = np.zeros((SIZE, SIZE), dtype=np.float32)
    ranks = np.zeros((SIZE, SIZE), dtype=np.uint8)
    bank = nucleus_bank(LYMPHOCYTE, rng)
    chosen = stamp(dark, where, bank, rng)
    for (row, column), which, order in zip(where, chosen, rank, strict=True):
        half = len(bank[which]) // 2
        spot = np.ix_(np.arange(row - half, row + half + 1) % SIZE, np.arange(column - half, column + half + 1) % SIZE)
        ranks[spot] = np.where(bank[which] > 0.3, order, ranks[spot])
    return np.stack([np.clip(dark * 255, 0, 255).astype(np.uint8), ranks], axis=-1)


def _fat(rng: np.random.Generator) -> NDArray[np.uint8]:
    """Round vacuoles of 4 to 25 px, each with the rank at which it appears."""
    where = places(SIZE, 46, 0.45, rng)
    rank = rng.permutation(len(where)) * 254 // len(where) + 1
    ranks = np.zeros((SIZE, SIZE), dtype=np.uint8)
    for (row, column), order in zip(where, rank, strict=True):
        radius = float(np.clip(np.exp(rng.normal(2.35, 0.45)), 4, 25))
        half = int(radius) + 1
        y, x = np.mgrid[-half : half + 1, -half : half + 1]
        disc = x**2 + y**2 <= radius**2
        spot = np.ix_(np.arange(row - half, row + half + 1) % SIZE, np.arange(column - half, column + half + 1) % SIZE)
        ranks[spot] = np.where(disc, order, ranks[spot])
    return ranks
