"""The waterfall draws and prints its steps."""

from __future__ import annotations

import pytest

from core.analysis.points import points
from core.analysis.waterfall import Depth, waterfall_steps
from core.figures.waterfall import LOWERS, RAISES, waterfall_figure
from tests.pages.explanations import make_explanation


@pytest.mark.parametrize("depth", [Depth(), Depth("genomics"), Depth("genomics", "oncogenes")])
def test_bars_numbers_and_unit(depth: Depth) -> None:
    found = make_explanation()
    steps = waterfall_steps(found, depth)
    figure = waterfall_figure(found, steps, "One patient")
    bars = [t for t in figure.data if t.type == "bar"]
    assert [(b.base[0], b.x[0]) for b in bars] == [(s.start, s.value) for s in steps[1:-1]]
    for bar, step in zip(bars[:-1], steps[1:-2], strict=True):
        assert bar.marker.color == (RAISES if step.value >= 0 else LOWERS)
        assert list(bar.customdata[0]) == [step.kind.value, step.key]
    printed = [a.text for a in figure.layout.annotations]
    assert all(points(s.value) in p for s, p in zip(steps[1:-2], printed[1:-2], strict=True))
    assert "\N{MINUS SIGN}0.05" in printed[-2]
    assert figure.layout.xaxis.title.text.startswith("percentage points of 3-year survival")
    assert "synthetic patients" in figure.layout.title.subtitle.text
    low, high = figure.layout.xaxis.range
    assert low <= min(min(s.start, s.end) for s in steps[1:-1])
    assert high >= max(max(s.start, s.end) for s in steps[1:-1])


def test_a_file_carries_no_keys() -> None:
    found = make_explanation()
    figure = waterfall_figure(found, waterfall_steps(found), "One patient", interactive=False)
    assert all(t.customdata is None for t in figure.data if t.type == "bar")
