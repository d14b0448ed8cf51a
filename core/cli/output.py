"""What the command line prints: a table for people, one JSON object for machines, progress on standard error."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.results.run import Metric


@dataclass(frozen=True)
class Answer:
    """A command's result: ``json`` keys of the contract, and the lines a person reads."""

    json: Mapping[str, Any]
    lines: Sequence[str]


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a table; numbers to the right, words to the left."""
    if not rows:
        return []
    cells = [list(header), *[list(r) for r in rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    numeric = [all(_is_number(row[i]) for row in rows) for i in range(len(header))]

    def line(row: Sequence[str]) -> str:
        parts = (c.rjust(w) if n else c.ljust(w) for c, w, n in zip(row, widths, numeric, strict=True))
        return "  ".join(parts).rstrip()

    return [line(header), "  ".join("─" * w for w in widths), *(line(row) for row in rows)]


def _is_number(text: str) -> bool:
    return not text or text[0].isdigit() or text[0] in "+-−.–"


def three(value: float | None) -> str:
    """``.638``-style number with three decimals, ``–`` when there is none."""
    return "–" if value is None else f"{value:.3f}"


def with_interval(metric: Metric) -> str:
    """``0.638 (0.601 to 0.674)``, or the reason why there is no number."""
    if metric.mean is None:
        return metric.note or "–"
    if metric.low is None or metric.high is None:
        return three(metric.mean)
    return f"{three(metric.mean)} ({three(metric.low)} to {three(metric.high)})"


def metric_json(metric: Metric) -> dict[str, Any]:
    """``mean``, ``std``, ``low``, ``high`` of the contract and what stands beside them."""
    return {
        "mean": metric.mean,
        "std": metric.std,
        "low": metric.low,
        "high": metric.high,
        "seed_fold_mean": metric.seed_fold_mean,
        "note": metric.note,
    }


def print_answer(answer: Answer, as_json: bool) -> None:
    """One JSON object as the last line, or the lines."""
    if as_json:
        print(json.dumps(answer.json, ensure_ascii=False, allow_nan=False))
    else:
        print("\n".join(answer.lines))


class ProgressBar:
    """A bar on standard error, redrawn in place on a terminal, one line in ten otherwise."""

    def __init__(self) -> None:
        self.started = time.perf_counter()
        self.shown = -1.0
        self.live = sys.stderr.isatty()

    def __call__(self, share: float, message: str) -> None:
        if not self.live and share < 1 and share - self.shown < 0.1:
            return
        self.shown = share
        spent = time.perf_counter() - self.started
        left = f", about {spent / share * (1 - share):.0f} s left" if 0.02 < share < 1 else ""
        filled = round(24 * share)
        text = f"[{'█' * filled}{'·' * (24 - filled)}] {100 * share:3.0f} %  {message}{left}"
        print(f"\r\x1b[2K{text}" if self.live else text, end="" if self.live and share < 1 else "\n", file=sys.stderr)
        sys.stderr.flush()
