"""A cohort of several cancers: the cancer is charted and grouped by, however many there are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.analysis.cohort_overview import chartable_columns, summarise
from core.analysis.grouping import MOST_GROUPS, GroupBy, Source, column_groups, group_columns
from core.analysis.outcome import CompetingAs, make_outcome
from core.cohort.cohort import Cohort, Role
from tests.pages.builders import make_large_cohort

COUNT = 14


@pytest.fixture(scope="module")
def several() -> Cohort:
    """Cancers c00 to c13, each with ten patients more than the one before."""
    cohort = make_large_cohort(COUNT * (COUNT + 1) * 5)
    cancer = np.repeat([f"c{i:02d}" for i in range(COUNT)], [10 * (i + 1) for i in range(COUNT)])
    return replace(
        cohort, patients=cohort.patients.assign(cancer=cancer), roles={**cohort.roles, "cancer": Role.CANCER}
    )


def test_the_cancer_comes_first_and_every_one_has_its_bar(several: Cohort) -> None:
    assert chartable_columns(several)[0] == "cancer"
    assert group_columns(several)[0] == "cancer"
    summary = summarise(several, "cancer", np.ones(len(several), dtype=bool))
    assert summary.names == tuple(f"c{i:02d}" for i in range(COUNT))
    assert list(summary.total) == [10 * (i + 1) for i in range(COUNT)]


def test_the_largest_are_compared_and_the_others_counted(several: Cohort) -> None:
    everybody = np.arange(len(several))
    outcome = make_outcome(several, everybody, "OS", CompetingAs.CENSORED, 0.0)
    found = column_groups(outcome, several, GroupBy(Source.COLUMN, "cancer"))
    assert found.names == tuple(f"cancer c{i:02d}" for i in range(COUNT - MOST_GROUPS, COUNT))
    (left,) = found.left_out
    assert left.count == sum(10 * (i + 1) for i in range(COUNT - MOST_GROUPS)) == int((found.member < 0).sum())
    assert "c00, c01" in left.reason


def test_few_selected_cancers_are_all_compared(several: Cohort) -> None:
    rows = np.flatnonzero(several.patients["cancer"].isin(["c00", "c01"]))
    outcome = make_outcome(several, rows, "OS", CompetingAs.CENSORED, 0.0)
    found = column_groups(outcome, several, GroupBy(Source.COLUMN, "cancer"))
    assert (found.names, found.left_out) == (("cancer c00", "cancer c01"), ())
    assert list(np.bincount(found.member)) == [10, 20]
