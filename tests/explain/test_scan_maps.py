"""Maps over scans add up to what they explain, lie where the scan lies, and find what was planted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from core.arrays import BoolArray
from core.cohort.media_index import MediaFile, load_media
from core.cohort.modality import Modality
from core.errors import PrognoscopeError
from core.explain.bag_survival import BagSurvival
from core.explain.run_models import RunModels
from core.explain.scan_gradients import voxel_effects, voxel_paths
from core.explain.scan_maps import ScanSource, scan_maps
from core.explain.scan_regions import Replacing, cut_out, make_regions
from core.features.encoders import Encoder, make_encoder
from core.features.scan import read_scan
from core.features.volume_encoder import ShapeIntensity
from core.features.volume_resnet import PhaseResNet
from core.results.run_store import load_predictions
from core.results.scan_maps import ScanMaps, load_scan_maps
from core.results.workspace import Workspace
from core.tasks.encode import EncodeRequest, encode
from core.tasks.explain_scan import make
from core.tasks.run_models import open_run
from core.tasks.train import TrainRequest, train
from tests.explain.scan_cohort import AFFINE, MONTH, PlantedScans, make_planted_scans

SMALL = {
    "width": 32, "token_dim": 16, "family_hidden": 16, "n_experts": 4, "expert_hidden": 16, "training.epochs": 40,
    "training.batch_size": 8,
}  # fmt: skip
NETWORK = {"side": 16}


def quiet(share: float, words: str) -> None:
    del share, words


class Opened:
    """A run on planted scans, and what its explanations need."""

    def __init__(self, workspace: Workspace, planted: PlantedScans, encoder: str, top_k: int) -> None:
        self.workspace, self.planted = workspace, planted
        settings = {"monai-small": NETWORK}
        volumes = Modality.VOLUMES
        encode(EncodeRequest("study", (volumes,), {volumes: encoder}, settings, processes=1), workspace)
        self.encoder: Encoder = make_encoder(encoder, settings.get(encoder))
        asked = TrainRequest(
            "study", "hdmoe", (volumes,), folds="2", seeds=2, settings={**SMALL, "top_k": top_k},
            horizons=(6.0, MONTH), references=False, processes=1,
        )  # fmt: skip
        self.models: RunModels = open_run(train(asked, workspace).id, workspace)

    def files(self, patient: str) -> tuple[MediaFile, ...]:
        return load_media("study", self.workspace).of(patient, Modality.VOLUMES)

    def survival(self, patient: str) -> BagSurvival:
        return BagSurvival(self.models, self.models.unseen(patient), patient, Modality.VOLUMES, MONTH)

    def explain(self, patient: str) -> ScanMaps:
        make(self.models, patient, MONTH, self.workspace, quiet)
        return load_scan_maps(self.models.run.id, patient, self.workspace)


def opened(folder: Path, encoder: str, top_k: int = 1) -> Opened:
    workspace = Workspace(folder / "workspace")
    return Opened(workspace, make_planted_scans(workspace, folder), encoder, top_k)


@pytest.fixture(scope="module")
def by_regions(tmp_path_factory: pytest.TempPathFactory) -> Opened:
    return opened(tmp_path_factory.mktemp("regions"), "shape-intensity")


@pytest.fixture(scope="module")
def by_gradients(tmp_path_factory: pytest.TempPathFactory) -> Opened:
    """All experts answer: with one chosen, S jumps along the path, and no gradient adds up."""
    return opened(tmp_path_factory.mktemp("gradients"), "monai-small", top_k=4)


@pytest.fixture(autouse=True)
def few_orders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.explain.scan_ablation.MOST_ORDERS", 4)
    monkeypatch.setattr("core.explain.scan_maps.REGIONS", 16)


def brightest(found: Opened, count: int) -> list[str]:
    bright = found.planted.brightness
    return sorted(bright, key=lambda p: -bright[p])[:count]


def auroc(values: np.ndarray, tumour: BoolArray, liver: BoolArray) -> float:
    return float(roc_auc_score(tumour[liver], np.abs(values)[liver]))


def shown(found: Opened, patient: str) -> float:
    table = load_predictions(found.models.run.id, found.workspace).ensemble()
    at = dict(zip(table.table["id"], table.survival_at(MONTH), strict=True))
    return 100 * float(at[patient])


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


def test_gradients_add_up_to_the_difference(by_gradients: Opened) -> None:
    patient = brightest(by_gradients, 1)[0]
    maps = by_gradients.explain(patient)
    assert maps.prediction == pytest.approx(shown(by_gradients, patient), abs=1e-2)
    total = sum(float(x.values.sum(dtype=np.float64)) * 4 * 4 * 5 / 1000 for x in maps.layers)
    assert maps.prediction is not None
    assert maps.baseline is not None
    size = float(sum(np.abs(x.values).sum() for x in maps.layers)) * 4 * 4 * 5 / 1000
    print("gradients", maps.prediction, maps.baseline, maps.residual, size, maps.method, maps.notes)
    assert size > 1
    assert total == pytest.approx(maps.prediction - maps.baseline, abs=max(0.06, 0.06 * size))
    assert maps.residual == pytest.approx(maps.prediction - maps.baseline - total, abs=1e-3)
    assert {x.phase for x in maps.layers} == {"t1", "arterial"}
    for layer in maps.layers:
        assert not layer.values[~by_gradients.planted.liver].any()


def test_gradients_weigh_the_tumour_more_in_the_phase_that_shows_it(by_gradients: Opened) -> None:
    found: dict[str, list[float]] = {"t1": [], "arterial": []}
    for patient in brightest(by_gradients, 3):
        for layer in by_gradients.explain(patient).layers:
            tumour = by_gradients.planted.tumours[patient]
            found[layer.phase].append(auroc(layer.values, tumour, by_gradients.planted.liver))
    print("AUROC by gradients", {k: np.round(v, 2) for k, v in found.items()})
    assert np.mean(found["arterial"]) > 0.6
    assert np.mean(found["arterial"]) > np.mean(found["t1"])


def test_more_points_miss_less(by_gradients: Opened) -> None:
    patient = brightest(by_gradients, 1)[0]
    scan, survival = read_scan(by_gradients.files(patient)), by_gradients.survival(patient)
    few = voxel_effects(by_gradients.encoder, scan, survival, quiet, most_seconds=0.0)  # type: ignore[arg-type]
    many = voxel_effects(by_gradients.encoder, scan, survival, quiet)  # type: ignore[arg-type]
    assert few.steps < many.steps or abs(few.residual) < 0.1
    assert abs(many.residual) <= abs(few.residual) + 0.01


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
