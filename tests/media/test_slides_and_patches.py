"""Slides: what is read is where it should be, at the size it should have; tissue in, glass and ink out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from core.errors import PrognoscopeError
from core.media.ink import ink
from core.media.patches import patch_grid, read_patches
from core.media.slides import open_slide
from core.media.tissue import TissueMask, otsu, thumbnail, tissue_in, tissue_mask

PINK, PURPLE, WHITE = (225, 150, 190), (110, 60, 150), (245, 244, 246)


def write_pyramid(path: Path, image: np.ndarray, mpp: float | None, levels: int = 2) -> Path:
    """A tiled pyramid without loss, so that every pixel can be asked for."""
    where = {} if mpp is None else {"resolution": (1e4 / mpp, 1e4 / mpp), "resolutionunit": "CENTIMETER"}
    with tifffile.TiffWriter(path, bigtiff=True) as out:
        for level in range(levels):
            reduced = np.asarray(Image.fromarray(image).reduce(2**level))
            extra = {"subfiletype": 1} if level else where
            out.write(reduced, tile=(256, 256), compression="deflate", photometric="rgb", **extra)
    return path


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, np.ndarray]:
    """1600 × 1200 px of 0.5 µm: glass, a rectangle of tissue at (400, 300) to (1200, 900) with a grain."""
    random = np.random.default_rng(0)
    image = np.empty((1200, 1600, 3), dtype=np.uint8)
    image[:] = WHITE
    image[300:900, 400:1200] = PINK
    dark = random.random((600, 800)) < 0.2
    image[300:900, 400:1200][dark] = PURPLE
    return write_pyramid(tmp_path_factory.mktemp("slides") / "drawn.tif", image, 0.5), image


def test_pixels_at_every_level_are_those_of_the_image(drawn: tuple[Path, np.ndarray]) -> None:
    path, image = drawn
    with open_slide(path) as slide:
        assert (slide.dimensions, slide.mpp, slide.mpp_stated) == ((1600, 1200), pytest.approx(0.5), True)
        assert slide.downsamples == pytest.approx((1, 2))
        assert np.array_equal(slide.read(390, 290, 64, 48), image[290:338, 390:454])
        reduced = np.asarray(Image.fromarray(image).reduce(2))
        assert np.array_equal(slide.read(400, 300, 50, 40, level=1), reduced[150:190, 200:250])
        outside = slide.read(1590, 1190, 40, 40)
        assert np.array_equal(outside[:10, :10], image[1190:, 1590:])
        assert outside[20:, 20:].min() == 255
        assert [slide.level_for(d) for d in (0.5, 1, 1.9, 2, 30)] == [0, 0, 0, 1, 1]


def test_tissue_is_found_where_it_was_drawn(drawn: tuple[Path, np.ndarray]) -> None:
    with open_slide(drawn[0]) as slide:
        tissue = tissue_mask(slide)
    assert tissue.um_per_px == pytest.approx(8.0)
    assert tissue.scale == 16
    truth = np.zeros((75, 100), dtype=bool)
    truth[round(300 / 16) : round(900 / 16), 400 // 16 : 1200 // 16] = True
    assert (tissue.mask & truth).sum() / (tissue.mask | truth).sum() > 0.97
    assert tissue.area_mm2 == pytest.approx(0.4 * 0.3, rel=0.05)


def test_patches_cover_all_tissue_and_lie_on_one_grid(drawn: tuple[Path, np.ndarray]) -> None:
    path, image = drawn
    with open_slide(path) as slide:
        grid = patch_grid(slide, tissue_mask(slide), um_per_px=1.0, size=50, least_tissue=0.01)
        patches = np.concatenate(list(read_patches(slide, grid, longest=3)))
    assert (grid.side, grid.um_per_px) == (100, pytest.approx(1.0))
    assert not (grid.coordinates % grid.side).any()
    covered = np.zeros(image.shape[:2], dtype=bool)
    for x, y in grid.coordinates:
        assert not covered[y : y + 100, x : x + 100].any()
        covered[y : y + 100, x : x + 100] = True
    assert covered[300:900, 400:1200].all()
    half = np.asarray(Image.fromarray(image).reduce(2))
    for patch, (x, y) in zip(patches, grid.coordinates // 2, strict=True):
        assert np.array_equal(patch, half[y : y + 50, x : x + 50])


def test_patches_between_two_levels_are_averages_of_the_area_they_cover(drawn: tuple[Path, np.ndarray]) -> None:
    path, image = drawn
    with open_slide(path) as slide:
        grid = patch_grid(slide, tissue_mask(slide), um_per_px=0.75, size=100)
        patches = np.concatenate(list(read_patches(slide, grid)))
    assert grid.side == 150
    for patch, (x, y) in list(zip(patches, grid.coordinates, strict=True))[:10]:
        area = image[y : y + 150, x : x + 150].astype(float)
        assert patch.astype(float).mean(axis=(0, 1)) == pytest.approx(area.mean(axis=(0, 1)), abs=1.0)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32 - 1), st.floats(0, 40), st.floats(0, 30), st.floats(3, 25))
def test_share_of_tissue_in_a_square_is_its_area(seed: int, x: float, y: float, side: float) -> None:
    mask = np.random.default_rng(seed).random((6, 8)) < 0.5
    share = TissueMask(mask, 8.0, 5.0).shares(np.array([[x, y]]), side)[0]
    rows = [max(0.0, min(y + side, 5 * (r + 1)) - max(y, 5 * r)) for r in range(6)]
    columns = [max(0.0, min(x + side, 5 * (c + 1)) - max(x, 5 * c)) for c in range(8)]
    assert share == pytest.approx(float(np.array(rows) @ mask @ np.array(columns)) / side**2, abs=1e-9)


def test_pixel_size_that_is_not_stated_is_asked_for_or_flagged(tmp_path: Path, drawn: tuple[Path, np.ndarray]) -> None:
    path = write_pyramid(tmp_path / "plain.tif", drawn[1], None)
    with open_slide(path) as slide:
        assert slide.mpp is None
        with pytest.raises(PrognoscopeError, match="pixel size"):
            tissue_mask(slide)
    with open_slide(path, assumed_mpp=0.5) as slide:
        assert (slide.mpp, slide.mpp_stated) == (0.5, False)
        assert "assumed" in slide.mpp_source
    with open_slide(path, mpp=0.25, assumed_mpp=0.5) as slide:
        assert (slide.mpp, slide.mpp_stated) == (0.25, True)
    screen = write_pyramid(tmp_path / "screen.tif", drawn[1], 25_400 / 72)  # 72 dpi: nobody's microscope
    with open_slide(screen) as slide:
        assert slide.mpp is None


def test_unreadable_slides_are_named_without_their_path(tmp_path: Path) -> None:
    for name, content in (
        ("TCGA-12.svs", b"II*\0" + bytes(50)),
        ("TCGA-13.png", b"\x89PNG\r\n\x1a\n12"),
        ("TCGA-14.tif", b""),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(PrognoscopeError) as caught:
            open_slide(tmp_path / name)
        assert Path(name).stem not in str(caught.value)
    with pytest.raises(PrognoscopeError, match="missing"):
        open_slide(tmp_path / "none.svs")


def test_an_image_too_large_to_hold_is_refused_before_it_is_read(tmp_path: Path) -> None:
    for side in (10_100, 14_000):  # above this reader's own limit, and above Pillow's
        Image.new("1", (side, side)).save(tmp_path / "large.png")
        with pytest.raises(PrognoscopeError, match="more than 100 million pixels"):
            open_slide(tmp_path / "large.png")


def test_a_plain_image_is_a_slide_of_one_level(shared_data: Path) -> None:
    path = shared_data / "wsi" / "kidney-48-5.tif"
    with open_slide(path, assumed_mpp=0.5) as slide:
        assert slide.levels == ((1493, 901),)
        whole = np.asarray(Image.open(path).convert("RGB"))
        assert np.array_equal(slide.read(700, 300, 90, 70), whole[300:370, 700:790])
        assert slide.read(-10, -10, 20, 20)[:10].min() == 255


def test_otsu_equals_the_definition() -> None:
    random = np.random.default_rng(1)
    values = np.concatenate([random.normal(0.2, 0.05, 500), random.normal(0.7, 0.08, 300)]).astype(np.float32)
    best = otsu(values)

    def between(t: float) -> float:
        low, high = values[values < t], values[values >= t]
        return len(low) * len(high) * (low.mean() - high.mean()) ** 2

    assert between(best) == pytest.approx(max(between(t) for t in np.linspace(0.1, 0.9, 400)), rel=0.01)


def test_real_slide(shared_data: Path) -> None:
    with open_slide(shared_data / "wsi" / "cmu-1-small-region.svs") as slide:
        assert (slide.dimensions, slide.mpp) == ((2220, 2967), pytest.approx(0.499))
        tissue = tissue_mask(slide)
        small, scale = thumbnail(slide)
        assert scale == 16
        # what is called tissue is coloured, what is called glass is nearly white
        assert small[tissue.mask].mean() < 185
        assert np.median(small[~tissue.mask]) > 235
        grid = patch_grid(slide, tissue, 1.0, 112)
        whole = slide.read(0, 0, *slide.dimensions)
        for patches in read_patches(slide, grid):
            assert patches.shape[1:] == (112, 112, 3)
        x, y = grid.coordinates[5]
        block = whole[y : y + grid.side, x : x + grid.side]
        five = np.concatenate(list(read_patches(slide, grid)))[5]
        expected = block.reshape(112, 2, 112, 2, 3).mean(axis=(1, 3))
        assert np.abs(five - expected).max() <= 1


@pytest.mark.parametrize(
    ("name", "tissue", "marked"),
    [
        ("almost-white-1", (0, 0.01), (0, 0.01)),
        ("no-tissue-green-pen", (0, 0.1), (0.6, 1)),
        ("no-tissue-red-pen", (0, 0.2), (0.5, 1)),
        ("high-nuclei-score-level0", (0.95, 1), (0, 0.03)),
        ("medium-nuclei-score-level0", (0.85, 1), (0, 0.02)),
        ("tcga-green-pen", (0.7, 0.9), (0.08, 0.3)),
        ("tcga-red-pen", (0.4, 0.7), (0.15, 0.4)),
        ("very-low-nuclei-score-level0", (0.95, 1), (0, 0.01)),
    ],
)
def test_real_tissue_stays_and_real_ink_goes(
    shared_data: Path, name: str, tissue: tuple[float, float], marked: tuple[float, float]
) -> None:
    picture = Image.open(shared_data / "wsi" / "tiles" / f"histolab_{name}.png").convert("RGB")
    image = np.asarray(picture.resize((256, 256), Image.Resampling.BOX))
    assert tissue[0] <= tissue_in(image, 4.0).mean() <= tissue[1]
    assert marked[0] <= ink(image).mean() <= marked[1]
