"""Pen marks on a small copy of a slide, on glass and over tissue.

On glass, ink is told by its hue: haematoxylin and eosin both absorb green most. Over tissue the densities of both add
up (Beer and Lambert), and blue ink upon eosin has the hue of haematoxylin. What tells it there is that the light is
missing everywhere, between nuclei too, and that a stroke is long and as wide as its pen.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from core.arrays import BoolArray, Float32Array
from core.media.absorption import optical_density, saturation
from core.media.slides import RGB

_BLUR = 12  # mask pixels over which a pen stroke fades
_EVEN = 0.07  # spread of density within ink; granules of pigment spread wider
_ADDED = 0.22  # density of red light that ink adds at least to the tissue's usual one; at 0.25 parts of strokes stay
_BLUISH = 0.72  # red over green density of blue ink upon tissue; the tissue's own is about 0.3 to 0.6
_LEAST = 60  # pixels of a stroke
_LONG = 3.0  # its length in widths; follicles of lymphocytes are as dark, but round


def ink(image: RGB) -> BoolArray:
    """(h, w) bool: pen marks, in an image whose pixels are about 4 to 16 µm wide."""
    density = optical_density(image)
    found = _by_hue(image, density)
    return np.asarray(found | ndimage.binary_dilation(_over_tissue(image, density, found)))


def _by_hue(image: RGB, density: Float32Array) -> BoolArray:
    """Green and blue ink absorb red more than green, red ink blue like green, black ink and mixtures everything."""
    red, green, blue = density[..., 0], density[..., 1], density[..., 2]
    strong = (red > 1.2 * green) & (red > 0.25)
    strong |= (blue > 0.75 * green) & (red < 0.25 * green) & (green > 0.45)
    strong |= (density.min(axis=2) > 0.8) & (saturation(image) < 0.2)
    # mixed and dark: blue is missing as much as green, and, unlike in pigment, evenly
    strong |= (density.min(axis=2) > 0.35) & (blue > 0.65 * green) & (red < 0.9 * green) & _even(green)
    # single odd pixels are no stroke; the pale rim of the same hue goes with its stroke
    strong = ndimage.binary_opening(strong)
    pale = ((red > 1.1 * green) | ((blue > 0.6 * green) & (red < 0.4 * green))) & (density.max(axis=2) > 0.03)
    return np.asarray(ndimage.binary_dilation(strong, iterations=2) | _grown(strong, pale))


def _even(values: Float32Array) -> BoolArray:
    """Whether the neighbourhood of 5 × 5 pixels hardly differs."""
    mean = ndimage.uniform_filter(values, 5)
    spread = ndimage.uniform_filter(values**2, 5) - mean**2
    return np.asarray(spread < _EVEN**2)


def _grown(strong: BoolArray, pale: BoolArray) -> BoolArray:
    """``pale`` pixels reached from ``strong`` ones within a stroke's blur."""
    if not strong.any():
        return strong
    return np.asarray(ndimage.binary_dilation(strong, iterations=_BLUR, mask=pale | strong))


def _over_tissue(image: RGB, density: Float32Array, known: BoolArray) -> BoolArray:
    """Strokes over tissue: ``known`` ink carried on, and long marks that lie on tissue alone."""
    red, green = density[..., 0], density[..., 1]
    plain = (saturation(image) > 0.04) & ~known
    if not plain.any():
        return np.zeros_like(known)
    dark = float(np.median(red[plain])) + _ADDED
    without_a_gap = ndimage.binary_opening((ndimage.minimum_filter(red, 3) > dark) & (red > _BLUISH * green))
    possible = (red > dark) & (red > 0.9 * _BLUISH * green)
    stroke = ndimage.binary_propagation(without_a_gap, mask=possible | known) | known
    labels, count = ndimage.label(stroke, np.ones((3, 3)))
    if not count:
        return np.zeros_like(known)
    every = np.arange(1, count + 1)
    area = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    width = 2 * np.asarray(ndimage.maximum(ndimage.distance_transform_edt(stroke), labels, every))
    on_glass_too = np.asarray(ndimage.maximum(known, labels, every)) > 0
    kept = (area >= _LEAST) & (on_glass_too | (area >= _LONG * width**2))
    return np.asarray(np.concatenate([[False], kept])[labels] & ~known)
