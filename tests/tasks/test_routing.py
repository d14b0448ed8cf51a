"""The routing of a run: reading it changes nothing, everything is out of fold, switches change what they should."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from core.cohort.storage import save_cohort
from core.errors import PrognoscopeError
from core.explain.survival_at import survival_at
from core.models.output import Trace
from core.results.routing_record import RoutingRecord, has_routing, load_routing
from core.results.run_store import load_predictions
from core.results.workspace import Workspace
from core.tasks.routing import RoutingRequest, read_routing
from core.tasks.run_models import open_run
from core.tasks.train import TrainRequest, train
from tests.tasks.scoring_cohort import make_cohort

SMALL = {
    "hdmoe": {"width": 32, "token_dim": 16, "family_hidden": 16, "n_experts": 4, "expert_hidden": 16},
    "biofact": {"width": 32},
}
QUICK = {"training.epochs": 2, "training.batch_size": 32}
MONTH = 12.0


def trained(model: str, folder: Path) -> tuple[Workspace, str]:
    workspace = Workspace(folder)
    save_cohort(make_cohort(), None, workspace)
    settings = {**SMALL.get(model, {"width": 32, "family_hidden": 16}), **QUICK}
    asked = TrainRequest(
        "one", model, folds="2", seeds=2, settings=settings, horizons=(MONTH, 24.0), references=False, processes=1
    )
    return workspace, train(asked, workspace).id


@pytest.fixture(scope="module", params=["hdmoe", "biofact"])
def read(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, RoutingRecord]:
    workspace, run = trained(request.param, tmp_path_factory.mktemp("routing"))
    record = read_routing(RoutingRequest(run, MONTH), workspace)
    assert has_routing(run, workspace)
    return workspace, record


def test_reading_a_trace_changes_nothing(read: tuple[Workspace, RoutingRecord]) -> None:
    workspace, record = read
    models = open_run(record.run, workspace)
    fitted = models.model(0, 0)
    batch = fitted.preparation.tensors(models.inputs).batch(np.arange(20))
    with torch.no_grad():
        plain, traced = (fitted.network.eval()(batch, t).logits for t in (Trace.NONE, Trace.ROUTING))
    assert torch.equal(plain, traced)
    assert record.extra["difference"] == 0
    assert load_routing(record.run, workspace).extra == record.extra


def test_estimates_and_gates_are_those_of_the_models_that_never_saw_the_patient(
    read: tuple[Workspace, RoutingRecord],
) -> None:
    workspace, record = read
    shown = load_predictions(record.run, workspace).ensemble()
    at = dict(zip(shown.table["id"], shown.survival_at(MONTH), strict=True))
    expected = [100 * at[i] for i in record.ids]
    assert record.estimate.mean(axis=0) == pytest.approx(expected, abs=1e-3)
    models = open_run(record.run, workspace)
    patient = 5
    fitted = models.model(int(models.fold[patient]), 1)
    batch = fitted.preparation.tensors(models.inputs).batch(np.array([patient]))
    with torch.no_grad():
        routing = fitted.network.eval()(batch, Trace.ROUTING).routing
    assert routing is not None
    for name, level in record.levels.items():
        own = routing.levels[name].gate_mass[0].mean(axis=0)
        if level.present[patient]:
            order = level.order[models.fold[patient], 1]
            assert level.mass[1, patient] == pytest.approx(own[order], abs=1e-5)
        here = level.present
        assert np.nansum(level.mass[:, here], axis=2) == pytest.approx(1.0, abs=1e-4)
        assert np.nansum(level.load[:, here], axis=2) == pytest.approx(1.0, abs=1e-4)
        assert np.isnan(level.mass[:, ~here]).all()


def test_an_expert_switched_off_by_hand_gives_the_same_change(read: tuple[Workspace, RoutingRecord]) -> None:
    workspace, record = read
    models = open_run(record.run, workspace)
    name, level = next(reversed(record.levels.items()))
    patient, shown = 3, 1
    fold = int(models.fold[patient])
    fitted = models.model(fold, 0)
    batch = fitted.preparation.tensors(models.inputs).batch(np.array([patient]))
    expert = int(level.order[fold, 0, shown])
    with torch.no_grad():
        plain = fitted.network.eval()(batch).logits.double()
        muted = fitted.network(batch, muted={name: (expert,)}).logits.double()
        change = 100 * float((survival_at(fitted, muted, MONTH) - survival_at(fitted, plain, MONTH))[0])
    assert level.survival[0, patient, shown] == pytest.approx(change, abs=1e-3)
    assert np.nanmax(np.abs(level.survival)) > 0


def test_modalities_off_and_what_comes_back_from_disk(read: tuple[Workspace, RoutingRecord]) -> None:
    workspace, record = read
    back = load_routing(record.run, workspace)
    assert back.ids == record.ids
    assert list(back.levels) == list(record.levels)
    for name, level in back.levels.items():
        first = record.levels[name]
        for field in ("mass", "load", "survival", "order", "within", "between"):
            np.testing.assert_array_equal(getattr(level, field), getattr(first, field))
    for modality, off in back.modalities.items():
        lack = ~np.asarray(open_run(record.run, workspace).inputs.present[modality])
        assert np.isnan(off.survival[:, lack]).all()
        assert np.isfinite(off.survival).any()
    assert back.maps["PCA"].points.shape == (len(back), 2)
    assert {"PCA", "UMAP"} <= set(back.maps)


def test_a_model_without_experts_is_refused(tmp_path: Path) -> None:
    workspace, run = trained("snn", tmp_path)
    with pytest.raises(PrognoscopeError, match="a model without experts"):
        read_routing(RoutingRequest(run), workspace)
