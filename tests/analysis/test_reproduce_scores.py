"""Brier score and AUC come out of the exported scripts as the page shows them, ties and selections included."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from core.analysis.model_quality import ModelQuality, assess
from core.analysis.quality_behind import auc_behind, auc_numbers, brier_behind, brier_numbers
from core.analysis.reproduce_scores import auc_python, auc_r, brier_python, brier_r
from core.cohort.sample import make_sample_cohort
from core.results.prediction import Predictions
from tests.analysis.scripts import LANGUAGES, Script, as_exported, run_all, tied
from tests.pages.builders import make_predictions

COHORT = make_sample_cohort()[0]
MONTHS = (12.0, 36.0, 60.0, 240.0)


def cases() -> dict[str, ModelQuality]:
    """Everybody; some patients of a run whose months are whole and whose risks are equal; a run of one fold."""
    predictions = make_predictions(COHORT)
    alone = Predictions(predictions.table.assign(fold=0), predictions.times, predictions.survival)
    return {
        "everybody": assess("r", predictions, tuple(COHORT.ids), MONTHS),
        "some, tied": assess("r", tied(COHORT), tuple(COHORT.ids[::2]), MONTHS),
        "one fold": assess("r", alone, tuple(COHORT.ids), MONTHS),
    }


QUALITY = cases()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_scripts_find_the_numbers_of_the_page(language: str, tmp_path: Path) -> None:
    brier, auc = (brier_python, auc_python) if language == "python" else (brier_r, auc_r)
    scripts = {}
    for name, quality in QUALITY.items():
        code = brier('A "title"', quality.ibs.value, quality.ibs_null.value)
        scripts[f"Brier, {name}"] = Script(code, (brier_numbers(quality), brier_behind(quality)))
        scripts[f"AUC, {name}"] = Script(auc('A "title"'), (auc_numbers(quality), auc_behind(quality)))
    whole = scripts["Brier, everybody"]
    other = brier("t", QUALITY["everybody"].ibs.value, 0.2)
    for column in ("run", "null"):
        scripts[f"Brier, {column} altered"] = whole.altered(column, row=2)
    scripts["integrated altered"] = Script(other, whole.tables)
    scripts["AUC altered"] = scripts["AUC, some, tied"].altered("auc")
    ended = run_all(language, scripts, tmp_path)
    as_exported(ended)
    told = re.findall(r"AUC at month \d+: (\S+)", ended["AUC, some, tied"].said)
    page = [h.auc.value for h in QUALITY["some, tied"].horizons]
    assert [float(v) for v in told[:3]] == pytest.approx(page[:3], rel=1e-9)
    assert page[3] is None
    assert told[3] in ("nan", "NA")


def test_a_number_the_page_does_not_have_is_a_difference(tmp_path: Path) -> None:
    quality = QUALITY["everybody"]
    numbers = auc_numbers(quality)
    numbers.loc[0, "auc"] = np.nan
    lost = Script(auc_python("t"), (numbers, auc_behind(quality)))
    assert run_all("python", {"lost": lost}, tmp_path)["lost"].code == 1


def test_nobody_is_named_and_the_order_says_nothing() -> None:
    for table in (brier_behind(QUALITY["some, tied"]), auc_behind(QUALITY["some, tied"])):
        written = table.to_csv(index=False)
        assert not any(name in written for name in COHORT.ids)
    whole = brier_behind(QUALITY["some, tied"])
    assert whole["time"].is_monotonic_increasing
    curves = whole.filter(like="S(")
    assert curves[whole["shown"] == 0].isna().all(axis=None)  # nothing of those who were not selected but the outcome
