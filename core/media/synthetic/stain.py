"""Two stains to colours: haematoxylin and eosin, by the Beer-Lambert law (Ruifrok & Johnston 2001)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.arrays import Float32Array

HAEMATOXYLIN = np.array([0.63, 0.70, 0.36])
EOSIN = np.array([0.13, 0.84, 0.50])
_GLASS = np.array([244.0, 243.0, 245.0])
_DEEPEST = 2.3, 1.25  # optical density of a full stain


def pack(haematoxylin: Float32Array, eosin: Float32Array) -> NDArray[np.uint16]:
    """Both stains, 0 to 1, in one 16-bit number a pixel: the place in the :func:`colours` table."""
    h = np.clip(haematoxylin * 255, 0, 255).astype(np.uint16)
    return np.asarray((h << 8) | np.clip(eosin * 255, 0, 255).astype(np.uint16))


def colours(rng: np.random.Generator, shift: float) -> NDArray[np.uint8]:
    """(65536, 3) RGB of every mixture; each laboratory (``rng``) mixes its stains a little differently.

    ``shift`` is the SD of the relative differences.
    """
    vectors = np.stack([HAEMATOXYLIN, EOSIN]) * (1 + shift * rng.standard_normal((2, 3)))
    depth = np.array(_DEEPEST) * (1 + 1.5 * shift * rng.standard_normal(2))
    steps = np.arange(256) / 255
    density = (depth[0] * steps)[:, None, None] * vectors[0] + (depth[1] * steps)[None, :, None] * vectors[1]
    return np.asarray(np.round(_GLASS * np.exp(-density)), dtype=np.uint8).reshape(-1, 3)
