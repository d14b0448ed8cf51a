"""Each script runs on the numbers its figure exports, alone and without this package, and draws a picture."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.analysis.cohort_values import importance_table, shown_features, swarm_table
from core.analysis.gates import Models, allocations, drawn_correlations, drawn_shares, gate_rows, heat_table
from core.analysis.profile import profile
from core.analysis.reproduce_plots import KINDS, plot_code
from core.analysis.reproduce_values import waterfall_code
from core.analysis.waterfall import steps_table, waterfall_steps
from core.cohort.sample import make_sample_cohort
from core.figures.what_if import what_if_table
from core.results.what_if import WhatIf, WhatIfCurve
from tests.pages.builders import make_predictions
from tests.pages.explanations import make_cohort_explanation, make_explanation
from tests.pages.routings import make_routing

COHORT = make_sample_cohort()[0]


def numbers() -> dict[str, pd.DataFrame]:
    found = make_cohort_explanation(COHORT)
    record = make_routing(COHORT, make_predictions(COHORT))
    first = np.arange(len(COHORT)) < 100
    times = np.arange(13.0)
    pairs = {n: (x.before, x.after) for n, x in record.levels.items() if x.before and x.after}
    curve = WhatIfCurve(np.exp(-0.1 * times), np.exp(-0.2 * times), np.ones(13))
    changed = WhatIf("r", "p", times, curve, curve, ("a",), 3, True)
    return {
        "swarm": swarm_table(found, found.ranking()), "ranking": importance_table(found, shown_features(found)),
        "dependence": swarm_table(found, ("age",)),
        "heat": heat_table(record, gate_rows(record, Models()), np.arange(len(record))),
        "map": pd.DataFrame({"x": [1.0, 2.0], "y": [0.0, 1.0]}),
        "strips": pd.DataFrame({"expert 1": [0.1, np.nan, 0.4], "expert 2": [1.0, 2.0, 3.0]}),
        "shares": drawn_shares(allocations(record)),
        "tokens": drawn_correlations(pairs),
        "bars": pd.DataFrame({"From": [0.0, 5.0], "To": [5.0, 10.0], "Selected": [2, 3], "In the cohort": [4, 3]}),
        "epochs": pd.DataFrame({"fold": [1, 1, 2, 2], "seed": 0, "epoch": [1, 2, 1, 2], "loss": [3.0, 2.0, 3.0, 1.0]}),
        "volcano": profile(COHORT, first, ~first).table, "curves": what_if_table(changed),
    }  # fmt: skip


def run(code: str, table: pd.DataFrame, folder: Path) -> subprocess.CompletedProcess[str]:
    (folder / "figure.py").write_text(code)
    table.to_csv(folder / "numbers.csv", index=False)
    return subprocess.run(
        [sys.executable, "-I", "figure.py", "numbers.csv", "figure.png"], cwd=folder, capture_output=True, text=True,
        check=False,
    )  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_draws(kind: str, tmp_path: Path) -> None:
    done = run(plot_code(kind, "A title, “quoted”", "an axis"), numbers()[kind], tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "figure.png").read_bytes().startswith(b"\x89PNG")


def test_the_waterfall_checks_its_sum(tmp_path: Path) -> None:
    table = steps_table(waterfall_steps(make_explanation()))
    assert run(waterfall_code("t", "a"), table, tmp_path).returncode == 0
    table.loc[1, "value"] += 0.01
    assert run(waterfall_code("t", "a"), table, tmp_path).returncode == 1
