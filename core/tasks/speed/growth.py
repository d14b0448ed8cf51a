"""How a cost grows with the size of its input: times at several sizes, and the exponent that joins them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from core.tasks.bench import BenchRow


@dataclass(frozen=True)
class Growth:
    """Seconds of one thing at several sizes.

    ``name`` what is done · ``of`` what the sizes count ("patients") · ``sizes`` ascending · ``seconds`` of each ·
    ``limits`` size → seconds it may take.
    """

    name: str
    of: str
    sizes: tuple[int, ...]
    seconds: tuple[float, ...]
    limits: tuple[tuple[int, float], ...] = ()

    def rows(self) -> list[BenchRow]:
        """A row a size, and behind them the exponent."""
        limits = dict(self.limits)
        rows = []
        for size, seconds in zip(self.sizes, self.seconds, strict=True):
            name, limit = f"{self.name}:{size:,} {self.of}", limits.get(size)
            if limit is None:
                rows.append(BenchRow(name, seconds, "s"))
            else:
                rows.append(BenchRow(name, seconds, "s", limit, limit / seconds, 1.0))
        if len(self.sizes) > 1:
            rows.append(BenchRow(f"{self.name}: exponent over {self.of}", exponent(self.sizes, self.seconds), "power"))
        return rows


def exponent(sizes: Sequence[float], seconds: Sequence[float]) -> float:
    """Slope of log seconds over log size by least squares: 1 is linear growth, 0 none.

    Raises
    ------
    ValueError
        For fewer than two different sizes, or a time that is not above 0.
    """
    x, y = np.asarray(sizes, dtype=float), np.asarray(seconds, dtype=float)
    if len(set(x.tolist())) < 2 or (x <= 0).any() or (y <= 0).any():
        raise ValueError("an exponent needs two different sizes and times above 0")
    x, y = np.log(x), np.log(y)
    centred = x - x.mean()
    return float(centred @ (y - y.mean()) / (centred @ centred))


def timed(work: Callable[[], object], repeats: int = 3, warm: bool = True) -> float:
    """Seconds of the fastest of ``repeats``: another process can only make a measurement longer."""
    if warm:
        work()
    found = []
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        found.append(time.perf_counter() - started)
    return min(found)
