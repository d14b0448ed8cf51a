"""The interaction test and the false discovery rates come out of the exported scripts as the page shows them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.analysis.arm_interaction import ArmInteraction, arm_interaction
from core.analysis.grouping import Cut, GroupBy, Source, column_groups
from core.analysis.outcome import make_outcome
from core.analysis.profile import profile
from core.analysis.reproduce_interaction import interaction_python, interaction_r, volcano_r
from core.analysis.reproduce_plots import plot_code
from core.cohort.sample import make_sample_cohort

COHORT = make_sample_cohort()[0]
LANGUAGES = ["python", "R"]


def run(language: str, code: str, folder: Path, **tables: pd.DataFrame) -> subprocess.CompletedProcess[str]:
    if language == "R" and shutil.which("Rscript") is None:
        pytest.skip("no Rscript on this machine")
    for name, table in tables.items():
        table.to_csv(folder / name, index=False)
    (folder / "script").write_text(code, encoding="utf-8")
    command = [sys.executable, "-I"] if language == "python" else ["Rscript"]
    return subprocess.run(
        [*command, "script", *tables, "figure.pdf"], cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def arms() -> ArmInteraction:
    outcome = make_outcome(COHORT, np.arange(len(COHORT)), "OS")
    grouping = column_groups(outcome, COHORT, GroupBy(Source.COLUMN, "afp", Cut.MEDIAN))
    return arm_interaction(COHORT, "treatment_arm", outcome, grouping)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_interaction_is_that_of_the_page(language: str, arms: ArmInteraction, tmp_path: Path) -> None:
    assert arms.p is not None
    make = interaction_python if language == "python" else interaction_r
    done = run(language, make("t", arms.arms, arms.p), tmp_path, numbers=arms.ratios, patients=arms.behind)
    assert done.returncode == 0, done.stdout + done.stderr
    found = re.search(r"interaction p (\S+)", done.stdout)
    assert found is not None
    assert float(found.group(1)) == pytest.approx(arms.p, rel=1e-7)
    ratios = [line.rpartition(": ")[2].split() for line in done.stdout.splitlines() if line.startswith("hazard ratio")]
    expected = arms.ratios[["ratio", "low", "high"]].to_numpy(dtype=float)
    np.testing.assert_allclose(np.array(ratios, dtype=float), expected, rtol=1e-6)
    wrong = run(language, make("t", arms.arms, arms.p + 0.01), tmp_path, numbers=arms.ratios, patients=arms.behind)
    assert wrong.returncode == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_false_discovery_rates_are_those_of_the_page(language: str, tmp_path: Path) -> None:
    first = np.arange(len(COHORT)) < 100
    table = profile(COHORT, first, ~first).table
    code = plot_code("volcano", "t", "effect") if language == "python" else volcano_r("t", "effect")
    done = run(language, code, tmp_path, numbers=table)
    assert done.returncode == 0, done.stdout + done.stderr
    assert run(language, code, tmp_path, numbers=table.assign(q=table["q"] * 0.9)).returncode == 1


def test_nobody_is_named_in_what_is_exported(arms: ArmInteraction) -> None:
    written = arms.behind.to_csv(index=False)
    assert len(arms.behind) == arms.patients
    assert not any(name in written for name in COHORT.ids)
