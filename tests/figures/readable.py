"""Whatever a test draws is measured: text and marks that nobody could read fail the test that drew them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from core.figures.canvas import Canvas
from tests.figures.colours import faults_of


@pytest.fixture(autouse=True)
def every_figure_is_readable(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Measure every figure made during the test, in both palettes."""
    faults: dict[str, list[str]] = {}
    finish = Canvas.figure

    def measured(self: Canvas) -> Any:
        figure = finish(self)
        if found := faults_of(figure):
            faults[str(figure.layout.title.text)] = found
        return figure

    monkeypatch.setattr(Canvas, "figure", measured)
    yield
    if faults:
        pytest.fail(str(faults))
