"""The scripts beside the card's figures run on the CSV that stands beside them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from core.analysis.card_source import CardSource
from core.analysis.decision import decision_table
from core.analysis.model_card import model_card
from core.analysis.reproduce_card import card_code
from core.analysis.subgroups import group_numbers
from core.cohort.sample import make_sample_cohort
from pages.widgets.model_quality import calibration_numbers
from tests.pages.builders import make_predictions, make_run


def test_each_script_draws_its_numbers_and_the_csv_holds_them(tmp_path: Path) -> None:
    cohort = make_sample_cohort()[0]
    predictions = make_predictions(cohort)
    card = model_card(CardSource(make_run(cohort, predictions), cohort, predictions), 20)
    assert card.quality is not None
    groups = group_numbers(card.subgroups)
    assert groups["c"].iloc[0] == pytest.approx(card.subgroups[0].c.value)
    quality = card.quality
    brier = pd.DataFrame({"month": quality.times, "run": quality.brier, "null": quality.brier_null})
    tables = {"decision": decision_table(card.decision), "ranking": groups, "level": groups, "brier": brier,
              "calibration": calibration_numbers(quality)}  # fmt: skip
    whole = []
    for kind, table in tables.items():
        table.to_csv(tmp_path / f"{kind}.csv", index=False)
        (tmp_path / f"{kind}.py").write_text(card_code(kind, 'A "title" with \\ signs'), encoding="utf-8")
        whole.append(f"sys.argv = ['', r'{tmp_path / kind}.csv', r'{tmp_path / kind}.png']; "
                     f"exec(open(r'{tmp_path / kind}.py').read(), {{}})")  # fmt: skip
    # one process for all: importing matplotlib is the slow part
    subprocess.run([sys.executable, "-c", "import sys; " + "; ".join(whole)], check=True, timeout=120)
    for kind in tables:
        assert (tmp_path / f"{kind}.png").read_bytes()[:4] == b"\x89PNG"
