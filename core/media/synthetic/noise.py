"""Smooth random fields: seamless squares for textures, small maps for the plan of a slide or an organ."""

from __future__ import annotations

import numpy as np
import scipy.fft
from scipy.ndimage import gaussian_filter

from core.arrays import Float32Array


def seamless(size: int, wavelength: float, rng: np.random.Generator, spread: float = 0.35) -> Float32Array:
    """(size, size) noise around one wavelength in px, zero mean, unit SD, whose opposite edges meet."""
    white = rng.standard_normal((size, size), dtype=np.float32)
    fy = scipy.fft.fftfreq(size).astype(np.float32)[:, None]
    fx = scipy.fft.rfftfreq(size).astype(np.float32)[None]
    octaves = np.log2(np.maximum(np.hypot(fy, fx), 1e-9) * wavelength)
    band = np.exp(-0.5 * (octaves / spread) ** 2)
    field = scipy.fft.irfft2(scipy.fft.rfft2(white) * band, s=(size, size))
    return np.asarray(field / field.std(), dtype=np.float32)


def smooth(shape: tuple[int, ...], sigma: float, rng: np.random.Generator) -> Float32Array:
    """Gaussian-filtered white noise of any shape, zero mean, unit SD; ``sigma`` in cells."""
    field = gaussian_filter(rng.standard_normal(shape, dtype=np.float32), sigma, mode="wrap")
    return np.asarray((field - field.mean()) / max(float(field.std()), 1e-6), dtype=np.float32)
