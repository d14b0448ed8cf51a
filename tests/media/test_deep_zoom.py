"""Deep Zoom tiles: every pixel of the slide, where it is, in the colours the scanner meant."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms

from core.errors import PrognoscopeError
from core.media import deep_zoom
from core.media.deep_zoom import OVERLAP, TILE, DeepZoom, jpeg
from core.media.slides import open_slide
from core.media.tiff_tiles import TiffTiles

WIDTH, HEIGHT = 1333, 1100


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    noise = np.random.default_rng(0).integers(0, 60, (HEIGHT, WIDTH))
    return np.stack([columns * 255 // WIDTH, rows * 255 // HEIGHT, 100 + noise], axis=-1).astype(np.uint8)


def write(path: Path, image: np.ndarray, levels: tuple[int, ...] = (1,), profile: bytes | None = None) -> Path:
    with tifffile.TiffWriter(path, bigtiff=True) as out:
        for i, factor in enumerate(levels):
            h, w = (image.shape[0] // factor) * factor, (image.shape[1] // factor) * factor
            reduced = np.asarray(Image.fromarray(image[:h, :w]).reduce(factor))
            extra = {"subfiletype": 1} if i else {"resolution": (2e4, 2e4), "resolutionunit": "CENTIMETER"}
            out.write(reduced, tile=(256, 256), compression="deflate", photometric="rgb", iccprofile=profile, **extra)
    return path


@pytest.mark.parametrize("levels", [(1,), (1, 4)])
def test_tiles_cover_the_slide_exactly_at_every_level(
    tmp_path: Path, image: np.ndarray, levels: tuple[int, ...]
) -> None:
    with open_slide(write(tmp_path / "slide.tif", image, levels)) as slide:
        pyramid = DeepZoom(slide)
        assert pyramid.levels == 12
        for level in range(6, 12):
            step = 1 << (11 - level)
            width, height = -(-WIDTH // step), -(-HEIGHT // step)
            built = np.zeros((height, width, 3), dtype=np.uint8)
            for column in range(-(-width // TILE)):
                for row in range(-(-height // TILE)):
                    left, top = max(0, column * TILE - OVERLAP), max(0, row * TILE - OVERLAP)
                    tile = np.asarray(pyramid.tile(level, column, row))
                    assert max(tile.shape[:2]) <= TILE + 2 * OVERLAP
                    built[top : top + tile.shape[0], left : left + tile.shape[1]] = tile
            # whole pixels are the mean of the step × step level-0 pixels under them
            whole = image[: HEIGHT // step * step, : WIDTH // step * step].astype(float)
            mean = whole.reshape(HEIGHT // step, step, WIDTH // step, step, 3).mean(axis=(1, 3))
            inner = (slice(0, mean.shape[0] - 1), slice(0, mean.shape[1] - 1))
            assert np.abs(built[: mean.shape[0], : mean.shape[1]][inner] - mean[inner]).max() <= 2


def test_a_file_without_small_levels_is_read_once_for_far_views(
    tmp_path: Path, image: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_slide(write(tmp_path / "slide.tif", image)) as slide:
        near = [np.asarray(DeepZoom(slide).tile(level, 0, 0)).astype(int) for level in range(12)]
        monkeypatch.setattr(deep_zoom, "LONGEST_READ", 200)
        reads: list[tuple[int, int]] = []
        read = slide.read
        monkeypatch.setattr(slide, "read", lambda *a: reads.append((a[2], a[3])) or read(*a))  # type: ignore[func-returns-value]
        pyramid = DeepZoom(slide)
        for level in range(9):
            far = np.asarray(pyramid.tile(level, 0, 0)).astype(int)
            whole = (slice(0, max(1, HEIGHT >> (11 - level))), slice(0, max(1, WIDTH >> (11 - level))))
            assert np.abs(far[whole] - near[level][whole]).max() <= 3
        assert reads == [(WIDTH, 1024), (WIDTH, HEIGHT - 1024)]


def test_a_tile_that_is_not_there(tmp_path: Path, image: np.ndarray) -> None:
    with open_slide(write(tmp_path / "slide.tif", image)) as slide:
        pyramid = DeepZoom(slide)
        for address in ((12, 0, 0), (-1, 0, 0), (11, 3, 0), (11, 0, -1), (0, 1, 0)):
            with pytest.raises(PrognoscopeError, match="tile"):
                pyramid.tile(*address)
        assert pyramid.tile(0, 0, 0).size == (1, 1)
        assert 'TileSize="510"' in pyramid.descriptor()
        assert f'Width="{WIDTH}" Height="{HEIGHT}"' in pyramid.descriptor()


def test_colours_follow_the_profile_of_the_file(tmp_path: Path, image: np.ndarray) -> None:
    """A profile that calls blue what sRGB calls red: the same bytes must come out with red and blue exchanged."""
    plain = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    names = (b"rXYZ", b"bXYZ")
    table = 132 + 12 * int.from_bytes(plain[128:132], "big")
    head = plain[:table].replace(names[0], b"????").replace(names[1], names[0]).replace(b"????", names[1])
    swapped = head + plain[table:]
    red = np.full((600, 600, 3), (200, 40, 90), dtype=np.uint8)
    for name, profile, expected in (("same", plain, (200, 40, 90)), ("swapped", swapped, (90, 40, 200))):
        with open_slide(write(tmp_path / f"{name}.tif", red, profile=profile)) as slide:
            pyramid = DeepZoom(slide)
            assert "ICC" in pyramid.colours
            tile = np.asarray(pyramid.tile(10, 0, 0))
            assert np.abs(tile[100, 100].astype(int) - expected).max() <= 3
            assert np.abs(np.asarray(pyramid.patch(10, 10, 50, 25))[3, 3].astype(int) - expected).max() <= 3
    with open_slide(write(tmp_path / "broken.tif", red, profile=b"not a profile")) as slide:
        assert "cannot be used" in DeepZoom(slide).colours
    with open_slide(write(tmp_path / "none.tif", red)) as slide:
        assert "no colour profile" in DeepZoom(slide).colours


def test_a_real_slide(shared_data: Path) -> None:
    with open_slide(shared_data / "wsi" / "cmu-1-small-region.svs") as slide:
        pyramid = DeepZoom(slide)
        assert slide.power == 20
        whole = slide.read(0, 0, *slide.dimensions)
        tile = np.asarray(pyramid.tile(pyramid.levels - 1, 2, 3))
        assert np.array_equal(tile, whole[3 * 510 - 1 : 4 * 510 + 1, 2 * 510 - 1 : 3 * 510 + 1])
        small = np.asarray(pyramid.patch(800, 600, 200, 100))
        assert np.abs(small - whole[600:800, 800:1000].reshape(100, 2, 100, 2, 3).mean(axis=(1, 3))).max() <= 1
        again = Image.open(io.BytesIO(jpeg(pyramid.tile(3, 0, 0))))
        assert (again.format, again.info.get("exif")) == ("JPEG", None)


@pytest.mark.parametrize("colours", ["rgb", "ycbcr"])
def test_tiles_read_straight_from_the_file_are_the_same_tiles(tmp_path: Path, image: np.ndarray, colours: str) -> None:
    smooth = np.asarray(Image.fromarray(image).resize((1400, 1100), Image.Resampling.BICUBIC))
    path = tmp_path / "slide.tif"
    with tifffile.TiffWriter(path, bigtiff=True) as out:
        for i, factor in enumerate((1, 4)):
            extra = {"subfiletype": 1} if i else {"resolution": (2e4, 2e4), "resolutionunit": "CENTIMETER"}
            reduced = np.asarray(Image.fromarray(smooth).reduce(factor))
            extra["subsampling"] = (2, 2) if colours == "ycbcr" else None
            out.write(reduced, tile=(256, 256), compression="jpeg", photometric=colours, **extra)
    with open_slide(path) as slide:
        straight, slow = DeepZoom(slide, path), DeepZoom(slide)
        assert straight._tiles is not None
        assert straight._tiles.levels == {0, 1}
        for address in ((11, 0, 0), (11, 2, 2), (10, 1, 1), (9, 0, 0), (8, 0, 0), (3, 0, 0)):
            one, other = (np.asarray(p.tile(*address)).astype(int) for p in (straight, slow))
            assert np.abs(one - other).max() <= 2
        edge = [np.asarray(p.patch(1350, 1050, 100, 50)) for p in (straight, slow)]
        assert np.abs(edge[0].astype(int) - edge[1]).max() <= 2


def test_files_without_jpeg_tiles_have_no_fast_way_and_real_ones_have(
    tmp_path: Path, image: np.ndarray, shared_data: Path
) -> None:
    path = write(tmp_path / "slide.tif", image)
    with open_slide(path) as slide:
        assert TiffTiles(path, slide).levels == frozenset()
    plain = tmp_path / "slide.png"
    Image.fromarray(image).save(plain)
    with open_slide(plain) as slide:
        assert TiffTiles(plain, slide).levels == frozenset()
    real = shared_data / "wsi" / "cmu-1-small-region.svs"
    with open_slide(real) as slide:
        tiles = TiffTiles(real, slide)
        assert tiles.levels == {0}
        assert np.array_equal(tiles.read(700, 900, 300, 200, 0), slide.read(700, 900, 300, 200))
        assert np.array_equal(tiles.read(2100, 2900, 300, 200, 0), slide.read(2100, 2900, 300, 200))
