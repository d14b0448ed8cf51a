"""Ranking and level of every group come out of the exported scripts as the page shows them."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.analysis.reproduce_groups import groups_python, groups_r
from core.analysis.subgroups import group_numbers, groups_behind, subgroups_of
from core.cohort.sample import make_sample_cohort
from tests.analysis.scripts import LANGUAGES, Script, as_exported, run_all, tied
from tests.pages.builders import make_predictions

COHORT = make_sample_cohort()[0]
CASES = {
    "as they are, month 36": (make_predictions(COHORT), 36.0),
    "tied, month 54": (tied(COHORT), 54.0),
    "no estimate, month 90": (make_predictions(COHORT), 90.0),
}
FOUND = {name: (subgroups_of(COHORT, p, month, 10), month) for name, (p, month) in CASES.items()}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_scripts_find_the_numbers_of_the_page(language: str, tmp_path: Path) -> None:
    make = groups_python if language == "python" else groups_r
    scripts = {}
    for name, (groups, month) in FOUND.items():
        tables = (group_numbers(groups), groups_behind(groups))
        kind = "ranking" if name.startswith("tied") else "level"
        scripts[name] = Script(make(kind, "Groups of “patients”", month), tables)
    first = scripts["as they are, month 36"]
    for column in ("c", "difference", "difference low", "observed high", "patients"):
        scripts[f"{column} altered"] = first.altered(column, row=1, by=1 if column == "patients" else 1e-5)
    as_exported(run_all(language, scripts, tmp_path))


def test_only_patients_of_judged_groups_are_exported_and_nobody_is_named() -> None:
    groups, _ = FOUND["as they are, month 36"]
    behind = groups_behind(groups)
    judged = {(g.variable, g.level) for g in groups if g.c.value is not None}
    assert set(zip(behind["variable"], behind["level"], strict=True)) == judged
    assert any(g.c.value is None for g in groups)
    assert len(behind) == sum(g.n for g in groups if g.c.value is not None)
    written = behind.to_csv(index=False)
    assert not any(name in written for name in COHORT.ids)
