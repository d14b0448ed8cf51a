"""Pen marks out, tissue in: strokes drawn over real and generated tissue, as light that the ink takes away."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw
from scipy import ndimage

from core.media.ink import ink
from core.media.slides import open_slide
from core.media.tissue import thumbnail, tissue_in

INKS = {"blue": (95, 113, 190), "green": (60, 140, 85), "black": (25, 25, 28)}


@pytest.fixture(scope="module")
def real_tissue(shared_data: Path) -> np.ndarray:
    """(h, w, 3) at 8 µm a pixel, from a slide that bears no mark."""
    with open_slide(shared_data / "wsi" / "cmu-1-small-region.svs") as slide:
        return thumbnail(slide)[0]


def marked(image: np.ndarray, colour: tuple[int, int, int], points: list[tuple[int, int]]) -> tuple[np.ndarray, ...]:
    """The image under a stroke of 7 pixels, and where the stroke is."""
    canvas = Image.new("L", image.shape[1::-1])
    ImageDraw.Draw(canvas).line(points, fill=255, width=7, joint="curve")
    where = np.asarray(canvas) > 0
    inked = image * np.array(colour) / 255
    return np.where(where[..., None], inked, image).astype(np.uint8), where


@pytest.mark.parametrize("colour", INKS)
def test_a_stroke_over_real_tissue_is_no_tissue_and_the_rest_stays(real_tissue: np.ndarray, colour: str) -> None:
    height, width = real_tissue.shape[:2]
    points = [(int(width * (0.35 + 0.1 * np.sin(4 * t))), int(height * t)) for t in np.linspace(0.1, 0.9, 12)]
    image, where = marked(real_tissue, INKS[colour], points)
    before, after = tissue_in(real_tissue, 8.0), tissue_in(image, 8.0)
    assert (before & where).sum() > 300  # the stroke does lie on tissue
    assert (after & where).sum() <= 0.02 * where.sum()
    away = before & ~ndimage.binary_dilation(where, iterations=4)
    assert (after & away).sum() >= 0.97 * away.sum()


def test_unmarked_real_tissue_holds_no_ink(real_tissue: np.ndarray) -> None:
    assert not ink(real_tissue).any()


def test_a_round_follicle_of_lymphocytes_stays() -> None:
    """As dark and as blue as ink upon tissue, but round."""
    random = np.random.default_rng(3)
    image = np.full((160, 160, 3), 246, dtype=np.uint8)
    image[10:150, 10:150] = (214, 158, 196)
    y, x = np.mgrid[:160, :160]
    for cy, cx in ((50, 60), (100, 110)):
        image[(y - cy) ** 2 + (x - cx) ** 2 < 11**2] = (110, 86, 150)
    image = np.clip(image + random.normal(0, 4, image.shape), 0, 255).astype(np.uint8)
    assert not ink(image).any()
    drawn, where = marked(image, INKS["blue"], [(30, 20), (40, 140)])
    assert (ink(drawn) & where).sum() > 0.98 * where.sum()
    assert tissue_in(drawn, 8.0)[40:60, 55:66].all()


def test_dark_even_ink_is_told_from_dark_granules() -> None:
    """Mixed inks take all light alike and evenly; so does pigment, but in grains."""
    random = np.random.default_rng(4)
    image = np.full((120, 120, 3), (214, 158, 196), dtype=float)
    image[20:60, 20:100] = (90, 16, 34)
    grains = np.where(random.random((40, 80, 1)) < 0.5, (60, 30, 20), (170, 110, 120))
    image[70:110, 20:100] = grains
    image += random.normal(0, 2, image.shape)
    found = ink(np.clip(image, 0, 255).astype(np.uint8))
    assert found[24:56, 24:96].all()
    assert not found[74:106, 24:96].any()
