"""A map is drawn where its patches are, in the colour its scale says."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import PrognoscopeError
from core.media import heat_raster
from core.media.heat_raster import rasterise
from core.media.heat_scale import Over, Scale, Shown, paint, scale_over

RAW = Scale(Shown.RAW, Over.SLIDE, False, (0.0, 1.0))


def at(raster: heat_raster.Raster, x: float, y: float) -> np.ndarray:
    """The colour drawn over level-0 pixel (x, y); transparent outside."""
    column, row = int((x - raster.x) // raster.cell), int((y - raster.y) // raster.cell)
    inside = 0 <= row < raster.rgba.shape[0] and 0 <= column < raster.rgba.shape[1]
    return raster.rgba[row, column] if inside else np.zeros(4, dtype=np.uint8)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1), st.integers(1, 600), st.sampled_from([1, 2, 4]))
def test_each_level0_pixel_has_the_mean_of_the_patches_over_it(seed: int, side: int, steps: int) -> None:
    """Any side, patches side by side or overlapping, an offset grid, missing values: against the definition."""
    random = np.random.default_rng(seed)
    step = max(1, side // steps)
    places = np.unique(random.integers(0, 12, (30, 2)), axis=0)
    corners = places * step + random.integers(0, 50, 2)
    values = random.random(len(corners))
    values[random.random(len(corners)) < 0.1] = np.nan
    raster = rasterise(corners, side, values, tuple(corners.max(axis=0) + 1), RAW)
    assert raster.error == 0
    assert (raster.rgba.shape[1] * raster.cell, raster.rgba.shape[0] * raster.cell) == (raster.width, raster.height)
    low, high = corners.min(axis=0) - 3, corners.max(axis=0) + side + 3
    # the pixels on both sides of patch edges, and some anywhere
    edges = np.concatenate([corners, corners + side])[:16]
    points = np.concatenate([edges, edges - 1, random.integers(low, high, (20, 2))])
    for x, y in points:
        over = ((corners <= (x, y)) & (corners + side > (x, y))).all(axis=1) & np.isfinite(values)
        expected = RAW.colours(values[over].mean(keepdims=True))[0] if over.any() else np.zeros(4)
        assert np.abs(at(raster, x, y).astype(int) - expected).max() <= 1


def test_patches_at_odd_places_are_drawn_coarser_and_the_error_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heat_raster, "MOST_PIXELS", 10_000)
    corners = np.array([[0, 0], [1013, 7], [2222, 3331]])
    raster = rasterise(corners, 256, np.array([0.1, 0.5, 0.9]), (4000, 4000), RAW)
    assert raster.rgba.shape[0] * raster.rgba.shape[1] <= 1.1 * 10_000
    assert 0 < raster.error <= raster.cell / 2
    assert np.array_equal(at(raster, 1013 + 128, 7 + 128), RAW.colours(np.array([0.5]))[0])


def test_a_map_of_another_slide_is_refused() -> None:
    with pytest.raises(PrognoscopeError, match="outside the slide"):
        rasterise(np.array([[0, 0], [5000, 0]]), 100, np.zeros(2), (4000, 4000), RAW)


def test_nothing_to_draw_draws_nothing() -> None:
    raster = rasterise(np.zeros((0, 2), dtype=int), 100, np.zeros(0), (400, 300), RAW)
    assert raster.rgba.max() == 0


@pytest.mark.alone
def test_a_hundred_thousand_patches_within_a_second() -> None:
    columns, rows = np.meshgrid(np.arange(400), np.arange(250))
    corners = np.stack([columns.ravel(), rows.ravel()], axis=1) * 224
    values = np.random.default_rng(0).random(len(corners))
    start = time.perf_counter()
    raster = rasterise(
        corners, 224, values, (400 * 224, 250 * 224), scale_over(values, False, Shown.PERCENTILE, Over.SLIDE)
    )
    assert time.perf_counter() - start < 1
    assert raster.rgba.shape == (250, 400, 4)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.floats(-5, 5), min_size=1, max_size=60), st.booleans(), st.sampled_from(list(Shown)))
def test_a_scale_keeps_order_and_sign(values: list[float], signed: bool, shown: Shown) -> None:
    array = np.asarray(values)
    scale = scale_over(array, signed, shown, Over.SLIDE)
    place = scale.place(np.sort(array))
    assert (np.diff(place) >= -1e-12).all()
    assert (np.abs(place) <= 1).all()
    if signed:
        assert (np.sign(place) * np.sign(np.sort(array)) >= 0).all()
        assert scale.ends[0] == -scale.ends[1]


def test_percentiles_are_shares_of_the_reference() -> None:
    reference = np.random.default_rng(1).exponential(size=2000)
    scale = scale_over(reference, False, Shown.PERCENTILE, Over.COHORT)
    for share in (0.1, 0.5, 0.93):
        assert scale.place(np.array([np.quantile(reference, share)]))[0] == pytest.approx(share, abs=0.005)
    same = scale_over(np.full(9, 0.2), False, Shown.PERCENTILE, Over.SLIDE)
    assert same.place(np.array([0.2]))[0] == pytest.approx(0.5)


def test_palettes_are_ordered_by_lightness_alone() -> None:
    def lightness(rgba: np.ndarray) -> np.ndarray:
        linear = (rgba[:, :3] / 255) ** 2.2
        return linear @ (0.2126, 0.7152, 0.0722)

    up = np.linspace(0, 1, 40)
    assert (np.diff(lightness(paint(up, False))) > 0).all()
    for sign in (-1, 1):
        arm = paint(sign * up[1:], True)
        assert (np.diff(lightness(arm)) < 0).all()
        assert (np.diff(arm[:, 3].astype(int)) >= 0).all()
    vermillion, blue = paint(np.array([-0.5, 0.5]), True)
    assert blue[2] > blue[0]
    assert vermillion[0] > vermillion[2]
    assert paint(np.array([np.nan, 0.0]), True)[:, 3].max() == 0
