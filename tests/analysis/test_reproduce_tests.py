"""R and Python compute the page's tests from the exported CSV alone, and notice when a number is another one."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from core.analysis.drawn import drawn_numbers
from core.analysis.group_survival import GroupSurvival, SurvivalOptions, analyse_groups
from core.analysis.grouping import Cut, GroupBy, Grouping, Source, column_groups
from core.analysis.outcome import CompetingAs, Outcome, make_outcome
from core.analysis.reproduce import python_code, r_code
from core.cohort.sample import make_sample_cohort

COHORT = make_sample_cohort()[0]


def tertiles(endpoint: str = "OS", how: CompetingAs = CompetingAs.CENSORED) -> GroupSurvival:
    outcome = make_outcome(COHORT, np.arange(len(COHORT)), endpoint, how)
    grouping = column_groups(outcome, COHORT, GroupBy(Source.COLUMN, "afp", Cut.TERTILES))
    return analyse_groups(outcome, grouping, SurvivalOptions())


def late() -> GroupSurvival:
    """Two groups with ties and late entries."""
    random = np.random.default_rng(4)
    n = 120
    time = np.ceil(random.exponential(20, n)) + 1
    entry = np.where(random.random(n) < 0.4, np.floor(time * random.random(n) * 0.8), 0.0)
    codes = (random.random(n) < 0.7).astype(int)
    ids = tuple(f"P-{i}" for i in range(n))
    outcome = Outcome(np.arange(n), ids, entry, time, codes, "Survival", "diagnosis", "death", "", ())
    member = (np.arange(n) % 2 == 0).astype(np.int64)
    return analyse_groups(outcome, Grouping("halves", ("odd", "even"), member), SurvivalOptions(tau=24.0))


CASES = {
    "three groups": tertiles,
    "competing": lambda: tertiles("DWT", CompetingAs.COMPETING),
    "late entry": late,
}


def run(language: str, code: str, result: GroupSurvival, folder: Path) -> subprocess.CompletedProcess[str]:
    if language == "R" and shutil.which("Rscript") is None:
        pytest.skip("no Rscript on this machine")
    command = [sys.executable, "-I"] if language == "python" else ["Rscript"]
    (folder / "script").write_text(code, encoding="utf-8")
    drawn_numbers(result).to_csv(folder / "numbers.csv", index=False)
    return subprocess.run(
        [*command, "script", "numbers.csv", "figure.pdf"], cwd=folder, capture_output=True, text=True, check=False
    )


def told(output: str, words: str) -> list[float]:
    """The numbers a script printed after ``words``."""
    found = re.search(rf"^{re.escape(words)}(.*)$", output, re.MULTILINE)
    assert found is not None, output
    return [float(v) for v in found.group(1).split()]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("language", ["python", "R"])
def test_the_script_finds_the_numbers_of_the_page(language: str, case: str, tmp_path: Path) -> None:
    result = CASES[case]()
    test, fit = result.logrank, result.hazard_ratios
    assert test is not None
    assert fit is not None
    make = python_code if language == "python" else r_code
    done = run(language, make(result, "t", True), result, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert told(done.stdout, "log-rank chi-squared and p:") == pytest.approx([test.statistic, test.p], rel=1e-7)
    assert told(done.stdout, "hazard ratios:") == pytest.approx(fit.hazard_ratios.tolist(), rel=1e-6)
    assert told(done.stdout, "  from:") == pytest.approx(fit.low.tolist(), rel=1e-6)
    assert told(done.stdout, "  to:") == pytest.approx(fit.high.tolist(), rel=1e-6)
    if language == "R":
        assert told(done.stdout, "proportional hazards, p:") == pytest.approx(
            fit.proportional_hazards_p.tolist(), rel=1e-5
        )
    if result.pairwise:
        adjusted = [p.p_adjusted for p in result.pairwise]
        assert told(done.stdout, "pairs, Holm:") == pytest.approx(adjusted, rel=1e-6)
    if result.rmst_differences:
        gaps = [d.difference for d in result.rmst_differences]
        assert told(done.stdout, "RMST differences, months:") == pytest.approx(gaps, rel=1e-9)


@pytest.mark.parametrize("language", ["python", "R"])
def test_another_number_on_the_page_is_noticed(language: str, tmp_path: Path) -> None:
    result = late()
    assert result.hazard_ratios is not None
    code = (python_code if language == "python" else r_code)(result, "t", True)
    ratio = float(result.hazard_ratios.hazard_ratios[0])
    assert repr(ratio) in code
    assert run(language, code.replace(repr(ratio), repr(ratio + 0.001)), result, tmp_path).returncode == 1
