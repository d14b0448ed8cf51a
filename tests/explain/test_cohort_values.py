"""What moves a run's estimates over many patients, in order, and where that order may be shown."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest

from core.cohort.modality import Modality
from core.errors import PrognoscopeError
from core.explain.cohort_values import CohortSettings, Feature, chosen_rows, explain_cohort, rank_features
from core.results.cohort_explanation import load_cohort_explanation, save_cohort_explanation
from core.results.workspace import Workspace
from tests.explain.mixed_models import FittedModels, fit_models

trained = lru_cache(fit_models)
MONTH = 12.0


def judged(models: FittedModels) -> FittedModels:
    """The patients of fold 0 alone: those of fold 1 were trained on here."""
    rows = np.flatnonzero(models.fold == 0)
    found = replace(models, fold=np.where(models.fold == 0, 0, 1))
    object.__setattr__(found, "fitted", models.fitted)
    assert len(rows) == 20
    return found


def test_planted_genes_lead(workspace: Workspace) -> None:
    models = judged(trained("snn", 80, ("genomics", "clinical"), 2, 1))
    found = explain_cohort(models, MONTH, "test", CohortSettings(40, 10, 4))
    assert set(found.ranking("genomics")[:2]) == {"G0", "G1"}
    table = found.features.set_index("name")
    assert table.loc["G0", "direction"] < -0.8  # a high value lowers survival
    assert table.loc["G1", "direction"] > 0.8
    assert np.isnan(table.loc["stage", "direction"])
    assert list(found.features["rank"]) == list(range(1, 17))
    assert (table["rank_low"] <= table["rank_high"]).all()
    points = found.points("stage")
    assert len(points) == 40
    assert set(points["value"]) <= {0.0, 1.0, 2.0}
    assert found.categories == {"stage": ("I", "II", "III")}
    lacking = ~models.inputs.present[Modality.GENOMICS][[models.row(p) for p in found.patients]]
    assert lacking.any()
    assert np.isnan(found.contributions[lacking][:, found.ranking().index("G0")]).all()
    save_cohort_explanation(found, workspace)
    back = load_cohort_explanation(found.run, MONTH, workspace)
    assert np.array_equal(back.contributions, found.contributions, equal_nan=True)
    assert back.features.equals(found.features)
    assert {k: v for k, v in vars(back).items() if k not in ("features", "contributions", "values")} == {
        k: v for k, v in vars(found).items() if k not in ("features", "contributions", "values")
    }
    with pytest.raises(PrognoscopeError, match="no explanation of the whole cohort at month 24"):
        load_cohort_explanation(found.run, 24.0, workspace)


def test_bags_have_a_column_each() -> None:
    found = explain_cohort(judged(trained("hdmoe")), MONTH, "test", CohortSettings(10, 5, 4))
    table = found.features.set_index("name")
    assert table.loc["slides", "importance"] > 0
    rows = found.points("slides")["value"]
    assert ((rows >= 3) & (rows < 9)).all()


def test_ranks_of_seeds_that_disagree_are_not_stable() -> None:
    random = np.random.default_rng(0)
    features = tuple(Feature(f"G{i}", Modality.GENOMICS) for i in range(50))
    shares = random.normal(size=(3, 30, 50))
    table, order = rank_features(shares, random.normal(size=(30, 50)).astype(np.float32), features, {})
    assert (table["rank_high"] - table["rank_low"]).median() > 10
    assert list(np.array([f.name for f in features])[order]) == list(table["name"])


def test_the_same_patients_every_time() -> None:
    settings = CohortSettings(patients=10)
    assert np.array_equal(chosen_rows(50, settings), chosen_rows(50, settings))
    assert len(chosen_rows(5, settings)) == 5
