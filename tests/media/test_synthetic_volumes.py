"""Generated scans: nested masks, sizes as planted, washout and uptake to be measured in the images."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.cohort.sample import SPECIFICATION, make_sample_cohort
from core.media.synthetic.abdomen import make_abdomen
from core.media.synthetic.volume_phantom import PHASES, make_phases, write_nifti
from core.media.volumes import read_volume

NOISE = json.loads(SPECIFICATION.read_text())["media"]["volumes"]["noise"]


@pytest.fixture(scope="module")
def finding() -> dict[str, Any]:
    row = make_sample_cohort(12)[1].findings.iloc[4].to_dict()
    planted = {"tumour_size": 4.0, "tumour_number": 1.0, "washout": 0.5, "uptake": 0.6, "nodularity": 0.3}
    return {**row, **planted}


def measured(finding: dict[str, Any], seed: int = 1) -> dict[str, dict[str, float]]:
    """Mean signal of tumour, liver and muscle-free ratio per phase."""
    rng = np.random.default_rng(seed)
    abdomen = make_abdomen(finding, rng)
    images = make_phases(abdomen, finding, NOISE, rng)
    healthy = abdomen.liver & ~abdomen.tumour
    return {
        p: {"tumour": float(i[abdomen.tumour].mean()), "liver": float(i[healthy].mean())} for p, i in images.items()
    }


@pytest.mark.parametrize("seed", range(2))
def test_the_tumour_lies_in_the_liver_and_has_its_size(finding: dict[str, Any], seed: int) -> None:
    for size, number in ((2.0, 1.0), (6.0, 1.0), (5.0, 4.0), (15.0, 2.0)):
        abdomen = make_abdomen({**finding, "tumour_size": size, "tumour_number": number}, np.random.default_rng(seed))
        assert abdomen.tumour.any()
        assert not (abdomen.tumour & ~abdomen.liver).any()
        litres = abdomen.liver.sum() * np.prod(abdomen.spacing) / 1e6
        assert 0.7 < litres < 2.6
        assert all(64 <= n <= 96 for n in abdomen.parts.shape)
        assert len(set(abdomen.spacing)) > 1
        if number == 1:
            ml = abdomen.tumour.sum() * np.prod(abdomen.spacing) / 1000
            assert 0.35 * np.pi / 6 * size**3 < ml < 2.2 * np.pi / 6 * size**3


def test_washout_and_arterial_enhancement_are_planted(finding: dict[str, Any]) -> None:
    for seed in range(2):
        strong = measured({**finding, "washout": 0.95}, seed)
        weak = measured({**finding, "washout": 0.05}, seed)
        for phase, most in (("portal-venous", 0.95), ("delayed", 0.85)):
            assert strong[phase]["tumour"] < most * strong[phase]["liver"]
            assert weak[phase]["tumour"] > 0.96 * weak[phase]["liver"]
        assert strong["arterial"]["tumour"] > 1.25 * strong["arterial"]["liver"]
        assert strong["arterial"]["tumour"] > weak["arterial"]["tumour"]


def test_liver_reserve_shows_in_the_hepatobiliary_phase(finding: dict[str, Any]) -> None:
    good, poor = measured({**finding, "uptake": 0.95}), measured({**finding, "uptake": 0.2})
    enhancement = [m["hepatobiliary"]["liver"] / m["t1"]["liver"] for m in (good, poor)]
    assert enhancement[0] > 1.4 * enhancement[1]
    rough, smooth = ({**finding, "nodularity": n} for n in (0.95, 0.05))
    spread = []
    for row in (rough, smooth):
        rng = np.random.default_rng(3)
        abdomen = make_abdomen(row, rng)
        image = make_phases(abdomen, row, NOISE, rng)["delayed"]
        spread.append(float(np.std(image[abdomen.liver & ~abdomen.tumour])))
    assert spread[0] > 1.15 * spread[1]


def test_files_are_the_same_bytes_and_read_back_with_their_place(finding: dict[str, Any], tmp_path: Path) -> None:
    for name in ("a.nii.gz", "b.nii.gz"):
        rng = np.random.default_rng(5)
        abdomen = make_abdomen(finding, rng)
        images = make_phases(abdomen, finding, NOISE, rng)
        write_nifti(images["arterial"], abdomen.spacing, tmp_path / name)
    assert (tmp_path / "a.nii.gz").read_bytes() == (tmp_path / "b.nii.gz").read_bytes()
    assert tuple(images) == PHASES
    volume = read_volume(tmp_path / "a.nii.gz")
    np.testing.assert_array_equal(volume.array, images["arterial"])
    np.testing.assert_allclose(np.diag(volume.affine)[:3], abdomen.spacing, rtol=1e-6)
