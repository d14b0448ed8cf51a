"""Every metric of compared runs and their rank correlation come out of the exported scripts as the page shows them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from core.analysis.comparison_behind import forest_behind, metric_month
from core.analysis.comparison_tables import forest_numbers, run_names
from core.analysis.reproduce_agreement import agreement_python, agreement_r
from core.analysis.reproduce_forest import forest_python, forest_r
from core.analysis.run_agreement import agreement
from core.analysis.run_comparison import RunComparison, compare_runs
from core.cohort.sample import make_sample_cohort
from core.results.prediction import Predictions
from tests.analysis.scripts import LANGUAGES, Script, as_exported, run_all, tied
from tests.pages.builders import make_predictions, make_run

COHORT = make_sample_cohort()[0]


def compared(first: Predictions, second: Predictions) -> RunComparison:
    runs = (make_run(COHORT, first, "hdmoe-1"), make_run(COHORT, second, "mice-2"))
    return compare_runs(runs, {"hdmoe-1": first, "mice-2": second}, "mice-2")


def cases() -> dict[str, RunComparison]:
    """Two runs of other seeds; the same with whole months and equal risks."""
    flat = replace(make_predictions(COHORT), survival=make_predictions(COHORT).survival ** 1.3)
    coarse = tied(COHORT)
    blurred = coarse.table.assign(risk=(coarse.table["risk"] * 0.5).round(1))
    other = Predictions(blurred, coarse.times, coarse.survival**0.8)
    return {"": compared(flat, make_predictions(COHORT, seeds=(0,))), ", tied": compared(coarse, other)}


FOUND = cases()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_scripts_find_the_numbers_of_the_page(language: str, tmp_path: Path) -> None:
    make = forest_python if language == "python" else forest_r
    scripts = {}
    for words, result in FOUND.items():
        names = run_names(tuple(c.run for c in result.compared))
        for metric in result.metrics:
            code = make("Runs on the same patients", metric.label, metric.key, metric_month(result, metric))
            tables = (forest_numbers(result, names, metric.key), forest_behind(result, metric))
            scripts[f"{metric.label}{words}"] = Script(code, tables)
    assert {"Harrell C", "Uno C, tied", "Integrated Brier score", "AUC at month 36, tied"} <= set(scripts)
    scripts["value altered"] = scripts["Uno C"].altered("value", row=1)
    scripts["difference altered"] = scripts["Integrated Brier score"].altered("difference", row=1)
    as_exported(run_all(language, scripts, tmp_path))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_rank_correlation_is_that_of_the_page(language: str, tmp_path: Path) -> None:
    make = agreement_python if language == "python" else agreement_r
    found = agreement(FOUND[", tied"], "hdmoe-1", "mice-2", 36.0)
    places = agreement(FOUND[", tied"], "hdmoe-1", "mice-2")
    scripts = {
        "at a month": Script(make("t", found.spearman), (found.table(),)),
        "places": Script(make("t", places.spearman), (places.table(),)),
        "without": Script(make("t", float("nan")), (found.table(),)),
        "correlation altered": Script(make("t", found.spearman - 1e-5), (found.table(),)),
    }
    as_exported(run_all(language, scripts, tmp_path))


def test_nobody_is_named_and_the_order_says_nothing() -> None:
    result = FOUND[""]
    for metric in result.metrics:
        behind = forest_behind(result, metric)
        assert len(behind) == 2 * len(result.ids)
        written = behind.to_csv(index=False)
        assert not any(name in written for name in COHORT.ids)
        assert all(part["time"].is_monotonic_increasing for _, part in behind.groupby("run"))
