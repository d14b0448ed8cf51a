"""Every figure offers its code: Python always, R where it shows statistics, and both compute the page's numbers."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.cohort.sample import make_sample_cohort
from core.results.run_store import save_run
from core.results.workspace import Workspace
from pages.widgets.figure_block import Block
from tests.pages.builders import make_predictions, make_run

STATISTICS = frozenset({
    "overview-survival", "survival", "calibration", "phenotypes", "phenotype-profile", "phenotype-arms",
    "evidence-calibration", "evidence-decision",
})  # fmt: skip
COHORT = make_sample_cohort()[0]


@pytest.fixture
def blocks(monkeypatch: pytest.MonkeyPatch) -> dict[str, Block]:
    """Every block that a page makes, by name."""
    found: dict[str, Block] = {}

    begin = Block.__init__

    def remembered(block: Block, *given: Any, **named: Any) -> None:
        begin(block, *given, **named)
        found[block.name] = block

    monkeypatch.setattr(Block, "__init__", remembered)
    return found


def test_every_figure_has_its_code(
    filled: Workspace, open_page: Callable[..., AppTest], blocks: dict[str, Block]
) -> None:
    second = make_run(COHORT, make_predictions(COHORT, seeds=(0,)), "hdmoe-2")
    save_run(second, make_predictions(COHORT, seeds=(0,)), filled)
    for name in ("cohort", "survival", "evidence", "compare"):
        assert not open_page(name).exception
    assert {"modalities", "survival", "calibration", "brier", "auc", "forest", "agreement", "evidence-decision"} <= set(
        blocks
    )
    assert [name for name, block in blocks.items() if block.python is None] == []
    assert {name for name, block in blocks.items() if block.r is not None} == STATISTICS & set(blocks)
    for name in STATISTICS & set(blocks):
        behind = blocks[name].behind
        if behind is not None:
            written = behind().to_csv(index=False)
            assert not any(patient in written for patient in COHORT.ids)


@pytest.mark.parametrize("language", ["python", "R"])
def test_the_page_s_own_exports_compute_its_numbers(
    language: str, filled: Workspace, open_page: Callable[..., AppTest], blocks: dict[str, Block], tmp_path: Path
) -> None:
    if language == "R" and shutil.which("Rscript") is None:
        pytest.skip("no Rscript on this machine")
    assert not open_page("survival").exception
    assert not open_page("evidence").exception
    for name in ("survival", "calibration", "evidence-calibration", "evidence-decision"):
        block = blocks[name]
        make = block.python if language == "python" else block.r
        assert make is not None
        (tmp_path / "script").write_text(make(), encoding="utf-8")
        block.numbers().to_csv(tmp_path / "numbers.csv", index=False)
        files = ["numbers.csv"]
        if block.behind is not None:
            block.behind().to_csv(tmp_path / "patients.csv", index=False)
            files.append("patients.csv")
        command = [sys.executable, "-I"] if language == "python" else ["Rscript"]
        done = subprocess.run(
            [*command, "script", *files, "figure.pdf"], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{name}: {done.stdout}{done.stderr}"
        found = re.search(r"largest difference (\S+)", done.stdout)
        assert found is not None
        assert float(found.group(1)) < 1e-6
