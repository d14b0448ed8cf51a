"""Ridge against the normal equations; selectivity on embeddings whose content is known."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from core.statistics.ridge import ridge_map
from core.statistics.selectivity import FoldEmbedding, selectivity


def test_the_map_is_ridge_regression_with_an_intercept() -> None:
    rng = np.random.default_rng(0)
    x, z, y = rng.normal(size=(60, 7)) * 3 + 5, rng.normal(size=(11, 7)) * 3 + 5, rng.normal(size=60)
    scaled = (x - x.mean(0)) / x.std(0)
    squares = np.linalg.svd(scaled, compute_uv=False) ** 2
    target = ridge_map(x, z, 4.0) @ y
    penalties = np.exp(np.linspace(-6, 12, 2000))
    closest = penalties[np.argmin([abs((squares / (squares + p)).sum() - 4.0) for p in penalties])]
    library = Ridge(alpha=closest).fit(scaled, y).predict((z - x.mean(0)) / x.std(0))
    assert target == pytest.approx(library, abs=2e-3)
    assert ridge_map(x, z, 4.0).sum(axis=1) == pytest.approx(1.0)  # a constant is predicted as itself


def _models(liver: np.ndarray, tumour: np.ndarray, rng: np.random.Generator, folds: int = 4) -> list[FoldEmbedding]:
    """Each fold's model shows the two causes in a space of its own."""
    n = len(liver)
    fold = np.arange(n) % folds
    return [
        FoldEmbedding(
            np.arange(n),
            fold == k,
            {
                "liver": np.outer(liver, rng.normal(size=6)) + rng.normal(size=(n, 6)),
                "tumour": np.outer(tumour, rng.normal(size=6)) + rng.normal(size=(n, 6)),
            },
        )
        for k in range(folds)
    ]


def test_planted_factors_are_found_and_swapped_labels_are_negative() -> None:
    rng = np.random.default_rng(1)
    liver, tumour = rng.normal(size=(2, 160))
    bilirubin, afp = liver + 0.5 * rng.normal(size=160), tumour + 0.5 * rng.normal(size=160)
    bilirubin[:20] = np.nan
    models, markers = _models(liver, tumour, rng), {"bilirubin": bilirubin, "afp": afp}
    found = {b.block: b for b in selectivity(models, markers, {"bilirubin": "liver", "afp": "tumour"}, 199)}
    assert found["liver"].p == pytest.approx(0.005)
    assert found["tumour"].p == pytest.approx(0.005)
    assert found["liver"].value > 0.3
    assert found["liver"].markers[0].patients == 140
    swapped = selectivity(models, markers, {"bilirubin": "tumour", "afp": "liver"}, 199)
    assert all(b.value < -0.3 and b.p > 0.9 for b in swapped)


def test_without_a_factor_the_p_value_is_even() -> None:
    """Both experts know the same: the share of p below .2 is about a fifth."""
    small = 0
    for repeat in range(40):
        rng = np.random.default_rng(100 + repeat)
        cause = rng.normal(size=80)
        models = _models(cause, cause, rng, folds=2)
        block = selectivity(models, {"m": cause + rng.normal(size=80)}, {"m": "liver"}, 39, seed=repeat)[0]
        small += block.p <= 0.2
    assert small <= 20
