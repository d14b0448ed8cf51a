"""A patient's number as vectors: the course with its reference, and a hundred circles."""

from __future__ import annotations

import numpy as np

from core.analysis.patient_estimate import Number, PatientEstimate
from core.analysis.patient_presentations import icons
from core.analysis.patient_reference import Comparable
from core.analysis.patient_sentences import month_words, percent_words
from core.board.picture import ACCENT, INK, MUTED, WARNING, WHITE, Circle, Line, Picture, Plot, Shape, Text

SHARES = tuple((v / 100, f"{v} %") for v in range(0, 101, 25))


def course_chart(
    estimate: PatientEstimate, month: float, words: tuple[str, str], reference: Comparable | None,
    size: tuple[float, float] = (420, 230), font: float = 9.0,
) -> Picture:  # fmt: skip
    """S(t) with the model spread over the observed course of comparable patients.

    Parameters
    ----------
    words : (state, time zero)
        What not having had the event is called, and what months are counted from.
    size : (width, height) in points
    """
    state, zero = words
    end = max([estimate.last_month, month, 12.0])
    plot = Plot(*size, (0, end), (0, 1), font, (4.6 * font, 2.6 * font, 1.6 * font, 3.4 * font))
    step = 12 if end / 12 <= size[0] / (5.2 * font) else 24
    plot.axes([(float(m), str(m)) for m in range(0, int(end) + 1, step)], SHARES, f"Months after {zero}",
              f"{state[:1].upper()}{state[1:]}")  # fmt: skip
    if reference is not None and reference.curve is not None:
        _reference(plot, reference, end)
    known = np.isfinite(estimate.low) & np.isfinite(estimate.high) & (estimate.times <= end)
    if known.any():
        x, high, low = ([first, *a[known].tolist()] for first, a in
                        ((0.0, estimate.times), (1.0, estimate.high), (1.0, estimate.low)))  # fmt: skip
        edge = [*zip(x, high, strict=True), *reversed(list(zip(x, low, strict=True)))]
        plot.area(edge, ACCENT, 0.16)
    seen = np.isfinite(estimate.survival) & (estimate.times <= end)
    points = zip([0.0, *estimate.times[seen].tolist()], [1.0, *estimate.survival[seen].tolist()], strict=True)
    plot.curve(list(points), ACCENT, 2.2 * font / 9)
    _mark(plot, estimate.at(month), month)
    number = estimate.at(month)
    said = f"; {percent_words(number.value)} {state} at {month_words(month)}" if number is not None else ""
    return plot.picture(f"Estimated course of the chance to be {state}{said}")


def _reference(plot: Plot, reference: Comparable, end: float) -> None:
    curve = reference.curve
    if curve is None:
        return
    points: list[tuple[float, float]] = []
    for time, survival in zip(curve.time.tolist(), curve.survival.tolist(), strict=True):
        if time > end:
            break
        if points:
            points.append((time, points[-1][1]))
        points.append((time, survival))
    plot.curve(points, MUTED, 1.2 * plot.font / 9, (4 * plot.font / 9, 3 * plot.font / 9))


def _mark(plot: Plot, number: Number | None, month: float) -> None:
    if number is None:
        return
    scale = plot.font / 9
    if number.low is not None and number.high is not None:
        plot.curve(((month, number.low), (month, number.high)), ACCENT, 1.6 * scale)
    plot.shapes.append(Circle(plot.x(month), plot.y(number.value), 4.5 * scale, ACCENT, WHITE, 2.2 * scale))
    text = f"{percent_words(number.value)}, {month_words(month)}"
    late = plot.x(month) + 8 * scale + 0.72 * 1.25 * plot.font * len(text) > plot.width
    # a curve falls: right of its point the space above is free, left of it the space below
    above = number.value < 0.25 if late else number.value < 0.8
    plot.label(month, number.value, text, dx=(-8 if late else 8) * scale, dy=(-9 if above else 19) * scale,
               size=1.25 * plot.font, colour=INK, bold=True, anchor="end" if late else "start")  # fmt: skip


def key_line(reference: Comparable | None, models: int, font: float = 9.0) -> Picture:
    """What the lines of the course are, as a small key."""
    shapes: list[Shape] = [
        Line(((0, font * 0.7), (2.4 * font, font * 0.7)), ACCENT, 2.2 * font / 9),
        Text(2.9 * font, font, f"this patient, mean of {models} models and their spread", font, INK),
    ]
    if reference is not None and reference.curve is not None:
        left = 34 * font
        shapes += [Line(((left, font * 0.7), (left + 2.4 * font, font * 0.7)), MUTED, 1.2 * font / 9, (4, 3)),
                   Text(left + 2.9 * font, font, f"{reference.n} comparable, observed", font, INK)]  # fmt: skip
    return Picture(56 * font, 1.5 * font, "Key of the lines", tuple(shapes))


def icons_chart(number: Number, state: str, cell: float = 13.0, font: float = 9.0) -> Picture:
    """Ten rows of ten circles, filled for those without the event; told apart by filling, not by colour alone."""
    radius, shapes = 0.36 * cell, list[Shape]()
    for i, filled in enumerate(icons(number)):
        x, y = (i % 10 + 0.5) * cell, (i // 10 + 0.5) * cell
        shapes.append(Circle(x, y, radius, ACCENT if filled else WARNING, ACCENT if filled else WHITE, 1.1))
    below = 10 * cell + 1.3 * font
    shapes.append(Text(0, below, f"{number.of_hundred} of 100 {state}", font, ACCENT, bold=True))
    shapes.append(Text(0, below + 1.35 * font, f"{100 - number.of_hundred} of 100 not", font, WARNING))
    alt = f"{number.of_hundred} of 100 circles are filled: {state}"
    return Picture(max(10 * cell, 12 * font), 10 * cell + 3.1 * font, alt, tuple(shapes))
