"""The program that times the pages runs every page of the navigation, changes something each time, and sees errors."""

from __future__ import annotations

import json

import pytest

from core.errors import PrognoscopeError
from core.results.workspace import Workspace
from core.tasks.bench_pages import PAGE_LIMIT_MS, page_rows
from pages.widgets import rerun_times, state

NAMES = {"Cohort", "Survival", "Experts", "Patient", "Board", "Train", "Compare", "Evidence"}


def measured(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, dict[str, list[float]]]:
    assert rerun_times.main(["--reruns", "3", *words]) == 0
    found: dict[str, dict[str, list[float]]] = json.loads(capsys.readouterr().out.splitlines()[-1])
    return found


def test_every_page_of_the_navigation_is_run_without_an_error(
    filled: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    found = measured(capsys)
    assert set(found) >= NAMES
    assert all(len(page["clock"]) == len(page["processor"]) == 3 for page in found.values())
    assert {name: page["exceptions"] for name, page in found.items() if page["exceptions"]} == {}
    rows = [row for name, page in found.items() for row in page_rows(name, page)]
    names = [row.name for row in rows]
    assert [n for n in names if n.endswith(":p95_ms")] == [f"page:{name}:p95_ms" for name in found]
    assert all(row.reference == PAGE_LIMIT_MS for row in rows if row.name.endswith(":p95_ms"))


def test_a_failing_page_is_seen_and_the_reader_changes_something_each_time(
    filled: Workspace, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stages: list[object] = []

    def broken(*_: object) -> None:
        stages.append(state.current().selection)
        raise RuntimeError("planted")

    monkeypatch.setattr("pages.widgets.cohort_head.headline", broken)
    found = measured(capsys, "--only", "Cohort")
    assert set(found) == {"Cohort"}
    assert len(set(map(repr, stages))) >= 4
    assert len(found["Cohort"]["exceptions"]) == rerun_times.WARM_UP + 3
    with pytest.raises(PrognoscopeError, match="an error on a page"):
        page_rows("Cohort", found["Cohort"])
