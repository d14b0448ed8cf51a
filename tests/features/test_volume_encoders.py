"""Scans: volumes, axes and enhancement of bodies whose numbers are known, and real abdomens."""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pytest

from core.cohort.media_index import MediaFile, MediaKind
from core.cohort.modality import Modality
from core.errors import PrognoscopeError
from core.features.encoders import Encoded, make_encoder
from core.features.volume_features import INTENSITIES, SHAPES, intensity_features, shape_features

SPACING = (1.5, 2.0, 2.5)
SEMI_AXES = (30.0, 20.0, 15.0)  # mm
MEANS = {"t1": (100.0, 90.0), "arterial": (120.0, 180.0), "portal-venous": (180.0, 150.0)}  # liver, tumour


def ellipsoid(semi: tuple[float, ...], centre: tuple[float, ...] = (48.0, 48.0, 48.0)) -> np.ndarray:
    grid = np.indices((64, 48, 40)) * np.reshape(SPACING, (3, 1, 1, 1))
    return sum(((g - c) / s) ** 2 for g, c, s in zip(grid, centre, semi, strict=True)) <= 1


LIVER, TUMOUR = ellipsoid(SEMI_AXES), ellipsoid((7.0, 7.0, 7.0))


@pytest.fixture(scope="module")
def patient(tmp_path_factory: pytest.TempPathFactory) -> tuple[MediaFile, ...]:
    """Three phases of an ellipsoidal liver with a round tumour in it."""
    folder, affine = tmp_path_factory.mktemp("scan"), np.diag([*SPACING, 1.0])
    liver, tumour = LIVER, TUMOUR
    noise = np.random.default_rng(0).normal(0, 2, liver.shape)
    files = []
    for label, (of_liver, of_tumour) in reversed(MEANS.items()):
        array = np.where(tumour, of_tumour, np.where(liver, of_liver, 10.0)) + noise
        nibabel.save(nibabel.Nifti1Image(array.astype(np.float32), affine), folder / f"{label}.nii.gz")
        files.append(MediaFile("p", Modality.VOLUMES, MediaKind.VOLUME, str(folder / f"{label}.nii.gz"), label))
    for label, mask in (("liver", liver), ("tumour", tumour)):
        nibabel.save(nibabel.Nifti1Image(mask.astype(np.uint8), affine), folder / f"{label}-mask.nii.gz")
        files.append(MediaFile("p", Modality.VOLUMES, MediaKind.MASK, str(folder / f"{label}-mask.nii.gz"), label))
    return tuple(files)


def row(encoded: Encoded, label: str) -> dict[str, float]:
    assert encoded.labels is not None
    return dict(zip(encoded.columns, encoded.features[encoded.labels.index(label)].tolist(), strict=True))


def test_shape_of_an_ellipsoid() -> None:
    found = dict(zip(SHAPES, shape_features(ellipsoid(SEMI_AXES), SPACING), strict=True))
    assert np.expm1(found["volume, log ml"]) == pytest.approx(4 / 3 * np.pi * np.prod(SEMI_AXES) / 1000, rel=0.02)
    axes = [found[f"{which} axis, mm"] for which in ("longest", "middle", "shortest")]
    assert axes == pytest.approx([60, 40, 30], rel=0.02)
    assert found["elongation"] == pytest.approx(2 / 3, rel=0.02)
    assert found["flatness"] == pytest.approx(1 / 2, rel=0.02)
    assert found["parts"] == 1
    # Knud Thomsen's formula for the surface of an ellipsoid (1 % at worst)
    a, b, c = (s**1.6075 for s in SEMI_AXES)
    surface = 4 * np.pi * ((a * b + a * c + b * c) / 3) ** (1 / 1.6075)
    volume = 4 / 3 * np.pi * np.prod(SEMI_AXES)
    assert found["surface to volume, 1/mm"] == pytest.approx(surface / volume, rel=0.06)
    assert found["sphericity"] == pytest.approx(np.pi ** (1 / 3) * (6 * volume) ** (2 / 3) / surface, rel=0.06)
    two = ellipsoid((6, 6, 6), (20, 30, 30)) | ellipsoid((6, 6, 6), (70, 60, 60))
    assert dict(zip(SHAPES, shape_features(two, SPACING), strict=True))["parts"] == 2


def test_intensities_are_those_of_the_voxels_in_the_mask() -> None:
    random = np.random.default_rng(1)
    array, mask = random.gamma(2, 3, (20, 18, 16)).astype(np.float32), random.random((20, 18, 16)) < 0.4
    found = dict(zip(INTENSITIES, intensity_features(array, mask), strict=True))
    from scipy import stats

    values = array[mask].astype(float)
    expected = [values.mean(), values.std(), *np.percentile(values, [5, 25, 50, 75, 95])]
    expected += [stats.skew(values), stats.kurtosis(values)]
    assert list(found.values())[:9] == pytest.approx(expected, rel=1e-5)
    outside = np.where(mask, array, 1e4).astype(np.float32)
    inside_only = [i for i, n in enumerate(INTENSITIES) if n != "edges mean"]
    assert intensity_features(outside, mask)[inside_only] == pytest.approx(
        intensity_features(array, mask)[inside_only], rel=1e-6
    )
    gradient = np.sqrt(sum(np.square(g) for g in np.gradient(array)))
    assert found["edges mean"] == pytest.approx(gradient[mask].mean(), rel=0.05)


