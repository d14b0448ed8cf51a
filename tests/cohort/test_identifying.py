"""Columns that could tell who a patient is never become part of a cohort; those that medicine needs stay."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.cohort.cohort import Role
from core.cohort.identifying import identifying
from core.cohort.importing import import_into
from core.cohort.storage import load_cohort
from core.results.workspace import Workspace

N = 40


def table() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "id": [f"case-{i}" for i in range(N)],
            "time": rng.exponential(20, N).round(1) + 0.1,
            "event": [i % 2 for i in range(N)],
            "age": rng.normal(60, 9, N).round(1),  # nearly all distinct, yet numbers
            "stage": ["I", "II", "III", "IV"] * (N // 4),
            "grade": [f"G{1 + i % 3}" for i in range(N)],
            "Patient Name": ["A B"] * N,  # known by what it is called
            "MRN": range(1000, 1000 + N),
            "Date of Birth": [f"195{i % 9}" for i in range(N)],
            "nickname": [f"Zeb the {i}th" for i in range(N)],  # known by being one's own
            "seen": [f"{1 + i % 9:02d}.03.2019" for i in range(N)],  # known by being dates
            "remark": [None if i % 2 else f"was well on visit {i}" for i in range(N)],
            "first_visit": pd.date_range("2020-01-01", periods=N),
        }
    )


TELLING = ("Patient Name", "MRN", "Date of Birth", "nickname", "seen", "remark", "first_visit")


def test_what_tells_and_what_does_not() -> None:
    given = table()
    roles = dict.fromkeys(given.columns, Role.DESCRIPTION)
    assert set(identifying(given, roles)) == {*TELLING, "id"}
    sites = given.assign(hospital=[f"Hospital {i}" for i in range(N)])
    assert "hospital" not in identifying(sites, {**roles, "hospital": Role.SITE})
    assert "hospital" in identifying(sites, {**roles, "hospital": Role.DESCRIPTION})


@pytest.mark.parametrize("few", [3, N])
def test_they_are_left_out_of_an_import_and_that_is_said(workspace: Workspace, tmp_path: Path, few: int) -> None:
    path = tmp_path / "study.csv"
    given = table().head(few)
    given.to_csv(path, index=False)
    cohort = import_into(workspace, path, "study", columns={"id": "id", "time": "time", "event": "event"})
    kept = set(load_cohort("study", workspace).patients.columns)
    assert {"age", "stage", "grade"} <= kept
    named = {"Patient Name", "MRN", "Date of Birth", "seen", "first_visit"}  # whatever the number of patients
    assert not kept & (named if few < N else set(TELLING))
    (words,) = [w for w in cohort.warnings if "could tell who a patient is" in w]
    assert "Patient Name" in words
    text = (workspace.cohort("study") / "patients.parquet").read_bytes()
    assert b"A B" not in text
    assert b"Zeb the 3" not in text or few < N
