"""Colour, texture and nuclei of slide patches as numbers a person can name."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from core.arrays import BoolArray, Float32Array, FloatArray
from core.features import nuclei
from core.features.stains import optical_density, separate_planes
from core.media.tissue import otsu

TISSUE_DENSITY = 0.3
"""Summed optical density above which a pixel is tissue and not glass."""
THRESHOLD_BOUNDS = (0.25, 0.7)

_LEVELS = 8  # grey levels of the co-occurrence matrices
_STEP = 2  # px between the two pixels of a pair
_BINS, _TOP = 75, 1.5  # histogram of stain amounts
_BLOCKS = (4, 16)  # blocks a side for the variation of larger parts
_STAINS = ("haematoxylin", "eosin", "rest")
_STATISTICS = ("mean", "sd", "p10", "p50", "p90")
_PAIRS = ("contrast", "homogeneity", "energy", "correlation", "entropy")

NAMES = (
    "tissue share",
    *(f"{s} {t}" for s in _STAINS for t in _STATISTICS),
    *("red mean", "green mean", "blue mean", "saturation mean", "saturation sd", "haematoxylin share"),
    *(f"{s} edges {t}" for s in _STAINS[:2] for t in ("mean", "sd")),
    *(f"binary pattern {i}" for i in range(10)),
    *(f"{s} {p}" for s in _STAINS[:2] for p in _PAIRS),
    *(f"{s} variation in {b * b} blocks" for s in _STAINS[:2] for b in _BLOCKS),
    *nuclei.NAMES,
)


def nuclear_threshold(patches: NDArray[np.uint8]) -> float:
    """The amount of haematoxylin that tells nuclei from the rest in these patches (k, s, s, 3): Otsu's, in bounds."""
    density = optical_density(np.ascontiguousarray(np.moveaxis(patches, -1, 0)))
    amounts = separate_planes(density)[0][density.sum(axis=0) > TISSUE_DENSITY]
    if not len(amounts):
        return THRESHOLD_BOUNDS[0]
    return float(np.clip(otsu(np.clip(amounts, 0, _TOP)), *THRESHOLD_BOUNDS))


def patch_features(patches: NDArray[np.uint8], um_per_px: float, threshold: float) -> Float32Array:
    """(k, s, s, 3) RGB patches → (k, len(NAMES)) float32, computed on the tissue pixels of each patch."""
    planes = np.ascontiguousarray(np.moveaxis(patches, -1, 0))  # channel by channel: several times faster than RGBRGB
    density = optical_density(planes)
    tissue = density[0] + density[1] + density[2] > TISSUE_DENSITY
    stain, eosin, rest = separate_planes(density)
    count = tissue.sum(axis=(1, 2))
    spots = nuclei.find_nuclei(np.where(tissue, stain, 0), threshold, um_per_px)
    parts = [
        count[:, None] / tissue[0].size,
        *(_distribution(amounts, tissue) for amounts in (stain, eosin, rest)),
        _colours(planes, tissue, stain, eosin),
        _edges(stain, tissue),
        _edges(eosin, tissue),
        _binary_patterns(planes[1], tissue),
        _co_occurrence(stain, tissue),
        _co_occurrence(eosin, tissue),
        _blocks(stain),
        _blocks(eosin),
        nuclei.describe_nuclei(spots, count, um_per_px),
    ]
    return np.concatenate(parts, axis=1).astype(np.float32)


def _masked(values: Float32Array, mask: BoolArray) -> tuple[FloatArray, FloatArray]:
    """Mean and standard deviation of (k, …) within the mask."""
    k = len(values)
    count = np.maximum(np.count_nonzero(mask.reshape(k, -1), axis=1), 1)
    inside = (values * mask).reshape(k, -1)
    mean = inside.sum(axis=1).astype(np.float64) / count
    square = np.einsum("ki,ki->k", inside, inside) / count
    return mean, np.sqrt(np.maximum(square - mean**2, 0))


def _histogram(codes: NDArray[np.uint8], mask: BoolArray, levels: int) -> FloatArray:
    """(k, levels) counts of each patch's codes within the mask."""
    k = len(codes)
    offset = (np.arange(k, dtype=np.int16) * levels).reshape(k, *[1] * (codes.ndim - 1))
    counts = np.bincount((codes + offset)[mask], minlength=k * levels)
    return counts.reshape(k, levels).astype(float)


def _distribution(values: Float32Array, tissue: BoolArray) -> FloatArray:
    """(k, 5) mean, sd and three percentiles (to a fiftieth of a unit)."""
    mean, sd = _masked(values, tissue)
    lowest = -_TOP / 3
    codes = np.clip((values - lowest) * (_BINS / (_TOP - lowest)), 0, _BINS - 1).astype(np.uint8)
    cumulated = _histogram(codes, tissue, _BINS).cumsum(axis=1)
    total = np.maximum(cumulated[:, -1:], 1)
    places = [(cumulated >= share * total).argmax(axis=1) for share in (0.1, 0.5, 0.9)]
    levels = [lowest + (p + 0.5) * (_TOP - lowest) / _BINS for p in places]
    return np.stack([mean, sd, *levels], axis=1)


