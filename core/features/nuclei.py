"""Nuclei as the connected dark spots of the haematoxylin channel, measured for many patches at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from core.arrays import BoolArray, Float32Array, FloatArray, IntArray

SMALLEST_UM2, LARGEST_UM2 = 12.0, 400.0
"""A nucleus covers 12 to 400 µm²; smaller spots are noise, larger ones are touching nuclei that were not parted."""
SMOOTHING_UM = 0.6
NAMES = (
    *("nuclei per mm2", "nuclear area share", "share in clumps", "nuclear area mean", "nuclear area sd"),
    *("nuclear area p90", "nuclear elongation mean", "nuclear elongation sd", "nuclear haematoxylin mean"),
    "nuclear haematoxylin sd",
)


@dataclass(frozen=True, eq=False)
class Nuclei:
    """Every spot of k patches: its ``patch``, ``area`` in µm², ``elongation`` (≥ 1) and mean ``haematoxylin``."""

    patch: IntArray
    area: FloatArray
    elongation: FloatArray
    haematoxylin: FloatArray


def find_nuclei(haematoxylin: Float32Array, threshold: float, um_per_px: float) -> Nuclei:
    """The spots above ``threshold`` in k patches (k, s, s); they never join over the border of a patch."""
    sigma = SMOOTHING_UM / um_per_px
    smooth = ndimage.gaussian_filter(haematoxylin, (0, sigma, sigma), truncate=2.0)
    within_patch = np.zeros((3, 3, 3), dtype=bool)
    within_patch[1, 1], within_patch[1, :, 1] = True, True
    labels, count = ndimage.label(smooth > threshold, within_patch)
    pixels = np.flatnonzero(labels)
    owner = labels.ravel()[pixels] - 1
    patch, row, column = np.unravel_index(pixels, labels.shape)
    n = np.bincount(owner, minlength=count)
    area: FloatArray = n.astype(float) * um_per_px**2

    def mean(values: FloatArray) -> FloatArray:
        return np.asarray(np.bincount(owner, weights=values, minlength=count) / n)

    y, x = row.astype(float), column.astype(float)
    my, mx = mean(y), mean(x)
    y, x = y - my[owner], x - mx[owner]
    vertical, horizontal, oblique = mean(y * y) + 1 / 12, mean(x * x) + 1 / 12, mean(x * y)  # 1/12: a pixel's own
    middle, half = (vertical + horizontal) / 2, np.hypot((vertical - horizontal) / 2, oblique)
    elongation: FloatArray = np.sqrt((middle + half) / (middle - half))
    first = np.zeros(count, dtype=np.int64)
    first[owner[::-1]] = patch[::-1]
    keep = area >= SMALLEST_UM2
    stain = mean(haematoxylin.ravel()[pixels].astype(float))
    return Nuclei(first[keep], area[keep], elongation[keep], stain[keep])


def describe_nuclei(nuclei: Nuclei, tissue_px: IntArray, um_per_px: float) -> FloatArray:
    """(k, 10) numbers of k patches, named by :data:`NAMES`; 0 where a patch has no nucleus."""
    k = len(tissue_px)
    single: BoolArray = nuclei.area <= LARGEST_UM2
    tissue = np.maximum(tissue_px, 1) * um_per_px**2
    covered = np.bincount(nuclei.patch, weights=nuclei.area, minlength=k)
    clumped = np.bincount(nuclei.patch, weights=nuclei.area * ~single, minlength=k)
    # a clump counts as many nuclei as average ones fit in it
    usual = float(np.median(nuclei.area[single])) if single.any() else 60.0
    number = np.bincount(nuclei.patch, weights=np.where(single, 1.0, nuclei.area / usual), minlength=k)
    parts = [number / tissue * 1e6, covered / tissue, clumped / np.maximum(covered, 1e-9)]
    patch = nuclei.patch[single]
    for values in (nuclei.area[single], nuclei.elongation[single], nuclei.haematoxylin[single]):
        mean, sd = _moments(patch, values, k)
        parts += [mean, sd]
        if len(parts) == 5:
            parts.append(_upper(patch, values, k))
    return np.stack(parts, axis=1)


def _moments(patch: IntArray, values: FloatArray, k: int) -> tuple[FloatArray, FloatArray]:
    count = np.maximum(np.bincount(patch, minlength=k), 1)
    mean = np.bincount(patch, weights=values, minlength=k) / count
    square = np.bincount(patch, weights=(values - mean[patch]) ** 2, minlength=k) / count
    return mean, np.sqrt(square)


def _upper(patch: IntArray, values: FloatArray, k: int, share: float = 0.9) -> FloatArray:
    """The value below which ``share`` of each patch's values lie (the nearest one that occurs)."""
    order = np.lexsort((values, patch))
    count = np.bincount(patch, minlength=k)
    start = np.cumsum(count) - count
    place = start + np.minimum((share * count).astype(int), np.maximum(count - 1, 0))
    found = np.zeros(k)
    has = count > 0
    found[has] = values[order][place[has]]
    return found
