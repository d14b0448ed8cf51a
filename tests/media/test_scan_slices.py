"""Slices as pictures: a point of the patient lands on its pixel whatever way the file lies."""

from __future__ import annotations

import io
import os
from itertools import permutations, product
from pathlib import Path

import nibabel
import numpy as np
import pytest
from PIL import Image

from core.media.scan_slices import (
    LOWERS,
    RAISES,
    Heat,
    MaskOutline,
    Plane,
    bounds_mm,
    slice_pixels,
    slice_places,
    slice_png,
)
from core.media.scan_windows import Window
from core.media.volume_cache import VolumeCache
from core.media.volumes import Volume

WINDOW = Window("", 0, 100)
POINT = np.array([11.0, -14.0, 27.0])
AXES = {Plane.AXIAL: (2, 0, 1), Plane.CORONAL: (1, 0, 2), Plane.SAGITTAL: (0, 1, 2)}


def volumes() -> list[Volume]:
    """The same point marked in files whose axes are exchanged and turned in ten of the 48 ways."""
    found = []
    for order, signs in product(permutations(range(3)), product((1, -1), repeat=3)):
        affine = np.eye(4)
        affine[:3, :3] = 0
        for column, (axis, sign) in enumerate(zip(order, signs, strict=True)):
            affine[axis, column] = sign * (2.0, 2.5, 3.0)[column]
        index = np.array([9, 7, 5])
        affine[:3, 3] = POINT - affine[:3, :3] @ index
        array = np.full((20, 18, 16), 10, dtype=np.float32)
        array[tuple(index)] = 100
        found.append(Volume(array, affine))
    return found[::5]


@pytest.mark.parametrize("plane", list(Plane))
def test_the_point_lands_on_its_pixel(plane: Plane) -> None:
    across, horizontal, vertical = AXES[plane]
    for volume in volumes():
        pixels = slice_pixels(volume, plane, POINT[across], WINDOW)[..., 0].astype(float)
        rows, columns = np.nonzero(pixels > 0.9 * pixels.max())
        low, high = bounds_mm(volume)
        step = (high - low)[[horizontal, vertical]].max() / 447
        assert columns.mean() == pytest.approx((high[horizontal] - POINT[horizontal]) / step, abs=1.5)
        assert rows.mean() == pytest.approx((high[vertical] - POINT[vertical]) / step, abs=1.5)
        places = slice_places(volume, plane, POINT[across])
        assert places[0, 0, horizontal] > places[0, -1, horizontal]  # right (or front) is on the left
        assert places[0, 0, vertical] > places[-1, 0, vertical]  # front (or head) is above


def test_overlays_have_their_colours_and_thresholds() -> None:
    volume = Volume(np.full((30, 30, 10), 50, dtype=np.float32), np.diag([2.0, 2, 2, 1]))
    heat = np.zeros(volume.array.shape, dtype=np.float32)
    heat[:10], heat[20:] = 2.0, -1.0
    drawn = slice_pixels(volume, Plane.AXIAL, 8, WINDOW, (), Heat(Volume(heat, volume.affine), 2.0, 0.5, 1.0))
    row = drawn[len(drawn) // 2].astype(int)
    # the picture runs from right (x high, lowers, half strength) to left (x low, raises, full strength)
    assert tuple(row[-20]) == RAISES
    np.testing.assert_allclose(row[20], (np.array(LOWERS) + 127.5) / 2, atol=2)
    assert np.ptp(row[len(row) // 2]) == 0
    drawn = slice_pixels(volume, Plane.AXIAL, 8, WINDOW, (), Heat(Volume(heat, volume.affine), 2.0, 1.5, 1.0))
    assert np.ptp(drawn[len(drawn) // 2][20].astype(int)) == 0
    mask = np.zeros(volume.array.shape, dtype=np.float32)
    mask[10:20, 10:20, 2:8] = 1
    outlined = slice_pixels(volume, Plane.AXIAL, 8, WINDOW, (MaskOutline("liver", Volume(mask, volume.affine)),))
    coloured = np.ptp(outlined.astype(int), axis=2) > 0
    assert 0 < coloured.mean() < 0.1
    assert not coloured[len(coloured) // 2, coloured.shape[1] // 2]


def test_png_is_lettered_and_a_place_beyond_the_scan_is_its_edge() -> None:
    volume = volumes()[0]
    plain = slice_pixels(volume, Plane.AXIAL, 1e6, WINDOW)
    image = np.asarray(Image.open(io.BytesIO(slice_png(volume, Plane.AXIAL, 1e6, WINDOW))))
    assert image.shape == plain.shape
    left = np.abs(image.astype(int) - plain)[:, :30].max()
    assert left > 100
    np.testing.assert_array_equal(plain, slice_pixels(volume, Plane.AXIAL, bounds_mm(volume)[1, 2], WINDOW))


def test_the_cache_rereads_what_changed_and_forgets_what_is_too_much(tmp_path: Path) -> None:
    def write(name: str, value: float) -> Path:
        path = tmp_path / name
        nibabel.save(nibabel.Nifti1Image(np.full((10, 10, 10), value, dtype=np.float32), np.eye(4)), path)
        return path

    cache = VolumeCache(room=9000)
    first, second = write("a.nii.gz", 1), write("b.nii.gz", 2)
    one = cache.read(first)
    assert cache.read(first) is one
    cache.read(second)
    cache.read(write("c.nii.gz", 3))  # three are too much
    again = cache.read(first)
    assert again is not one
    write("a.nii.gz", 5)
    os.utime(first, ns=(1, 1))
    assert cache.read(first).array.max() == 5
