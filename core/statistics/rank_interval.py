"""Interval of a Spearman rank correlation that is known only by its value and its number of patients."""

from __future__ import annotations

import math

from scipy.special import ndtri


def spearman_interval(correlation: float, n: int, level: float = 0.95) -> tuple[float, float]:
    """Interval by Fisher's z with the variance (1 + r²/2)/(n − 3) (Bonett and Wright, Psychometrika 2000, 65:23).

    Parameters
    ----------
    correlation : float
        r of ``n`` pairs; an r of ±1 has no interval but itself.
    n : int
        Fewer than 4 pairs say nothing: the interval is then −1 to 1.
    """
    if n < 4 or not math.isfinite(correlation):
        return -1.0, 1.0
    if abs(correlation) >= 1:
        return correlation, correlation
    spread = float(ndtri(0.5 + level / 2)) * math.sqrt((1 + correlation**2 / 2) / (n - 3))
    middle = math.atanh(correlation)
    return math.tanh(middle - spread), math.tanh(middle + spread)
