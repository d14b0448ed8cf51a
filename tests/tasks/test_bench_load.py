"""Readers at once while a model is trained: three of them for five seconds, and what the memory's growth is."""

from __future__ import annotations

import pytest

from core.cli.__main__ import main
from core.tasks.bench_load import Load, grown, load_rows, measure_load
from tests.pages.builders import save_sample_run


def test_growth_is_the_last_fifth_over_the_second() -> None:
    steady = [300.0 + n for n in range(20)] + [320.0] * 80  # warms up in the first fifth
    assert grown(steady) == (320.0, 320.0, 0.0)
    leaking = [300.0 + n for n in range(100)]
    start, end, growth = grown(leaking)
    assert (start, end) == (329.5, 389.5)
    assert growth == pytest.approx(18.2, abs=0.1)
    seen = {"pages": {"cohort": [10.0] * 99 + [500.0], "slide": [20.0] * 100}, "tiles": [5.0], "errors": ["x"]}
    rows = {r.name: r for r in load_rows(seen, leaking)}
    assert rows["errors"].value == 1
    assert rows["page:p95_ms"].value == 20.0
    assert rows["rss:growth_percent"].ratio == pytest.approx(10 / growth)
    assert "tile:p95_ms" not in {r.name for r in load_rows(seen | {"tiles": []}, leaking)}


def test_the_options_are_of_this_bench_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "tiles", "--sessions", "3"]) == 1
    assert "bench load alone" in capsys.readouterr().err
    assert main(["bench", "load", "--sessions", "0", "--seconds", "-1"]) == 1


@pytest.mark.slow
def test_three_readers_for_five_seconds() -> None:
    found = measure_load(Load(3, 5.0, 0.5), lambda *_: None, lambda workspace: void(save_sample_run(workspace)))
    rows = {r.name: r.value for r in found.rows}
    assert found.extra["errors"] == []
    assert rows["errors"] == 0
    assert found.extra["reruns"] >= 3
    assert found.extra["tiles"] >= 0
    assert rows["page:p95_ms"] > 0
    assert 100 < rows["rss:start_mb, warm"] < 3000


def void(_: object) -> None:
    """What a test makes on the way."""