def test_phases_stand_in_order_with_what_contrast_changed(patient: tuple[MediaFile, ...]) -> None:
    encoded = make_encoder("shape-intensity").encode(patient)
    assert encoded.labels == ("t1", "arterial", "portal-venous")
    assert encoded.sources.tolist() == [2, 1, 0]  # numbers of the files as given
    native = nibabel.load(patient[2].path).get_fdata()
    low, high = np.percentile(native[ellipsoid(SEMI_AXES)], [1, 99])
    for label, (liver, tumour) in MEANS.items():
        found = row(encoded, label)
        scale = high - low
        assert found["tumour mean"] == pytest.approx((tumour - low) / scale, abs=0.02)
        assert found["liver enhancement"] == pytest.approx((liver - 100) / scale, abs=0.02)
        assert found["tumour enhancement"] == pytest.approx((tumour - 90) / scale, abs=0.02)
        assert found["tumour minus liver"] == pytest.approx((tumour - liver) / scale, abs=0.02)
        change = (tumour - liver) - (180 - 120)
        assert found["tumour change since the arterial phase"] == pytest.approx(change / scale, abs=0.02)
        assert np.expm1(found["tumour volume, log ml"]) == pytest.approx(TUMOUR.sum() * 0.0075, rel=1e-4)
        assert found["tumour share of the liver"] == pytest.approx(TUMOUR.sum() / LIVER.sum(), rel=1e-4)
    assert [row(encoded, name)["phase native"] for name in MEANS] == [1, 0, 0]


def test_the_scanners_unit_does_not_matter(patient: tuple[MediaFile, ...], tmp_path: Path) -> None:
    moved = []
    for file in patient:
        if file.kind is MediaKind.MASK:
            moved.append(file)
            continue
        image = nibabel.load(file.path)
        path = tmp_path / Path(file.path).name
        nibabel.save(nibabel.Nifti1Image((image.get_fdata() * 7 + 300).astype(np.float32), image.affine), path)
        moved.append(MediaFile("p", file.modality, file.kind, str(path), file.label))
    encoder = make_encoder("shape-intensity")
    assert encoder.encode(tuple(moved)).features == pytest.approx(
        encoder.encode(patient).features, rel=1e-3, abs=1e-3, nan_ok=True
    )


def test_what_was_not_given_is_missing_not_zero(patient: tuple[MediaFile, ...]) -> None:
    liver_only = tuple(f for f in patient if f.label in ("arterial", "liver"))
    found = row(make_encoder("shape-intensity").encode(liver_only), "arterial")
    assert all(np.isnan(v) for name, v in found.items() if name.startswith("tumour ") and name != "tumour given")
    assert found["tumour given"] == 0
    assert np.isnan(found["liver enhancement"])  # no native phase to compare with
    assert np.isfinite(found["liver mean"])
    bare = make_encoder("shape-intensity").encode(patient[:1])
    assert any("no mask" in w for w in bare.warnings)


def test_a_damaged_phase_is_left_out_and_said(patient: tuple[MediaFile, ...], tmp_path: Path) -> None:
    (tmp_path / "TCGA.nii.gz").write_bytes(b"nothing")
    bad = MediaFile("p", Modality.VOLUMES, MediaKind.VOLUME, str(tmp_path / "TCGA.nii.gz"), "delayed")
    encoded = make_encoder("shape-intensity").encode((bad, *patient))
    assert encoded.labels == ("t1", "arterial", "portal-venous")
    assert any(w.startswith("1 of 6 files left out") and "TCGA" not in w for w in encoded.warnings)
    with pytest.raises(PrognoscopeError, match="cannot be read"):
        make_encoder("shape-intensity").encode((bad,))


def test_the_random_network_says_so_and_is_the_same_every_time(patient: tuple[MediaFile, ...]) -> None:
    import torch

    before = torch.random.get_rng_state()
    first = make_encoder("monai-small").encode(patient)
    assert torch.equal(before, torch.random.get_rng_state())
    assert first.features.shape == (3, 128)
    assert any("random" in w and "not trained" in w for w in first.warnings)
    from core.features import volume_network

    volume_network._networks.clear()
    assert np.array_equal(first.features, make_encoder("monai-small").encode(patient).features)
    assert not np.array_equal(first.features, make_encoder("monai-small", {"seed": 1}).encode(patient).features)
    assert first.features.std(axis=0).max() > 0  # the phases differ


def test_real_abdomen(shared_data: Path) -> None:
    def file(name: str, kind: MediaKind, label: str) -> MediaFile:
        return MediaFile("p", Modality.VOLUMES, kind, str(shared_data / "mri" / name), label)

    scan = file("ts_example_ct_sm.nii.gz", MediaKind.VOLUME, "ct")
    mask = file("ts_example_seg.nii.gz", MediaKind.MASK, "region")
    encoded = make_encoder("shape-intensity").encode((scan, mask))
    found = row(encoded, "ct")
    assert any("several labels" in w for w in encoded.warnings)
    assert np.isfinite(found["region mean"])
    assert found["phase ct"] == 1
    dicom = make_encoder("shape-intensity").encode((file("dcmqi_liver_ct", MediaKind.VOLUME, "portal"),))
    assert dicom.features.shape == (1, len(encoded.columns))
