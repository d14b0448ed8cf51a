"""KernelSHAP over few players is the exact Shapley value, and adds up."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest

from core.errors import PrognoscopeError
from core.explain.coalitions import coalitions, shapley_values
from core.explain.few_players import Game, kernel_values, level_values
from core.explain.values import ValueSettings, explain_values
from tests.explain.mixed_models import fit_models

trained = lru_cache(fit_models)
MONTH = 12.0


def test_is_exact_where_all_coalitions_fit() -> None:
    worth = np.random.default_rng(0).normal(size=16)
    game = Game(("a", "b", "c", "d"), lambda held: worth[held @ (1 << np.arange(4))])
    assert np.allclose(kernel_values(game), shapley_values(worth[:, None])[:, 0], atol=1e-6)
    assert len(coalitions(4)) == 16


def test_modalities_add_up_and_agree_with_the_values() -> None:
    models = trained("snn")
    found = level_values(models, "P000", MONTH, "modality")
    values = explain_values(models, "P000", MONTH, "test", ValueSettings(check=False))
    assert found["value"].sum() == pytest.approx(values.prediction - values.baseline, abs=1e-3)
    assert set(found["name"]) == {"slides", "genomics", "reports", "clinical"}
    bags = values.features.set_index("name").loc[["slides", "reports"], "value"]
    # genes and clinical columns are one player there and two here: the bags' values may differ by their interaction
    assert np.allclose(found.set_index("name").loc[["slides", "reports"], "value"], bags, atol=0.5)


def test_families_share_their_common_gene() -> None:
    models = trained("snn")
    found = level_values(models, "P000", MONTH, "family", background=10)
    whole = level_values(models, "P000", MONTH, "modality", background=10)
    assert set(found["name"]) == {"first", "second", "third", "clinical", "slides", "reports"}
    assert found["value"].sum() == pytest.approx(whole["value"].sum(), abs=1e-3)


@pytest.mark.parametrize("name", ["hdmoe", "biofact", "mice"])
def test_experts_of_every_mixture(name: str) -> None:
    models = trained(name)
    found = level_values(models, "P000", MONTH, "expert")
    assert len(found) >= 2
    assert found["name"].is_unique
    assert np.isfinite(found["value"]).all()
    assert found["value"].abs().max() > 0
    named = ~found["name"].str.contains(" of model ")
    assert np.isfinite(found["std"][named]).all()
    assert found["std"][~named].isna().all()


def test_a_model_without_experts_says_so() -> None:
    with pytest.raises(PrognoscopeError, match="a model without experts"):
        level_values(trained("snn"), "P000", MONTH, "expert")
