"""Numbers of a region of a scan: intensities, texture and shape, each with its unit.

Definitions follow the image biomarker standard (Zwanenburg et al., Radiology 2020) where it has them; lengths in mm,
volumes in ml.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from core.arrays import BoolArray, Float32Array, FloatArray

INTENSITIES = (
    *("mean", "sd", "p5", "p25", "median", "p75", "p95", "skewness", "kurtosis", "entropy"),
    *("edges mean", "local sd mean", "coarse sd"),
)
SHAPES = (
    *("volume, log ml", "longest axis, mm", "middle axis, mm", "shortest axis, mm", "elongation", "flatness"),
    *("sphericity", "surface to volume, 1/mm", "parts"),
)

_BINS = 32


def bounding_box(mask: BoolArray, margin: int = 1) -> tuple[slice, ...]:
    """The smallest box around the True voxels, ``margin`` voxels wider where the array goes on."""
    box = []
    for axis in range(mask.ndim):
        line = np.flatnonzero(mask.any(axis=tuple(a for a in range(mask.ndim) if a != axis)))
        box.append(slice(max(0, int(line[0]) - margin), int(line[-1]) + 1 + margin))
    return tuple(box)


def intensity_features(array: Float32Array, mask: BoolArray) -> FloatArray:
    """(13,) numbers of the voxels in the mask, named by :data:`INTENSITIES`; NaN for an empty mask."""
    if not mask.any():
        return np.full(len(INTENSITIES), np.nan)
    box = bounding_box(mask)
    array, mask = array[box], mask[box]
    values = array[mask].astype(np.float64)
    mean, sd = values.mean(), values.std()
    centred = (values - mean) / max(sd, 1e-12)
    counts = np.histogram(values, bins=_BINS)[0] / len(values)
    entropy = -(counts[counts > 0] * np.log2(counts[counts > 0])).sum()
    edges = np.sqrt(sum(np.square(g) for g in _gradients(array)))[mask].mean()
    return np.array(
        [
            *(mean, sd, *np.percentile(values, [5, 25, 50, 75, 95])),
            *((centred**3).mean(), (centred**4).mean() - 3, entropy),
            *(edges, _local_sd(array, mask, 3), _coarse_sd(array, mask, 4)),
        ]
    )


def _gradients(array: Float32Array) -> list[Float32Array]:
    return [np.gradient(array, axis=a) if n > 1 else np.zeros_like(array) for a, n in enumerate(array.shape)]


def _local_sd(array: Float32Array, mask: BoolArray, size: int) -> float:
    """Mean over the mask of the standard deviation in a cube of ``size`` voxels, the mask's voxels alone."""
    inside = np.where(mask, array, 0).astype(np.float64)
    share = np.maximum(ndimage.uniform_filter(mask.astype(np.float64), size), 1e-9)
    mean = ndimage.uniform_filter(inside, size) / share
    square = ndimage.uniform_filter(inside**2, size) / share
    return float(np.sqrt(np.maximum(square - mean**2, 0))[mask].mean())


def _coarse_sd(array: Float32Array, mask: BoolArray, size: int) -> float:
    """Standard deviation between the means of cubes of ``size`` voxels, those mostly inside the mask."""
    padded = [(0, -n % size) for n in array.shape]
    weight = _cubes(np.pad(mask, padded).astype(np.float64), size)
    total = _cubes(np.pad(np.where(mask, array, 0), padded).astype(np.float64), size)
    kept = weight > 0.5 * size**3
    return float((total[kept] / weight[kept]).std()) if kept.sum() > 1 else 0.0


def _cubes(array: FloatArray, size: int) -> FloatArray:
    x, y, z = (n // size for n in array.shape)
    return np.asarray(array.reshape(x, size, y, size, z, size).sum(axis=(1, 3, 5)))


def shape_features(mask: BoolArray, spacing: tuple[float, float, float]) -> FloatArray:
    """(9,) numbers of a region, named by :data:`SHAPES`; NaN for an empty mask.

    Axes are those of the ellipsoid with the same second moments (2√(5λ)); the surface is counted on voxel faces and
    corrected by 2/3, which makes it right for a ball on a fine grid; sphericity is π^⅓ (6V)^⅔ / A, 1 for a ball.
    """
    if not mask.any():
        return np.full(len(SHAPES), np.nan)
    mask = mask[bounding_box(mask)]
    scale = np.array(spacing)
    places = np.argwhere(mask) * scale
    volume = len(places) * float(np.prod(scale))
    covariance = np.cov(places.T, bias=True) if len(places) > 1 else np.zeros((3, 3))
    own = np.diag(scale**2 / 12)  # a voxel is a box, not a point
    longest, middle, shortest = (2 * np.sqrt(5 * v) for v in np.linalg.eigvalsh(covariance + own)[::-1])
    surface = _faces(mask, scale) * 2 / 3
    sphericity = np.pi ** (1 / 3) * (6 * volume) ** (2 / 3) / surface
    axes = (longest, middle, shortest)
    ratios = (middle / longest, shortest / longest)
    return np.array([np.log1p(volume / 1000), *axes, *ratios, sphericity, surface / volume, _parts(mask)])


def _faces(mask: BoolArray, scale: FloatArray) -> float:
    """Area in mm² of the voxel faces between inside and outside."""
    padded = np.pad(mask, 1).astype(np.int8)
    total = 0.0
    for axis in range(3):
        total += float(np.abs(np.diff(padded, axis=axis)).sum()) * float(np.prod(np.delete(scale, axis)))
    return total


def _parts(mask: BoolArray, smallest: int = 5) -> float:
    """Number of connected parts of at least ``smallest`` voxels."""
    labels, count = ndimage.label(mask, np.ones((3, 3, 3)))
    return float((np.bincount(labels.ravel(), minlength=count + 1)[1:] >= smallest).sum())
