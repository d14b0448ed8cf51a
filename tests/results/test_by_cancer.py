"""Concordance within a fold and a cancer, against scikit-survival on each block of patients."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sksurv.metrics import concordance_index_censored

from core.results.by_cancer import by_cancer
from core.results.prediction import Predictions


def predictions(n: int = 240) -> tuple[Predictions, dict[str, str]]:
    """Two cancers of very different lethality, one fold a patient, two seeds; risk follows the cancer above all."""
    draw = np.random.default_rng(3)
    cancer = np.where(np.arange(n) % 3 == 0, "fast", "slow")
    score = draw.normal(size=n)
    time = draw.exponential(np.where(cancer == "fast", 5.0, 60.0) * np.exp(-0.5 * score))
    event = (draw.random(n) < 0.7).astype(int)
    ids = [f"P{i}" for i in range(n)]
    tables = []
    for seed in (0, 1):
        risk = 10.0 * (cancer == "fast") + score + draw.normal(size=n)
        tables.append(pd.DataFrame({"id": ids, "fold": np.arange(n) % 4, "seed": seed, "entry": 0.0, "time": time,
                                    "event": event, "risk": risk}))  # fmt: skip
    table = pd.concat(tables, ignore_index=True)
    return Predictions(table, np.array([12.0]), np.full((2 * n, 1), 0.5)), dict(zip(ids, cancer, strict=True))


def test_a_cancers_c_counts_the_pairs_within_its_folds_alone() -> None:
    run, cancers = predictions()
    found = by_cancer(run, cancers, 50)
    table = run.ensemble().table
    assert [r.cancer for r in found.rows] == ["fast", "slow"]
    for row in found.rows:
        concordant = comparable = 0
        for fold in range(4):
            part = table[(table["id"].map(cancers) == row.cancer) & (table["fold"] == fold)]
            _, right, wrong, tied, _ = concordance_index_censored(part["event"] == 1, part["time"], part["risk"])
            concordant, comparable = concordant + right + tied / 2, comparable + right + wrong + tied
        assert row.harrell_c.mean == pytest.approx(concordant / comparable, abs=1e-12)
        assert row.patients == sum(c == row.cancer for c in cancers.values())
    assert found.mean.mean == pytest.approx(np.mean([r.harrell_c.mean for r in found.rows]))
    assert found.mean.low < found.mean.mean < found.mean.high  # type: ignore[operator]


def test_knowing_only_the_cancer_is_worth_nothing() -> None:
    run, cancers = predictions()
    table = run.table.assign(risk=(run.table["id"].map(cancers) == "fast").astype(float))
    found = by_cancer(Predictions(table, run.times, run.survival), cancers, 50)
    assert found.mean.mean == pytest.approx(0.5)


def test_a_cancer_without_events_is_named_and_left_out_of_the_mean() -> None:
    run, cancers = predictions()
    table = run.table.copy()
    table.loc[table["id"].map(cancers) == "slow", "event"] = 0
    fast, slow = (found := by_cancer(Predictions(table, run.times, run.survival), cancers, 50)).rows
    assert (slow.events, slow.harrell_c.mean) == (0, None)
    assert found.mean.mean == fast.harrell_c.mean
