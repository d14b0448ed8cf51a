"""How much light each pixel of an image takes away."""

from __future__ import annotations

import numpy as np

from core.arrays import Float32Array
from core.media.slides import RGB

_DENSITY = -np.log10((np.arange(256, dtype=np.float32) + 1) / 256)


def optical_density(image: RGB) -> Float32Array:
    """(h, w, 3) −log10 of the transmitted share of light, per channel."""
    return np.asarray(_DENSITY[image])


def saturation(image: RGB) -> Float32Array:
    """HSV saturation (h, w) in 0 … 1."""
    high, low = image.max(axis=2).astype(np.float32), image.min(axis=2)
    return np.asarray((high - low) / np.maximum(high, 1))
