"""``bench``: rows with what they are measured against, errors where they can be seen, options where they belong."""

from __future__ import annotations

import pytest

from core.cli import bench_command
from core.cli.__main__ import main
from core.results.workspace import Workspace
from core.tasks.bench import BenchResult, BenchRow
from tests.cli.test_commands import call

ROWS = (BenchRow("tile:p95_ms", 30.0, "ms", 60.0, 2.0, 1.0), BenchRow("errors", 1.0, ""))


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bool]]:
    asked: list[tuple[str, bool]] = []

    def run_bench(name: str, workspace: Workspace, full: bool, progress: object) -> BenchResult:
        asked.append((name, full))
        return BenchResult(ROWS, {"errors": ["tile: status 500"]})

    monkeypatch.setattr(bench_command, "run_bench", run_bench)
    return asked


def test_rows_targets_and_errors_are_told(
    measured: list[tuple[str, bool]], workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", "load", "--full"]) == 0
    told = capsys.readouterr().out
    assert "2.00 ×  ≥ 1 ×: met" in told
    assert "error: tile: status 500" in told
    code, answer, _ = call(capsys, "bench", "tiles")
    assert code == 0
    assert answer["rows"][0] == {
        "name": "tile:p95_ms", "value": 30.0, "unit": "ms", "reference": 60.0, "ratio": 2.0, "target": 1.0,
    }  # fmt: skip
    assert "target" not in answer["rows"][1]
    assert measured == [("load", True), ("tiles", False)]


@pytest.mark.parametrize(
    ("words", "said"),
    [(("tiles", "--seconds", "3"), "give them to bench load alone"), (("load", "--sessions", "0"), "positive numbers")],
)
def test_options_of_the_load_alone(
    words: tuple[str, ...], said: str, workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", *words]) == 1
    assert said in capsys.readouterr().err
