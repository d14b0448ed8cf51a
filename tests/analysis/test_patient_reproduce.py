"""The exported scripts of each patient figure run on their numbers, alone; the observed course is computed again."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.analysis.patient_estimate import own_estimate
from core.analysis.patient_person import Person
from core.analysis.patient_presentations import drawn_table, numbers_of
from core.analysis.patient_reference import comparable
from core.analysis.patient_reproduce import counted_code, course_code, course_r, place_code
from core.cohort.sample import make_sample_cohort
from tests.analysis.scripts import LANGUAGES, Script, as_exported, run_all
from tests.pages.builders import make_predictions, make_run

COHORT = make_sample_cohort()[0]


def figures() -> dict[str, tuple[str, pd.DataFrame]]:
    predictions = make_predictions(COHORT)
    run, patient = make_run(COHORT, predictions), COHORT.ids[0]
    estimate = own_estimate(patient, predictions, run.horizons, None)
    assert estimate is not None
    reference = comparable(Person(patient, COHORT, COHORT, run), predictions.ensemble(), estimate, 36.0)
    drawn = drawn_table(estimate, reference.curve)
    assert set(drawn["curve"]) == {"estimate", "comparable patients"}
    assert not drawn.astype(str).apply(lambda c: c.str.contains(patient)).any(axis=None)
    return {
        "course": (course_code('A "title"', "alive", 36.0), drawn),
        "counted": (counted_code("Estimated", "alive"), numbers_of(estimate, "alive")),
        "place": (place_code("Place", "alive", 0.4), pd.DataFrame({"S": np.linspace(0.1, 0.9, 40)})),
    }


@pytest.mark.parametrize("name", ["course", "counted", "place"])
def test_it_draws(name: str, tmp_path: Path) -> None:
    code, table = figures()[name]
    (tmp_path / "figure.py").write_text(code)
    table.to_csv(tmp_path / "numbers.csv", index=False)
    done = subprocess.run(
        [sys.executable, "-I", "figure.py", "numbers.csv", "figure.png"], cwd=tmp_path, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "figure.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_observed_course_is_that_of_the_page(language: str, tmp_path: Path) -> None:
    drawn = figures()["course"][1]
    make = course_code if language == "python" else course_r
    alone = drawn[drawn["curve"] == "estimate"][["curve", "month", "S", "low", "high"]]
    scripts = {name: Script(make("A title", "alive", 36.0), (table,)) for name, table in
               (("both", drawn), ("nobody to compare with", alone))}  # fmt: skip
    last = len(drawn) - 1
    scripts |= {f"{column} altered": scripts["both"].altered(column, last) for column in ("S", "low")}
    as_exported(run_all(language, scripts, tmp_path))
