"""Every figure offers its code: Python always, R where it shows statistics, and both compute the page's numbers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.cohort.sample import make_sample_cohort
from core.results.run_store import save_run
from core.results.workspace import Workspace
from pages.widgets.figure_block import Block
from tests.analysis.scripts import LANGUAGES, Script, as_exported, run_all
from tests.pages.builders import make_predictions, make_run

STATISTICS = frozenset({
    "overview-survival", "survival", "calibration", "phenotypes", "phenotype-profile", "phenotype-arms",
    "brier", "auc", "evidence-calibration", "evidence-brier", "evidence-decision", "evidence-ranking",
    "evidence-level", "forest", "agreement",
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


@pytest.mark.slow
def test_the_page_s_own_exports_compute_its_numbers(
    filled: Workspace, open_page: Callable[..., AppTest], blocks: dict[str, Block], tmp_path: Path
) -> None:
    second = make_run(COHORT, make_predictions(COHORT, seeds=(0,)), "hdmoe-2")
    save_run(second, make_predictions(COHORT, seeds=(0,)), filled)
    for page in ("survival", "evidence", "compare"):
        assert not open_page(page).exception
    shown = {name: blocks[name] for name in sorted(STATISTICS & set(blocks))}
    assert {"survival", "brier", "auc", "evidence-brier", "evidence-level", "forest", "agreement"} <= set(shown)
    tables = {
        name: (block.numbers(), *(() if block.behind is None else (block.behind(),))) for name, block in shown.items()
    }
    for language in LANGUAGES:  # the pages are opened once: they are the slow part
        makes = {name: block.python if language == "python" else block.r for name, block in shown.items()}
        scripts = {name: Script(make(), tables[name]) for name, make in makes.items() if make is not None}
        assert set(scripts) == set(shown)
        as_exported(run_all(language, scripts, tmp_path))
