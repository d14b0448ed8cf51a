"""Patch features: stains, textures and nuclei against what was drawn, and against a segmentation of real tissue."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from skimage.color import hed_from_rgb
from skimage.feature import graycomatrix, graycoprops, local_binary_pattern
from skimage.measure import label, regionprops

from core.cohort.media_index import MediaFile, MediaKind
from core.cohort.modality import Modality
from core.errors import PrognoscopeError
from core.features.encoders import make_encoder
from core.features.nuclei import SMALLEST_UM2, find_nuclei
from core.features.patch_features import NAMES, nuclear_threshold, patch_features
from core.features.stains import EOSIN, HAEMATOXYLIN, compose, optical_density, separate
from core.media.slides import open_slide

PLACE = {name: i for i, name in enumerate(NAMES)}


def column(features: np.ndarray, name: str) -> np.ndarray:
    return features[:, PLACE[name]]


def slide(path: Path) -> MediaFile:
    return MediaFile("p", Modality.SLIDES, MediaKind.SLIDE, str(path))


@settings(deadline=None)
@given(st.floats(0, 0.8), st.floats(0, 0.5))
def test_amounts_of_stain_come_back(haematoxylin: float, eosin: float) -> None:
    amounts = np.array([[haematoxylin, eosin, 0.0]])
    found = separate(optical_density(compose(amounts)))
    assert found[0] == pytest.approx(amounts[0], abs=0.03)  # colours are whole grey levels


def test_pure_stains_are_told_apart() -> None:
    for vector, expected in ((HAEMATOXYLIN, (0.6, 0, 0)), (EOSIN, (0, 0.6, 0))):
        density = 0.6 * np.array([vector]) / np.linalg.norm(vector)
        assert separate(density.astype(np.float32))[0] == pytest.approx(expected, abs=1e-5)
    # the same directions in scikit-image (its third vector is DAB, so only the two stains can be compared)
    mixed = compose(np.array([[0.5, 0.2, 0.0]]))
    other = (optical_density(mixed).astype(float) @ hed_from_rgb)[0]
    ours = separate(optical_density(mixed))[0]
    assert ours[0] / ours[1] == pytest.approx(other[0] / other[1], rel=0.2)


def drawn_nuclei(side: int = 120, um_per_px: float = 0.5) -> tuple[np.ndarray, list[float]]:
    """A patch of eosin with six round nuclei that do not touch; their true areas in µm²."""
    amounts = np.zeros((side, side, 3))
    amounts[..., 1] = 0.4
    y, x = np.mgrid[:side, :side]
    areas = []
    for i, (cy, cx) in enumerate([(20, 20), (20, 60), (20, 100), (80, 25), (75, 65), (95, 100)]):
        radius = 7 + i
        inside = (y - cy) ** 2 + (x - cx) ** 2 <= radius**2
        amounts[inside] = (0.7, 0.1, 0)
        areas.append(float(inside.sum()) * um_per_px**2)
    return compose(amounts), areas


def test_nuclei_are_counted_and_measured_as_drawn() -> None:
    patch, areas = drawn_nuclei()
    threshold = nuclear_threshold(patch[None])
    nuclei = find_nuclei(separate(optical_density(patch[None]))[..., 0], threshold, 0.5)
    assert len(nuclei.area) == 6
    assert np.sort(nuclei.area) == pytest.approx(sorted(areas), rel=0.06)
    assert nuclei.elongation == pytest.approx(np.ones(6), abs=0.06)
    features = patch_features(patch[None], 0.5, threshold)
    assert column(features, "nuclei per mm2")[0] == pytest.approx(6 / (60e-3) ** 2, rel=1e-5)
    assert column(features, "nuclear area mean")[0] == pytest.approx(np.mean(areas), rel=0.04)
    assert column(features, "nuclear area p90")[0] == pytest.approx(max(areas), rel=0.06)
    assert column(features, "tissue share")[0] == 1


def test_nuclei_equal_regionprops() -> None:
    random = np.random.default_rng(3)
    field = np.asarray(Image.fromarray(random.random((30, 30)).astype(np.float32)).resize((150, 150))) * 0.8
    field[:, :3] = 0
    found = find_nuclei(np.stack([np.zeros_like(field), field]), 0.55, 1.0)
    from scipy import ndimage

    smooth = ndimage.gaussian_filter(field, 0.6, truncate=2.0)
    props = [p for p in regionprops(label(smooth > 0.55, connectivity=1)) if p.area >= SMALLEST_UM2]
    assert set(found.patch) == {1}
    assert np.sort(found.area) == pytest.approx(sorted(p.area for p in props))
    spread = [np.linalg.eigvalsh(p.moments_central[[2, 1, 1, 0], [0, 1, 1, 2]].reshape(2, 2) / p.area) for p in props]
    expected = sorted(np.sqrt((high + 1 / 12) / (low + 1 / 12)) for low, high in spread)
    assert np.sort(found.elongation) == pytest.approx(expected, rel=1e-6)


def test_textures_equal_those_of_scikit_image(shared_data: Path) -> None:
    path = shared_data / "wsi" / "tiles" / "histolab_high-nuclei-score-level0.png"
    patch = np.ascontiguousarray(np.asarray(Image.open(path).convert("RGB"))[200:328, 200:328])
    density = optical_density(patch)
    assert (density.sum(axis=-1) > 0.3).mean() > 0.9
    patch = np.where((density.sum(axis=-1) > 0.3)[..., None], patch, np.uint8(120))  # all of it tissue
    features = patch_features(patch[None], 0.5, 0.4)
    amounts = separate(optical_density(patch))[..., 0]
    codes = np.clip(amounts * (8 / 1.2), 0, 7).astype(np.uint8)
    matrix = graycomatrix(codes, [2], [0, np.pi / 2], levels=8, symmetric=True).sum(axis=3, keepdims=True)
    for ours, theirs in (("contrast", "contrast"), ("homogeneity", "homogeneity"), ("energy", "ASM")):
        normed = matrix / matrix.sum()
        assert column(features, f"haematoxylin {ours}")[0] == pytest.approx(graycoprops(normed, theirs)[0, 0], rel=1e-4)
    patterns = local_binary_pattern(patch[..., 1], 8, 1.0, "uniform")
    # scikit-image interpolates its diagonal neighbours: the shares are alike, not equal
    theirs = np.bincount(patterns[1:-1, 1:-1].astype(int).ravel(), minlength=10) / patterns[1:-1, 1:-1].size
    assert np.abs(features[0, PLACE["binary pattern 0"] :][:10] - theirs).max() < 0.12
    assert column(features, "haematoxylin mean")[0] == pytest.approx(amounts.mean(), rel=1e-4)
    assert column(features, "haematoxylin sd")[0] == pytest.approx(amounts.std(), rel=1e-3)
    assert column(features, "haematoxylin p50")[0] == pytest.approx(np.median(amounts), abs=0.03)


def test_real_nuclei_are_counted_like_a_segmentation(shared_data: Path) -> None:
    ratios, dices = [], []
    for path in sorted((shared_data / "wsi" / "tcga_roi" / "imgs").glob("*.png")):
        image = np.asarray(Image.open(path).convert("RGB").reduce(2))
        truth = np.asarray(Image.open(path.parents[1] / "segs" / path.name).convert("L"))
        threshold = nuclear_threshold(image[None])
        amounts = separate(optical_density(image))[..., 0]
        found = find_nuclei(amounts[None], threshold, 1.0)
        ratios.append(len(found.area) / int(label(truth > 0).max()))
        small = np.asarray(Image.fromarray(truth).reduce(2)) > 127
        dark = amounts > threshold
        dices.append(2 * (dark & small).sum() / (dark.sum() + small.sum()))
    assert all(0.75 < r < 1.35 for r in ratios)
    assert min(dices) > 0.5


def test_glass_gives_numbers_and_no_warnings() -> None:
    white = np.full((2, 64, 64, 3), 250, dtype=np.uint8)
    features = patch_features(white, 1.0, nuclear_threshold(white))
    assert np.isfinite(features).all()
    assert not column(features, "tissue share").any()
    assert not column(features, "nuclei per mm2").any()


def test_features_of_a_patch_do_not_depend_on_its_neighbours(shared_data: Path) -> None:
    path = shared_data / "wsi" / "tiles" / "histolab_medium-nuclei-score-level0.png"
    image = np.asarray(Image.open(path).convert("RGB"))
    patches = np.stack([image[i : i + 112, i : i + 112] for i in range(0, 560, 112)])
    together = patch_features(patches, 1.0, 0.4)
    alone = np.concatenate([patch_features(p[None], 1.0, 0.4) for p in patches])
    size = [i for n, i in PLACE.items() if "clumps" not in n and "per mm2" not in n]  # clumps are counted by the median
    assert together[:, size] == pytest.approx(alone[:, size], rel=1e-4, abs=1e-5)


def test_real_slide_is_encoded_the_same_twice_and_on_its_grid(shared_data: Path) -> None:
    path = shared_data / "wsi" / "cmu-1-small-region.svs"
    encoder = make_encoder("colour-texture-nuclei")
    first, second = encoder.encode((slide(path),)), encoder.encode((slide(path),))
    assert np.array_equal(first.features, second.features)
    assert first.features.shape == (len(first.features), len(NAMES))
    assert 30 < len(first.features) < 100
    assert first.columns == NAMES
    assert not first.warnings
    assert first.coordinates is not None
    facts = first.facts["slides"]["0"]
    with open_slide(path) as opened:
        x, y = first.coordinates[7]
        block = opened.read(int(x), int(y), facts["side"], facts["side"])
        half = np.asarray(Image.fromarray(block).resize((112, 112), Image.Resampling.BOX))
    means = first.features[7, [PLACE["red mean"], PLACE["green mean"], PLACE["blue mean"]]]
    tissue = optical_density(half).sum(axis=-1) > 0.3
    assert means == pytest.approx(half[tissue].mean(axis=0) / 255, abs=0.003)


def test_one_damaged_slide_of_two_is_left_out_and_said(shared_data: Path, tmp_path: Path) -> None:
    (tmp_path / "TCGA-damaged.svs").write_bytes(b"nothing")
    good, bad = slide(shared_data / "wsi" / "cmu-1-small-region.svs"), slide(tmp_path / "TCGA-damaged.svs")
    encoder = make_encoder("colour-texture-nuclei")
    both = encoder.encode((bad, good))
    assert np.array_equal(both.features, encoder.encode((good,)).features)
    assert set(both.sources.tolist()) == {1}
    assert both.warnings[0].startswith("1 of 2 slides left out")
    with pytest.raises(PrognoscopeError, match="cannot be read") as caught:
        encoder.encode((bad,))
    assert "TCGA" not in str(caught.value)


def test_settings_are_checked() -> None:
    assert make_encoder("colour-texture-nuclei", {"um_per_px": 2}).um_per_px == 2
    for settings_, found in (({"patch": "big"}, "patch"), ({"size": 3}, "unknown setting 'size'")):
        with pytest.raises(PrognoscopeError, match=found):
            make_encoder("colour-texture-nuclei", settings_)
    with pytest.raises(PrognoscopeError, match="no encoder named"):
        make_encoder("resnet")
