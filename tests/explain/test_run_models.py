"""What explanations explain is the number the run reports."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from core.cohort.storage import save_cohort
from core.errors import PrognoscopeError
from core.explain.run_models import RunModels
from core.explain.survival_at import survival_at
from core.results.run_store import load_predictions
from core.results.workspace import Workspace
from core.tasks.run_models import open_run
from core.tasks.train import TrainRequest, train
from tests.tasks.scoring_cohort import make_cohort

SMALL = {
    "snn": {"width": 32, "family_hidden": 16},
    "hdmoe": {"width": 32, "token_dim": 16, "family_hidden": 16, "n_experts": 4, "expert_hidden": 16},
    "biofact": {"width": 32},
}
QUICK = {"training.epochs": 2, "training.batch_size": 32}
MONTH = 12.0


@pytest.fixture(scope="module", params=["snn", "hdmoe", "biofact"])
def opened(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, RunModels]:
    workspace = Workspace(tmp_path_factory.mktemp("explain"))
    save_cohort(make_cohort(), None, workspace)
    settings = {**SMALL[request.param], **QUICK}
    asked = TrainRequest(
        "one", request.param, folds="3", seeds=2, settings=settings, horizons=(MONTH, 24.0), references=False,
        processes=1,
    )  # fmt: skip
    return workspace, open_run(train(asked, workspace).id, workspace)


def test_mean_over_unseen_models_is_the_shown_estimate(opened: tuple[Workspace, RunModels]) -> None:
    workspace, models = opened
    shown = load_predictions(models.run.id, workspace).ensemble()
    at = dict(zip(shown.table["id"], shown.survival_at(MONTH), strict=True))
    for patient in models.inputs.ids[:3]:
        row = np.array([models.row(patient)])
        found = []
        for model in models.unseen(patient):
            assert row[0] not in model.trained_on
            tensors = model.fitted.preparation.tensors(models.inputs.take(row))
            with torch.no_grad():
                logits = model.fitted.network.eval()(tensors.batch(np.array([0]))).logits.double()
                found.append(float(survival_at(model.fitted, logits, MONTH)[0]))
        assert len(found) == 2
        assert np.mean(found) == pytest.approx(at[patient], abs=1e-6)


def test_gradient_reaches_the_inputs(opened: tuple[Workspace, RunModels]) -> None:
    _, models = opened
    model = models.unseen(models.inputs.ids[0])[0]
    batch = model.fitted.preparation.tensors(models.inputs).batch(np.arange(4))
    assert batch.genes is not None
    batch.genes.requires_grad_(True)
    survival_at(model.fitted, model.fitted.network.eval()(batch).logits, MONTH).sum().backward()
    assert batch.genes.grad is not None
    assert float(batch.genes.grad.abs().sum()) > 0


def test_refuses_a_month_nobody_estimates_and_a_stranger(opened: tuple[Workspace, RunModels]) -> None:
    _, models = opened
    with pytest.raises(PrognoscopeError, match="no estimate at month 9999"):
        survival_at(models.model(0, 0), torch.zeros(1, 4), 9999.0)
    with pytest.raises(PrognoscopeError, match="gives no estimate for"):
        models.row("nobody")


def test_refuses_a_cohort_that_changed(opened: tuple[Workspace, RunModels], tmp_path: Path) -> None:
    workspace, models = opened
    save_cohort(make_cohort(80), None, workspace)
    try:
        with pytest.raises(PrognoscopeError, match="imported again"):
            open_run(models.run.id, workspace)
    finally:
        save_cohort(make_cohort(), None, workspace)
