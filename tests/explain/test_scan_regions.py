"""Regions of a scan share out what they explain, lie where the scan lies, and find what was planted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from core.cohort.modality import Modality
from core.errors import PrognoscopeError
from core.explain.scan_gradients import voxel_paths
from core.explain.scan_maps import ScanSource, scan_maps
from core.explain.scan_regions import Replacing, cut_out, make_regions
from core.features.scan import read_scan
from core.features.volume_encoder import ShapeIntensity
from core.features.volume_resnet import PhaseResNet
from tests.explain.scan_cohort import AFFINE, MONTH
from tests.explain.scan_runs import Opened, auroc, brightest, opened, quiet, shown


@pytest.fixture(scope="module")
def by_regions(tmp_path_factory: pytest.TempPathFactory) -> Opened:
    return opened(tmp_path_factory.mktemp("regions"), "shape-intensity")


@pytest.fixture(autouse=True)
def few_orders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.explain.scan_ablation.MOST_ORDERS", 4)
    monkeypatch.setattr("core.explain.scan_maps.REGIONS", 16)


def test_regions_share_out_the_shown_estimate(by_regions: Opened) -> None:
    patient = brightest(by_regions, 1)[0]
    maps = by_regions.explain(patient)
    shared = next(x for x in maps.layers if x.key == "shared")
    liver = by_regions.planted.liver | by_regions.planted.tumours[patient]
    assert maps.prediction == pytest.approx(shown(by_regions, patient), abs=1e-3)
    assert maps.baseline is not None
    assert maps.prediction is not None
    assert abs(maps.residual or 0.0) < 1e-4
    # each region's value stands in all of its voxels: distinct values add up to the difference
    values = np.unique(shared.values[liver].astype(np.float64))
    assert values.sum() == pytest.approx(maps.prediction - maps.baseline, abs=0.05)
    assert not shared.values[~liver].any()
    np.testing.assert_allclose(shared.affine, AFFINE)
    assert maps.models == 2
    assert maps.encoder == "shape-intensity"


def test_regions_find_the_bright_tumour_and_that_it_shortens_life(by_regions: Opened) -> None:
    found = []
    for patient in brightest(by_regions, 3):
        maps = by_regions.explain(patient)
        values = next(x for x in maps.layers if x.key == "shared").values
        tumour = by_regions.planted.tumours[patient]
        found.append(auroc(values, tumour, by_regions.planted.liver))
        assert values[tumour].mean() < 0
    print("AUROC by regions", found)
    assert np.mean(found) > 0.8


def test_all_regions_kept_is_the_scan_itself(by_regions: Opened) -> None:
    """Cut to the liver and put together again, the scan gives the very features that the run was trained on."""
    patient = brightest(by_regions, 1)[0]
    scan = cut_out(read_scan(by_regions.files(patient)))
    regions = make_regions(scan, 16)
    replacing = Replacing(scan, regions)
    stored = by_regions.models.inputs.bags[Modality.VOLUMES][by_regions.models.row(patient)]
    kept = ShapeIntensity().encode_scan(replacing.without(np.ones(regions.count, dtype=bool))).features
    np.testing.assert_allclose(kept, stored, rtol=1e-5, atol=1e-5)
    nothing = replacing.without(np.zeros(regions.count, dtype=bool))
    for phase in nothing.phases:
        assert "tumour" not in phase.masks
        assert phase.volume.array[phase.masks["liver"]].std() == pytest.approx(0, abs=1e-3)
    assert set(np.unique(regions.labels)) == set(range(regions.count + 1))
    assert regions.ml.sum() == pytest.approx((by_regions.planted.liver.sum()) * 4 * 4 * 5 / 1000)


def test_the_resnets_voxel_path_gives_its_own_features(by_regions: Opened) -> None:
    """The differentiable interpolation is the encoder's: same features, though the scan lies turned and offset."""
    files = by_regions.files(brightest(by_regions, 1)[0])
    encoder = PhaseResNet(side=16, spacing=5.0)
    scan = read_scan(files)
    with torch.no_grad():
        rows = [
            encoder.network(p.cube(torch.from_numpy(p.values)[None, None]))[0].numpy()
            for p in voxel_paths(encoder, scan.phases)
        ]
    np.testing.assert_allclose(np.stack(rows), encoder.encode(files).features, rtol=1e-3, atol=1e-4)


def test_changed_files_and_foreign_encoders_are_refused(by_regions: Opened) -> None:
    first, second = brightest(by_regions, 2)
    source = ScanSource(True, "test")
    others = tuple(replace(f, patient=first) for f in by_regions.files(second))
    with pytest.raises(PrognoscopeError, match="other features"):
        scan_maps(by_regions.models, first, MONTH, others, by_regions.encoder, source, quiet)

    class Foreign:
        name = "foreign"

    with pytest.raises(PrognoscopeError, match="no way leads back"):
        scan_maps(by_regions.models, first, MONTH, by_regions.files(first), Foreign(), source, quiet)  # type: ignore[arg-type]
