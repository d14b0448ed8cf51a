"""The table of all cancers: a choice made inside a fold never sees its test patients, and averages are averages."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.cohort.combining import combine_into
from core.cohort.folds import Folds
from core.cohort.splits import check_leakage, inner_folds, resolve_folds
from core.cohort.storage import load_cohort, save_cohort
from core.results.prediction import COLUMNS, Predictions
from core.results.workspace import Workspace
from core.tasks import bench_eleven as bench_module
from core.tasks import eleven_cancers
from core.tasks.bench_eleven import CHOSEN, bench_eleven
from core.tasks.eleven_cancers import BIOFACT, HDMOE, MICE, TOGETHER, averaged
from core.tasks.inner_choice import InnerChoice, as_chosen
from core.tasks.mice_study import COHORT
from core.tasks.train import silent
from core.training.config import TrainingConfig
from core.training.estimators import EstimatorSpec
from tests.tasks.scoring_cohort import make_cohort

NAMES = ("blca", "brca", "lihc", "luad")
ONE = TrainingConfig(epochs=1)


def test_the_inner_split_leaves_the_outer_test_patients_out() -> None:
    outer = Folds("published", np.array([0, 1, 2, 3, 4, 0, 1, 2, 3, 4, -1]))
    inner = inner_folds(outer, 4)
    assert set(np.flatnonzero(inner.test_fold == -1)) == {4, 9, 10}
    assert inner.k == 1
    assert inner.test(0).tolist() == [0, 5]  # the fold after the last is the first
    assert inner.train(0).tolist() == [1, 2, 3, 6, 7, 8]


def predictions(risks: dict[str, float], fold: int) -> Predictions:
    """S falls with the number given; both patients in one fold."""
    rows = [(i, fold, 0, 0.0, 10.0, 1, r) for i, r in risks.items()]
    curves = np.array([[1 - r / 10, np.nan if r > 5 else 1 - r / 5] for r in risks.values()])
    return Predictions(pd.DataFrame(rows, columns=list(COLUMNS)), np.array([12.0, 60.0]), curves)


def test_averages_of_curves_are_compared_at_months_all_estimate() -> None:
    a, b = predictions({"p": 1.0, "q": 2.0}, 0), predictions({"p": 6.0, "q": 2.0}, 0)
    mean = averaged([a, b], {"p": "x", "q": "x"})
    at_12 = list(eleven_cancers.MONTHS).index(12.0)
    assert mean.survival[:, at_12] == pytest.approx([(0.9 + 0.4) / 2, 0.8])
    assert np.isnan(mean.survival[0, -1])
    assert mean.table["risk"].tolist() == sorted(mean.table["risk"].tolist(), reverse=True)


def test_each_fold_takes_what_it_chose() -> None:
    first = predictions({"p": 1.0}, 0), predictions({"q": 2.0}, 1)
    rows = {
        name: Predictions(
            pd.concat([f.table.assign(risk=f.table["risk"] + shift) for f in first], ignore_index=True),
            first[0].times, np.concatenate([f.survival for f in first]),
        )
        for name, shift in (("a", 0.0), ("b", 100.0))
    }  # fmt: skip
    found = as_chosen(InnerChoice({}, {0: "b", 1: "a"}), rows)
    assert dict(zip(found.table["id"], found.table["risk"], strict=True)) == {"p": 101.0, "q": 2.0}


@pytest.mark.slow
def test_whole_table_on_small_cohorts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = Workspace(tmp_path / "ws")
    for i, name in enumerate(NAMES):
        cohort = make_cohort(100, f"tcga-{name}", i, name[:2].upper(), f"TCGA-{name.upper()}")
        patients = cohort.patients.assign(site=[f"{name}{k % 10}" for k in range(100)])
        folds = {"published": Folds("published", np.arange(100) % 5)}
        save_cohort(replace(cohort, folds=folds, patients=patients), None, workspace)
    combine_into(workspace, [f"tcga-{n}" for n in NAMES], COHORT)
    pan = load_cohort(COHORT, workspace)
    check_leakage(resolve_folds(pan, "site"), pan)
    small = {
        HDMOE: {"width": 32, "token_dim": 16, "family_hidden": 16, "n_experts": 2, "expert_hidden": 8},
        BIOFACT: {"width": 32},
        MICE: {"width": 32, "gene_hidden": 16, "clinical_hidden": 16, "rank": 8, "overlapping": 4, "keep": 2},
        "SNN": {"width": 16, "family_hidden": 16},
    }
    rows = tuple(
        replace(c, estimator=EstimatorSpec(c.estimator.name, small.get(c.label, {}), ONE)) if c.estimator else c
        for c in eleven_cancers.CANDIDATES
        if not c.only_full
    )
    for module in ("eleven_cancers", "eleven_sites", "inner_choice", "bench_eleven"):
        monkeypatch.setattr(f"core.tasks.{module}.CANDIDATES", rows)
    monkeypatch.setattr(eleven_cancers, "CANCERS", NAMES)
    monkeypatch.setattr(bench_module, "PROCESSES", 1)
    monkeypatch.setattr(eleven_cancers.Tables.of.__func__, "__defaults__", (NAMES,))
    evidence = tmp_path / "EVIDENCE.md"
    result = bench_eleven(workspace, False, silent, evidence)
    names = {row.name for row in result.rows}
    assert {f"{label}:{family}" for label in (CHOSEN, TOGETHER, MICE) for family in ("published", "site")} <= names
    assert all(0.2 < row.value < 0.9 for row in result.rows)
    text = evidence.read_text(encoding="utf-8")
    assert "eleven-cancers: begin" in text
    assert "Aim of 0.70" in text
    assert "| Genes as given (no model) |" in text
    assert "clinical permuted" in text
