"""Generated slides: files a scanner could have written, with the planted region where the truth says it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import openslide
import pytest
from PIL import Image
from scipy import ndimage

from core.cohort.modality import Modality
from core.cohort.sample import SPECIFICATION, make_sample_cohort
from core.media.slides import open_slide
from core.media.synthetic.patient_media import REGION, SLIDE, TRUTH, PaintBox, make_patient_media
from core.media.synthetic.slide_plan import CELL
from core.media.synthetic.tissue_atlas import make_atlas
from core.media.synthetic.vessels import make_vessels
from core.media.tissue import thumbnail, tissue_mask

ONLY_SLIDES = {Modality.SLIDES: True, Modality.VOLUMES: False, Modality.REPORTS: False}


@pytest.fixture(scope="module")
def box() -> PaintBox:
    spec = json.loads(SPECIFICATION.read_text())
    return PaintBox(spec["media"], 7, tuple(spec["sites"]), make_atlas(7), make_vessels(7))


@pytest.fixture(scope="module")
def finding() -> dict[str, Any]:
    row = make_sample_cohort(12)[1].findings.iloc[4].to_dict()
    amounts = {"high_risk_share": 0.4, "atypia": 0.5, "lymphocytes": 0.05, "steatosis": 0.2, "fibrosis": 0.3}
    return {**row, **amounts, "slide_width": 2304, "slide_height": 2048, "pen_mark": False}


def make(box: PaintBox, finding: dict[str, Any], root: Path) -> tuple[Path, Path]:
    folder, truth = root / "files", root / "truth"
    folder.mkdir(parents=True)
    truth.mkdir()
    make_patient_media(finding, ONLY_SLIDES, box, folder, truth)
    return folder / SLIDE, truth


@pytest.fixture(scope="module")
def painted(box: PaintBox, finding: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return make(box, finding, tmp_path_factory.mktemp("slide"))


def test_openslide_reads_a_pyramid_with_its_resolution(painted: tuple[Path, Path]) -> None:
    with openslide.OpenSlide(str(painted[0])) as slide:
        assert slide.properties["openslide.vendor"] == "generic-tiff"
        assert slide.level_dimensions == ((2304, 2048), (576, 512))
        assert float(slide.properties["openslide.mpp-x"]) == pytest.approx(0.5)
    with open_slide(painted[0]) as slide:
        assert slide.mpp == pytest.approx(0.5)
        assert slide.mpp_stated
        small = slide.read(0, 0, 576, 512, 1).astype(float)
        large = slide.read(0, 0, 2304, 2048, 0).astype(float)
        assert np.abs(large.reshape(512, 4, 576, 4, 3).mean((1, 3)) - small).mean() < 8
    assert painted[0].stat().st_size < 3_000_000


def test_same_patient_same_bytes_other_patient_other_picture(
    box: PaintBox, finding: dict[str, Any], painted: tuple[Path, Path], tmp_path: Path
) -> None:
    again, _ = make(box, finding, tmp_path / "again")
    assert again.read_bytes() == painted[0].read_bytes()
    other, _ = make(box, {**finding, "number": 5}, tmp_path / "other")
    assert other.read_bytes() != painted[0].read_bytes()


def nuclei_in(pixels: np.ndarray, where: np.ndarray) -> tuple[np.ndarray, float]:
    """Areas in px of the dark purple spots inside ``where`` and the share of it that they cover."""
    dark = (pixels[..., 0] < 110) & (pixels[..., 2] > pixels[..., 1])
    labels, count = ndimage.label(dark & where)
    areas = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    return areas[areas > 25], float((dark & where).sum() / where.sum())


def test_the_region_of_the_truth_has_denser_larger_more_uneven_nuclei(painted: tuple[Path, Path]) -> None:
    truth = np.asarray(Image.open(painted[1] / REGION))
    planted = json.loads((painted[1] / TRUTH).read_text())["slide"]
    assert planted["high_risk_share"] == pytest.approx(0.4, abs=0.01)
    assert (truth == 255).sum() / (truth > 0).sum() == pytest.approx(0.4, abs=0.01)
    with open_slide(painted[0]) as slide:
        pixels = slide.read(0, 0, 2304, 2048, 0)
    region = ndimage.binary_erosion(truth == 255, iterations=2).repeat(CELL, 0).repeat(CELL, 1)
    outside = ndimage.binary_erosion(truth == 128, iterations=2).repeat(CELL, 0).repeat(CELL, 1)
    inner, inner_share = nuclei_in(pixels, region)
    outer, outer_share = nuclei_in(pixels, outside)
    assert inner_share > 2.5 * outer_share
    assert np.median(inner) > 1.3 * np.median(outer)
    assert pixels[region].mean() < pixels[outside].mean() - 15
    assert pixels[truth.repeat(CELL, 0).repeat(CELL, 1) == 0].mean() > 235  # glass


@pytest.mark.parametrize("amount", ["lymphocytes", "steatosis"])
def test_what_only_slides_show_can_be_seen(amount: str, box: PaintBox, finding: dict[str, Any], tmp_path: Path) -> None:
    few, _ = make(box, {**finding, amount: 0.02}, tmp_path / "few")
    many, truth = make(box, {**finding, amount: 0.6}, tmp_path / "many")
    tissue = (np.asarray(Image.open(truth / REGION)) > 0).repeat(CELL, 0).repeat(CELL, 1)
    seen = {}
    for name, path in (("few", few), ("many", many)):
        with open_slide(path) as slide:
            pixels = slide.read(0, 0, 2304, 2048, 0)[tissue]
        seen[name] = (pixels[:, 0] < 90).mean() if amount == "lymphocytes" else (pixels.min(axis=1) > 235).mean()
    assert seen["many"] > 1.25 * seen["few"]


def test_a_pen_mark_is_blue_and_the_tissue_shows_through(
    box: PaintBox, finding: dict[str, Any], painted: tuple[Path, Path], tmp_path: Path
) -> None:
    marked, _ = make(box, {**finding, "pen_mark": True}, tmp_path)
    pixels = []
    for path in (painted[0], marked):
        with open_slide(path) as slide:
            pixels.append(slide.read(0, 0, 576, 512, 1).astype(int))
    blue = pixels[1][..., 2] - pixels[1][..., 0]
    changed = np.abs(pixels[1] - pixels[0]).max(-1) > 30
    assert 0.002 < changed.mean() < 0.08
    assert np.median(blue[changed]) > 40


def test_a_pen_mark_is_left_out_of_the_tissue_and_nothing_else(
    painted: tuple[Path, Path], box: PaintBox, finding: dict[str, Any], tmp_path: Path
) -> None:
    """The same slide with and without a mark tells which pixels the pen touched."""
    marked, _ = make(box, {**finding, "pen_mark": True}, tmp_path)
    with open_slide(painted[0]) as plain, open_slide(marked) as inked:
        before, after = thumbnail(plain)[0].astype(int), thumbnail(inked)[0].astype(int)
        tissue, found = tissue_mask(plain).mask, tissue_mask(inked).mask
    pen = np.abs(before - after).max(axis=2) > 25
    assert (pen & tissue).sum() > 100
    assert (pen & found).sum() <= 0.01 * pen.sum()
    away = tissue & ~ndimage.binary_dilation(pen, iterations=4)
    assert (away & found).sum() >= 0.99 * away.sum()
