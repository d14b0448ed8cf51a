"""The model card's drawings as vectors: calibration and decision curve."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.analysis.decision import MODEL
from core.analysis.model_card import ModelCard
from core.analysis.model_quality import HorizonQuality
from core.analysis.patient_sentences import month_words
from core.board.picture import ACCENT, INK, MUTED, STAGE, Circle, Picture, Plot

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000")
SHARES = tuple((v / 100, f"{v} %") for v in range(0, 101, 20))


def calibration_chart(card: ModelCard) -> Picture | None:
    """Estimated against observed survival of every horizon; None where nothing can be drawn."""
    return None if card.quality is None else calibration_picture(card.quality.horizons)


def calibration_picture(horizons: Sequence[HorizonQuality], width: float = 400, height: float = 300) -> Picture | None:
    """The same of given horizons, one colour each; groups of patients with their 95 % interval."""
    drawn = [h for h in horizons if h.calibration is not None]
    if not drawn:
        return None
    plot = Plot(width, height, (0, 1), (0, 1), margins=(44, 26, 12 if len(drawn) == 1 else 70, 34))
    plot.axes(SHARES, SHARES, "Estimated survival", "Observed survival")
    plot.curve(((0, 0), (1, 1)), MUTED, 0.9, (2, 3))
    for index, horizon in enumerate(drawn):
        _series(plot, horizon, COLOURS[index % len(COLOURS)])
        if len(drawn) > 1:
            plot.label(1, 0.94 - 0.08 * index, month_words(horizon.month), dx=8,
                       colour=COLOURS[index % len(COLOURS)], bold=True)  # fmt: skip
    words = ", ".join(month_words(h.month) for h in drawn)
    return plot.picture(f"Estimated against observed survival at {words}, in groups of patients")


def _series(plot: Plot, horizon: HorizonQuality, colour: str) -> None:
    curve = horizon.calibration
    if curve is None:
        return
    seen = np.isfinite(curve.observed)
    points = list(zip(curve.predicted[seen].tolist(), curve.observed[seen].tolist(), strict=True))
    plot.curve(points, colour, 1.4)
    for (x, y), low, high in zip(points, curve.low[seen], curve.high[seen], strict=True):
        if np.isfinite(low) and np.isfinite(high):
            plot.curve(((x, float(low)), (x, float(high))), colour, 1.0)
        plot.shapes.append(Circle(plot.x(x), plot.y(y), 3, colour, colour))


def decision_chart(card: ModelCard) -> Picture | None:
    """Net benefit over thresholds; None without a curve."""
    curve = card.decision.curve
    if curve is None:
        return None
    rules = [*curve.rules.items(), ("act on all", curve.everybody)]
    top = 1.05 * float(np.nanmax([np.nanmax(r.value) for _, r in rules]))
    plot = Plot(520, 300, (0.05, 0.8), (-0.05, top), margins=(44, 26, 92, 34))
    x_ticks = [(v / 100, f"{v} %") for v in range(10, 81, 10)]
    steps = np.arange(0, top, 0.1)
    plot.axes(x_ticks, [(float(v), f"{v:.1f}") for v in steps], "Threshold chance of the event", "Net benefit")
    plot.curve(((0.05, 0), (0.8, 0)), MUTED, 1.0)
    heights: list[float] = []
    for name, rule in rules:
        colour, width, dash = _pen(name)
        seen = np.isfinite(rule.value) & (rule.value >= -0.05)
        points = list(zip(curve.thresholds[seen].tolist(), rule.value[seen].tolist(), strict=True))
        plot.curve(points, colour, width, dash)
        height = _free(points[-1][1], heights, 12 / 244 * (top + 0.05))
        heights.append(height)
        plot.label(0.8, height, name, dx=6, dy=3, colour=colour, bold=name == MODEL)
    words = month_words(card.month)
    return plot.picture(f"Net benefit at {words} of this run, of acting on all, and of the stage alone where known")


def _pen(name: str) -> tuple[str, float, tuple[float, ...]]:
    if name == MODEL:
        return ACCENT, 2.0, ()
    return (INK, 1.1, (1.5, 2.5)) if name == "act on all" else (STAGE, 1.4, (5, 3))


def _free(wanted: float, taken: list[float], gap: float) -> float:
    """The nearest height at or above ``wanted`` that is ``gap`` away from those taken."""
    height = wanted
    for other in sorted(taken):
        if abs(height - other) < gap:
            height = other + gap
    return height
