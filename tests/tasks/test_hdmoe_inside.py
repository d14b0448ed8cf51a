"""What is read from inside trained HDMoE models: redundancy, allocation, repeated random reorganisation."""

from __future__ import annotations

import numpy as np
import pytest

from core.cohort.cohort import Cohort
from core.cohort.modality import Modality
from core.cohort.sample import save_sample
from core.models.hdmoe.arrangements import draw_probabilities, fixed_arrangement
from core.models.hdmoe.model import HDMoE
from core.results.workspace import Workspace
from core.statistics.allocation import allocation
from core.statistics.self_correlation import self_correlation
from core.statistics.two_groups import two_groups
from core.tasks.cell_models import kept_models
from core.tasks.cells import Cell, CellSpec, run_cell
from core.tasks.hdmoe_inside import look_inside
from core.tasks.hdmoe_risk_groups import risk_groups_of
from core.tasks.rfr_draws import repeat_evaluation
from core.training.config import TrainingConfig
from core.training.estimators import EstimatorSpec
from core.training.fit import predict_logits

BOTH = (Modality.GENOMICS, Modality.CLINICAL)
SETTINGS = {"width": 32, "token_dim": 8, "family_hidden": 16, "n_experts": 4, "reorganise_rate": 1.0}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Cell, Cohort]:
    """Two folds of the sample cohort, models kept."""
    workspace = Workspace(tmp_path_factory.mktemp("workspace"))
    cohort = save_sample(workspace)
    estimator = EstimatorSpec("hdmoe", SETTINGS, TrainingConfig(epochs=3))
    spec = CellSpec("HDMoE", "sample", "site", estimator, BOTH, 1, tested=2, models=True)
    return run_cell(spec, cohort, workspace, 1, lambda share, message: None), cohort


def test_kept_models_predict_what_the_cell_holds(trained: tuple[Cell, Cohort]) -> None:
    cell, cohort = trained
    for tested in kept_models(cell, cohort):
        rows = cell.predictions.table[cell.predictions.table["fold"] == tested.fold]
        assert list(rows["id"]) == list(tested.inputs.ids)
        risk = tested.model.predict(tested.inputs, np.array([12.0])).risk
        np.testing.assert_allclose(risk, rows["risk"], rtol=0, atol=1e-6)


def test_the_average_over_all_pairs_of_arrangements_is_what_the_model_evaluates(trained: tuple[Cell, Cohort]) -> None:
    """Averaging 6 × 7 evaluations at one arrangement each is an independent way to the model's own folded average."""
    tested = next(kept_models(*trained))
    network = tested.model.network
    assert isinstance(network, HDMoE)
    tensors = tested.model.preparation.tensors(tested.inputs)
    own = predict_logits(network, tensors, len(tested.inputs)).double().numpy()
    probabilities = draw_probabilities(network)
    assert probabilities.sum() == pytest.approx(1)
    total = np.zeros_like(own)
    for (i, j), p in np.ndenumerate(probabilities):
        with fixed_arrangement(network, i, j):
            total += p * predict_logits(network, tensors, len(tested.inputs)).double().numpy()
    np.testing.assert_allclose(total, own, atol=1e-5)
    np.testing.assert_array_equal(predict_logits(network, tensors, len(tested.inputs)).double().numpy(), own)


def test_repeated_draws_scatter_around_one_exact_number(trained: tuple[Cell, Cohort]) -> None:
    tested = next(kept_models(*trained))
    draws = repeat_evaluation(tested, 40, seed=1)
    assert draws.drawn.shape == (40,)
    assert draws.drawn.std() > 0
    assert draws.within > 0
    assert abs(draws.drawn.mean() - draws.exact) < 0.1
    np.testing.assert_array_equal(repeat_evaluation(tested, 40, seed=1).drawn, draws.drawn)


def test_shares_of_the_experts_sum_to_one_on_every_level(trained: tuple[Cell, Cohort]) -> None:
    inside = look_inside(*trained)
    assert set(inside.allocations) == {"level 1 · genomics", "level 1 · clinical", "level 2"}
    for allocations in inside.allocations.values():
        assert len(allocations) == 2
        for shares in allocations:
            assert shares.load.shape == (4,)
            assert shares.load.sum() == pytest.approx(1)
            assert shares.mass.sum() == pytest.approx(1)
            assert 0 <= shares.entropy <= 1
            assert (np.diff(shares.ranked().load) <= 0).all()


def test_allocation_by_hand() -> None:
    assigned = np.array([[[1, 0, 0, 0], [1, 0, 0, 0]], [[0, 1, 0, 0], [1, 0, 0, 0]]], dtype=float)
    shares = allocation(assigned, np.full((2, 2, 4), 0.25))
    np.testing.assert_allclose(shares.load, [0.75, 0.25, 0, 0])
    np.testing.assert_allclose(shares.mass, 0.25)
    assert shares.unused == 2
    assert shares.entropy == pytest.approx(-(0.75 * np.log(0.75) + 0.25 * np.log(0.25)) / np.log(4))


def test_redundancy_by_hand() -> None:
    """Patient 1: r(1,2) = 1, r(1,3) = −1; patient 2: tokens 1 and 2 uncorrelated, token 3 constant, so undefined."""
    tokens = np.array(
        [[[1, 2, 3, 4], [2, 4, 6, 8], [4, 3, 2, 1]], [[1, -1, 1, -1], [1, 1, -1, -1], [5, 5, 5, 5]]], dtype=float
    )
    found = self_correlation(tokens)
    np.testing.assert_allclose(found.mean, [[1, 0.5, -1], [0.5, 1, -1], [-1, -1, 1]], atol=1e-12)
    np.testing.assert_allclose(found.absolute, [[1, 0.5, 1], [0.5, 1, 1], [1, 1, 1]], atol=1e-12)
    assert found.redundancy == pytest.approx(5 / 6)
    assert found.total == pytest.approx(2 * (0.5 - 1 - 1))
    assert found.undefined == pytest.approx(4 / 12)
    cosine = self_correlation(tokens[:1], "cosine")
    assert cosine.mean[0, 2] == pytest.approx(20 / 30)  # 1·4 + 2·3 + 3·2 + 4·1 over 1 + 4 + 9 + 16


def test_risk_groups_use_the_training_thresholds_and_known_status_only(trained: tuple[Cell, Cohort]) -> None:
    cell, cohort = trained
    groups = risk_groups_of(cell, cohort)
    table = cell.predictions.table
    limits = table["fold"].map(lambda fold: cell.thresholds[str(fold)]["median"])
    assert groups.survival.groups[1].n == int((table["risk"] > limits).sum())
    month = table["time"].median()
    died = int(((table["event"] == 1) & (table["time"] <= month)).sum())
    alive = int((table["time"] > month).sum())
    assert (groups.by_status.n_first, groups.by_status.n_second) == (died, alive)
    assert groups.unknown == len(table) - died - alive
    assert groups.circular_p is not None
    assert groups.circular_p < 1e-4  # a split by the outcome itself needs no model


def test_two_groups_by_hand() -> None:
    found = two_groups([3.0, 5.0, 7.0], [1.0, 2.0, 3.0])
    assert found.t == pytest.approx((5 - 2) / np.sqrt(4 / 3 + 1 / 3))
    assert found.auc == pytest.approx(8.5 / 9)
