"""How much haematoxylin and eosin a pixel holds: colour deconvolution (Ruifrok & Johnston, 2001).

Optical density is the sum of the stains' own densities (Lambert-Beer), so three unit vectors – haematoxylin, eosin and
the direction at right angles to both – turn it into amounts.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.arrays import Float32Array, FloatArray

HAEMATOXYLIN = (0.650, 0.704, 0.286)
EOSIN = (0.072, 0.990, 0.105)
"""Optical densities of the pure stains in red, green and blue (Ruifrok & Johnston, table 1)."""

_DENSITY = -np.log10((np.arange(256, dtype=np.float32) + 1) / 256)


def stain_matrix() -> FloatArray:
    """(3, 3): unit vectors of haematoxylin, eosin and what is left, as rows."""
    rows = [np.array(v) / np.linalg.norm(v) for v in (HAEMATOXYLIN, EOSIN)]
    rest = np.cross(rows[0], rows[1])
    return np.stack([*rows, rest / np.linalg.norm(rest)])


_SEPARATION = np.linalg.inv(stain_matrix()).astype(np.float32)


def optical_density(rgb: NDArray[np.uint8]) -> Float32Array:
    """−log10 of the share of light that came through, (…, 3) → (…, 3); white is 0."""
    return np.asarray(_DENSITY[rgb])


def separate(density: Float32Array) -> Float32Array:
    """Optical density (…, 3) → amounts (…, 3) of haematoxylin, eosin and the rest."""
    return np.asarray((density.reshape(-1, 3) @ _SEPARATION).reshape(density.shape))


def separate_planes(density: Float32Array) -> Float32Array:
    """:func:`separate` for images stored channel by channel: (3, …) → (3, …)."""
    return np.asarray((_SEPARATION.T @ density.reshape(3, -1)).reshape(density.shape))


def compose(amounts: FloatArray) -> NDArray[np.uint8]:
    """The colour (…, 3) of given amounts (…, 3): the way back, up to the rounding to whole grey levels."""
    density = amounts @ stain_matrix()
    return np.asarray(np.clip(np.rint(256 * 10**-density - 1), 0, 255), dtype=np.uint8)
