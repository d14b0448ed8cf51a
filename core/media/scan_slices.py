"""One slice of a scan as a picture: for reports, and for browsers that cannot draw volumes themselves.

Slices lie along the patient's axes in mm, whatever the orientation of the file. Radiological convention: the patient's
right is on the left of the picture, front and head are up, and in a sagittal slice the front is on the left.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from enum import StrEnum
from itertools import product

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

from core.arrays import FloatArray
from core.media.scan_windows import Window
from core.media.volumes import Volume

LONGEST_PX = 448
MASK_COLOURS = {"liver": (0, 158, 115), "tumour": (240, 228, 66), "region": (86, 180, 233)}
"""Outlines of masks; a label that is not named here is drawn like ``region``."""

RAISES, LOWERS = (0, 114, 178), (213, 94, 0)
"""Where the scan raises the survival estimated (> 0), and where it lowers it."""


class Plane(StrEnum):
    """The planes of the body."""

    AXIAL = "axial"
    CORONAL = "coronal"
    SAGITTAL = "sagittal"


# plane → (axis across the slice, axis from left to right, axis from top to bottom) and the letters left, right, top,
# bottom; both picture axes run from + to −: R → L, A → P, S → I
_LAYOUT = {
    Plane.AXIAL: ((2, 0, 1), "RLAP"),
    Plane.CORONAL: ((1, 0, 2), "RLSI"),
    Plane.SAGITTAL: ((0, 1, 2), "APSI"),
}


@dataclass(frozen=True, eq=False)
class MaskOutline:
    """A mask (> 0.5) to be drawn as an outline, on its own grid."""

    label: str
    mask: Volume


@dataclass(frozen=True, eq=False)
class Heat:
    """An attribution volume to be laid over the scan: full colour at ``limit``, nothing below ``threshold``."""

    values: Volume
    limit: float
    threshold: float = 0.0
    opacity: float = 0.6


def bounds_mm(volume: Volume) -> FloatArray:
    """(2, 3) lowest and highest mm (RAS+) that the centres of the voxels reach along each axis of the body."""
    last = np.array(volume.array.shape) - 1
    corners = np.array([[*c, 1] for c in product(*((0, n) for n in last))], dtype=float) @ volume.affine.T
    return np.stack([corners[:, :3].min(axis=0), corners[:, :3].max(axis=0)])


def slice_png(
    volume: Volume,
    plane: Plane,
    at_mm: float,
    window: Window,
    outlines: tuple[MaskOutline, ...] = (),
    heat: Heat | None = None,
) -> bytes:
    """The slice at ``at_mm`` (RAS+, clipped to the scan) as PNG, 448 px on its longest side, sides lettered.

    Grey values linear between voxels; masks and attribution take the nearest voxel, as they are.
    """
    picture = slice_pixels(volume, plane, at_mm, window, outlines, heat)
    image = Image.fromarray(picture)
    _letters(image, _LAYOUT[plane][1])
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


def slice_pixels(
    volume: Volume,
    plane: Plane,
    at_mm: float,
    window: Window,
    outlines: tuple[MaskOutline, ...] = (),
    heat: Heat | None = None,
) -> NDArray[np.uint8]:
    """(rows, columns, 3) of the slice, without letters; see :func:`slice_png`."""
    places = slice_places(volume, plane, at_mm)
    grey = (_sampled(volume, places, order=1) - window.low) / max(window.high - window.low, 1e-9)
    colour = np.repeat(np.clip(grey, 0, 1)[..., None], 3, axis=2) * 255
    if heat is not None:
        values = _sampled(heat.values, places, order=0)
        share = np.clip(np.abs(values) / max(heat.limit, 1e-12), 0, 1) * (np.abs(values) > heat.threshold)
        over = np.where(values[..., None] > 0, RAISES, LOWERS)
        alpha = (heat.opacity * share)[..., None]
        colour = colour * (1 - alpha) + over * alpha
    for outline in outlines:
        inside = _sampled(outline.mask, places, order=0) > 0.5
        edge = inside & ~ndimage.binary_erosion(inside, iterations=2)
        colour[edge] = MASK_COLOURS.get(outline.label, MASK_COLOURS["region"])
    return colour.round().astype(np.uint8)


def slice_places(volume: Volume, plane: Plane, at_mm: float) -> FloatArray:
    """(rows, columns, 3) mm of the picture's pixels."""
    (across, horizontal, vertical), _ = _LAYOUT[plane]
    low, high = bounds_mm(volume)
    extent = high - low
    step = max(float(extent[horizontal]), float(extent[vertical]), 1e-3) / (LONGEST_PX - 1)
    columns, rows = (round(float(extent[a]) / step) + 1 for a in (horizontal, vertical))
    places = np.empty((rows, columns, 3))
    places[..., across] = np.clip(at_mm, low[across], high[across])
    places[..., horizontal] = high[horizontal] - step * np.arange(columns)[None, :]
    places[..., vertical] = high[vertical] - step * np.arange(rows)[:, None]
    return places


def _sampled(volume: Volume, places: FloatArray, order: int) -> FloatArray:
    """The volume's values at mm; outside of it its smallest value (order 1) or 0."""
    inverse = np.linalg.inv(volume.affine)
    voxels = np.moveaxis(places @ inverse[:3, :3].T + inverse[:3, 3], -1, 0)
    outside = float(volume.array.min()) if order else 0.0
    # the step of the last row or column may round a hair beyond the scan
    limits = np.array(volume.array.shape).reshape(3, 1, 1) - 1
    near = np.abs(voxels - np.clip(voxels, 0, limits)) < 1e-3
    voxels = np.where(near, np.clip(voxels, 0, limits), voxels)
    found = ndimage.map_coordinates(volume.array, voxels, order=order, mode="constant", cval=outside)
    return np.asarray(found, dtype=np.float64)


def _letters(image: Image.Image, letters: str) -> None:
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(size=16)
    width, height = image.size
    anchors = (((6, height / 2), "lm"), ((width - 6, height / 2), "rm"), ((width / 2, 4), "ma"),
               ((width / 2, height - 4), "md"))  # fmt: skip
    for letter, (place, anchor) in zip(letters, anchors, strict=True):
        draw.text(place, letter, fill="white", font=font, anchor=anchor, stroke_width=2, stroke_fill="black")