def _colours(
    planes: NDArray[np.uint8], tissue: BoolArray, haematoxylin: Float32Array, eosin: Float32Array
) -> FloatArray:
    """(k, 6) mean colour, saturation, and haematoxylin's part of both stains."""
    count = np.maximum(tissue.sum(axis=(1, 2)), 1)
    means = [(plane * tissue).sum(axis=(1, 2), dtype=np.int64) / count / 255 for plane in planes]
    red, green, blue = planes
    high, low = np.maximum(np.maximum(red, green), blue), np.minimum(np.minimum(red, green), blue)
    saturation = _masked((high - low) / np.maximum(high, 1).astype(np.float32), tissue)
    stain, pink = (np.maximum(_masked(v, tissue)[0], 0) for v in (haematoxylin, eosin))
    return np.stack([*means, *saturation, stain / np.maximum(stain + pink, 1e-6)], axis=1)


def _edges(values: Float32Array, tissue: BoolArray) -> FloatArray:
    """(k, 2) mean and sd of the gradient's length (central differences)."""
    down = values[:, 2:, 1:-1] - values[:, :-2, 1:-1]
    across = values[:, 1:-1, 2:] - values[:, 1:-1, :-2]
    return np.stack(_masked(np.hypot(down, across) / 2, tissue[:, 1:-1, 1:-1]), axis=1)


def _pattern_table() -> NDArray[np.uint8]:
    """Code of 8 neighbours → rotation-invariant uniform pattern 0 … 8, or 9 (Ojala et al., 2002)."""
    table = np.full(256, 9, dtype=np.uint8)
    for code in range(256):
        bits = [(code >> i) & 1 for i in range(8)]
        if sum(a != b for a, b in pairwise([*bits, bits[0]])) <= 2:
            table[code] = sum(bits)
    return table


_PATTERNS = _pattern_table()
_RING = ((-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1))


def _binary_patterns(green: NDArray[np.uint8], tissue: BoolArray) -> FloatArray:
    """(k, 10) shares of the local binary patterns of the green channel, which both stains darken."""
    side = green.shape[1]
    centre = green[:, 1:-1, 1:-1]
    code = np.zeros(centre.shape, dtype=np.uint8)
    for bit, (dy, dx) in enumerate(_RING):
        neighbour = green[:, 1 + dy : side - 1 + dy, 1 + dx : side - 1 + dx]
        code |= (neighbour >= centre).view(np.uint8) << np.uint8(bit)
    counts = _histogram(_PATTERNS[code], tissue[:, 1:-1, 1:-1], 10)
    return np.asarray(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1))


def _co_occurrence(values: Float32Array, tissue: BoolArray) -> FloatArray:
    """(k, 5) Haralick's measures of pairs of pixels side by side and one above the other (Haralick et al., 1973)."""
    codes = np.clip(values * (_LEVELS / 1.2), 0, _LEVELS - 1).astype(np.uint8)
    counts = np.zeros((len(values), _LEVELS**2))
    whole = slice(None)
    for first, second in (
        ((whole, whole, slice(None, -_STEP)), (whole, whole, slice(_STEP, None))),
        ((whole, slice(None, -_STEP), whole), (whole, slice(_STEP, None), whole)),
    ):
        counts += _histogram(codes[first] * np.uint8(_LEVELS) + codes[second], tissue[first] & tissue[second], 64)
    matrix = counts.reshape(-1, _LEVELS, _LEVELS)
    matrix = matrix + matrix.swapaxes(1, 2)
    p = matrix / np.maximum(matrix.sum(axis=(1, 2), keepdims=True), 1)
    i, j = np.mgrid[:_LEVELS, :_LEVELS].astype(float)
    mean = (p * i).sum(axis=(1, 2))
    variance = (p * (i - mean[:, None, None]) ** 2).sum(axis=(1, 2))
    covariance = (p * (i - mean[:, None, None]) * (j - mean[:, None, None])).sum(axis=(1, 2))
    measures = [
        (p * (i - j) ** 2).sum(axis=(1, 2)),
        (p / (1 + (i - j) ** 2)).sum(axis=(1, 2)),
        (p**2).sum(axis=(1, 2)),
        covariance / np.maximum(variance, 1e-6),
        -(p * np.log(np.where(p > 0, p, 1))).sum(axis=(1, 2)),
    ]
    return np.stack(measures, axis=1)


def _blocks(values: Float32Array) -> FloatArray:
    """(k, 2) sd between the means of 4 × 4 and of 16 × 16 blocks: how a patch varies at a larger scale."""
    parts = []
    for blocks in _BLOCKS:
        size = values.shape[1] // blocks
        cut = values[:, : size * blocks, : size * blocks]
        means = cut.reshape(len(values), blocks, size, blocks, size).mean(axis=(2, 4))
        parts.append(means.std(axis=(1, 2)))
    return np.stack(parts, axis=1)
