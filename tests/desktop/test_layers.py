"""Layers without a screen: places in µm and mm, colours those of the browser, pixels read only when asked for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel

from core.desktop.make_session import make_session
from core.desktop.pyramid import lazy_levels
from core.desktop.scan_layers import FULL, add_scans, attribution_colours, placed
from core.desktop.session import Looking, Session
from core.desktop.slide_layers import add_slide
from core.media.deep_zoom import DeepZoom
from core.media.geojson import Area
from core.media.heat_raster import rasterise
from core.media.heat_scale import Over, Shown, layer_scale
from core.media.scan_slices import LOWERS, RAISES
from core.media.slides import open_slide
from core.results.workspace import Workspace
from core.serving.scan_view import colour_limit
from tests.desktop.planted import HEIGHT, MPP, PLACES, WIDTH, Planted, plant


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Planted, Session]:
    folder = tmp_path_factory.mktemp("desktop")
    workspace = Workspace(folder / "workspace")
    planted = plant(workspace, folder / "files")
    areas = {0: (Area.square(400, 600, 200, name="here"),)}
    looking = Looking(0, 1000.0, 800.0, 2.0, {"attention": 0.7, "expert-1": 0.3})
    return planted, make_session(planted.run, planted.patient, workspace, looking, areas)


@pytest.fixture(scope="module")
def slide(made: tuple[Planted, Session]) -> Any:
    viewer = ViewerModel()
    assert add_slide(viewer, made[1], 0) == ()
    return viewer


def level_zero(layer: Any, points: np.ndarray) -> np.ndarray:
    """(n, 2) x, y in level-0 pixels (a pixel's left edge is its number) of data places (row, column)."""
    world = np.array([layer.data_to_world(p) for p in points])
    return world[:, ::-1] / MPP + 0.5


def test_levels_are_the_slide_at_powers_of_two(made: tuple[Planted, Session]) -> None:
    pyramid = DeepZoom(open_slide(made[1].slides[0].path))
    reads: list[tuple[int, ...]] = []
    original = pyramid.patch
    pyramid.patch = lambda *box: (reads.append(box), original(*box))[1]  # type: ignore[method-assign]
    levels = lazy_levels(pyramid)
    assert not reads  # nothing is read until it is looked at
    assert [level.shape for level in levels] == [(2204, 3004, 3), (1102, 1502, 3), (551, 751, 3)]
    image = made[0].image
    x, y = PLACES[1]
    assert np.array_equal(
        np.asarray(levels[0][y - 30 : y + 40, x - 30 : x + 40]), image[y - 30 : y + 40, x - 30 : x + 40]
    )
    assert len(reads) <= 4
    small = np.asarray(levels[2])
    for x, y in PLACES // 4:
        assert small[y + 2, x + 2].max() == 0
    assert np.asarray(levels[0][:50, WIDTH:]).min() == 255  # beyond the slide is white, never black


def test_slide_and_maps_lie_on_each_other(made: tuple[Planted, Session], slide: Any) -> None:
    planted, _ = made
    base = slide.layers["slide 1"]
    assert base.multiscale
    assert str(base.units[0]) in ("um", "micrometer")
    edges = level_zero(base, np.array([[-0.5, -0.5], [HEIGHT - 0.5, WIDTH - 0.5]]))
    assert edges == pytest.approx(np.array([[0, 0], [WIDTH, HEIGHT]]))
    heat = [layer for layer in slide.layers if layer.metadata.get("key")]
    assert [layer.metadata["key"] for layer in heat] == ["attention", "expert-1"]
    for layer, opacity in zip(heat, (0.7, 0.3), strict=True):
        known = planted.maps.layer(layer.metadata["key"])
        scale = layer_scale(planted.maps, known, 0, Shown.PERCENTILE, Over.SLIDE)
        raster = rasterise(planted.maps.coordinates, 200.0, np.asarray(known.values, float), (WIDTH, HEIGHT), scale)
        assert np.array_equal(layer.data, raster.rgba)  # the browser's picture, pixel for pixel
        rows, columns = raster.rgba.shape[:2]
        x, y, width, height = raster.rectangle
        edges = level_zero(layer, np.array([[-0.5, -0.5], [rows - 0.5, columns - 0.5]]))
        assert edges == pytest.approx(np.array([[x, y], [x + width, y + height]]))
        assert (layer.opacity, layer.visible, layer.interpolation2d) == (opacity, True, "nearest")
    area = slide.layers["here"]
    assert level_zero(area, area.data[0]).min(axis=0) == pytest.approx([400, 600])
    assert level_zero(area, area.data[0]).max(axis=0) == pytest.approx([600, 800])
    assert slide.scene.camera.center[1:] == pytest.approx(((800 - 0.5) * MPP, (1000 - 0.5) * MPP))
    assert slide.scene.camera.zoom == pytest.approx(2.0 / MPP)


def test_a_slide_without_a_pixel_size_is_shown_in_pixels_and_said(made: tuple[Planted, Session]) -> None:
    _, session = made
    unknown = replace(session.slides[0], mpp=None, mpp_source="not stated in the slide file")
    viewer = ViewerModel()
    told = add_slide(viewer, replace(session, slides=(unknown,), looking=Looking()), 0)
    assert told == ("slide 1: pixel size not stated in the slide file: places are in pixels",)
    assert viewer.layers["slide 1"].scale.tolist() == [1, 1]
    assert viewer.scene.camera.center[1:] == pytest.approx(((HEIGHT - 1) / 2, (WIDTH - 1) / 2))


def test_scans_masks_and_attribution_share_millimetres(made: tuple[Planted, Session]) -> None:
    planted, session = made
    viewer = ViewerModel()
    assert add_scans(viewer, session) == ()
    assert [layer.name for layer in viewer.layers] == [
        "t1", "arterial", "mask: tumour", "Attribution (percentage points)",
    ]  # fmt: skip
    assert [layer.visible for layer in viewer.layers] == [False, True, True, True]
    mask, heat = viewer.layers["mask: tumour"], viewer.layers["Attribution (percentage points)"]
    affine = planted.scan.layers[0].affine
    where = np.argwhere(np.asarray(mask.data) > 0)
    found = np.array([mask.data_to_world(p) for p in (where.min(axis=0), where.max(axis=0))])
    truth = np.sort(np.array([affine @ [4, 12, 8, 1], affine @ [11, 19, 13, 1]])[:, :3], axis=0)
    assert found == pytest.approx(truth)
    blue = np.argwhere((heat.data[..., 3] > 0) & (heat.data[..., 2] == RAISES[2]))
    front = np.argwhere((heat.data[..., 3] > 0) & (heat.data[..., 2] == LOWERS[2]))
    assert heat.data_to_world(blue.max(axis=0))[1] < heat.data_to_world(front.min(axis=0))[1]
    assert np.allclose(heat.data_to_world(blue.min(axis=0)), found[0])
    # what looks from the feet: the patient's right on the left, front and head up
    assert viewer.dims.order == (2, 1, 0)
    assert tuple(str(v) for v in viewer.scene.camera.orientation2d) == ("up", "left")
    assert mask.contour == 1
    assert np.allclose(mask.get_color(1)[:3], np.array((240, 228, 66)) / 255, atol=0.01)
    inside = mask.world_to_data(viewer.dims.point)
    assert mask.data[tuple(np.rint(inside).astype(int))] == 1  # it begins in the tumour


def test_colours_of_attribution_are_full_where_the_browser_is(made: tuple[Planted, Session]) -> None:
    values = np.random.default_rng(0).normal(size=(9, 8, 7)).astype(np.float32)
    values[:4] = 0
    colours = attribution_colours(values)
    full = colour_limit(values)
    assert full == pytest.approx(np.percentile(np.abs(values[values != 0]), FULL))
    assert (colours[np.abs(values) >= full][:, 3] == 255).all()
    assert (colours[np.abs(values) < 0.1 * full][:, 3] == 0).all()
    assert (colours[values > 0][:, :3] == RAISES).all()
    assert (colours[values < 0][:, :3] == LOWERS).all()


@pytest.mark.parametrize("seed", range(4))
def test_voxels_of_any_orientation_keep_their_place(seed: int) -> None:
    """Straight ones are turned exactly; askew ones are sampled anew, a bright voxel within one voxel of its place."""
    random = np.random.default_rng(seed)
    values = np.zeros((9, 11, 8), dtype=np.float32)
    spot = np.array([3, 7, 4])
    values[tuple(spot)] = 1
    turn = np.eye(3)[random.permutation(3)] * random.choice([-1, 1], 3)
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.diag([2.0, 3, 4])
    affine[:3, 3] = random.normal(0, 20, 3)
    truth = (affine @ [*spot, 1])[:3]
    array, place = placed(values, affine, order=0)
    found = np.argwhere(array == 1)[0] * place["scale"] + place["translate"]
    assert found == pytest.approx(truth)
    assert min(place["scale"]) > 0
    angle = 0.3
    tilted = affine.copy()
    tilted[:3, :3] = (
        np.array([[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]]) @ (affine[:3, :3])
    )
    array, place = placed(values, tilted, order=1)
    weight = array / array.sum()
    found = np.array([(weight * g).sum() for g in np.indices(array.shape)]) * place["scale"] + place["translate"]
    assert np.abs(found - (tilted @ [*spot, 1])[:3]).max() < 2.0


def test_a_scan_that_cannot_be_read_is_said(made: tuple[Planted, Session], tmp_path: Path) -> None:
    _, session = made
    (tmp_path / "bad.nii.gz").write_bytes(b"x")
    entries = (replace(session.scans[0], path=str(tmp_path / "bad.nii.gz")), *session.scans[1:])
    viewer = ViewerModel()
    assert "t1: a volume that cannot be read" in add_scans(viewer, replace(session, scans=entries))[0]
    assert "arterial" in viewer.layers
    assert str(tmp_path) not in " ".join(layer.name for layer in viewer.layers)
