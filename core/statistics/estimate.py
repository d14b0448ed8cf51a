"""One number with its confidence interval, or the words that say why there is none."""

from __future__ import annotations

from dataclasses import dataclass

from scipy.special import ndtri


@dataclass(frozen=True)
class Estimate:
    """A value with its interval; None where it was not reached or cannot be estimated, with the reason in ``note``."""

    value: float | None
    low: float | None = None
    high: float | None = None
    note: str = ""


def z_score(confidence: float) -> float:
    """Two-sided standard-normal quantile: 1.96 for ``confidence`` 0.95. Raises ValueError outside (0, 1)."""
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1, got {confidence}")
    return float(ndtri(0.5 + confidence / 2))


def months(value: float) -> str:
    """A number of months in words: ``"12 months"``, ``"1 month"``."""
    text = f"{value:.1f}".rstrip("0").rstrip(".")
    return f"{text} month" if text == "1" else f"{text} months"


def finite_or_none(value: float) -> float | None:
    """The value as a float, or None where it is NaN or infinite."""
    return float(value) if abs(value) < float("inf") else None
