"""How alike the tokens of one patient are: the measure of redundancy of HDMoE's Figures 5 and 11 to 13."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from core.arrays import FloatArray

Measure = Literal["correlation", "cosine"]


@dataclass(frozen=True, eq=False)
class SelfCorrelation:
    """Self-correlation of ``k`` tokens, averaged over patients.

    Parameters
    ----------
    mean, absolute : (k, k) float arrays
        Mean over patients of r and of |r|; NaN where it is defined in no patient.
    undefined : float
        Share of the off-diagonal pairs without an r (a token that does not vary, or is all zeros).
    """

    mean: FloatArray
    absolute: FloatArray
    undefined: float

    @property
    def redundancy(self) -> float:
        """Mean |r| off the diagonal."""
        return float(np.nanmean(self.absolute[_off_diagonal(len(self.absolute))]))

    @property
    def total(self) -> float:
        """Sum of the mean r off the diagonal, each pair once in each direction (the paper's total)."""
        return float(np.nansum(self.mean[_off_diagonal(len(self.mean))]))


def self_correlation(tokens: FloatArray, measure: Measure = "correlation") -> SelfCorrelation:
    """Correlate every two tokens of each patient over their ``d`` values.

    Parameters
    ----------
    tokens : (n, k, d) float array
        ``k`` ≥ 2 tokens of ``n`` ≥ 1 patients.
    measure : "correlation" or "cosine"
        Pearson's r, or the cosine, which does not subtract the mean.
    """
    values = np.asarray(tokens, dtype=np.float64)
    if values.ndim != 3 or values.shape[0] < 1 or values.shape[1] < 2:
        raise ValueError(f"tokens must be (patients, at least two tokens, values), got {values.shape}")
    if measure == "correlation":
        values = values - values.mean(axis=2, keepdims=True)
    length = np.linalg.norm(values, axis=2, keepdims=True)
    unit = np.divide(values, length, out=np.full_like(values, np.nan), where=length > 1e-12)
    r = np.clip(unit @ unit.transpose(0, 2, 1), -1.0, 1.0)
    undefined = np.isnan(r[:, _off_diagonal(r.shape[1])]).mean()
    return SelfCorrelation(_mean(r), _mean(np.abs(r)), float(undefined))


def _mean(r: FloatArray) -> FloatArray:
    """Mean over the patients in whom a pair is defined; NaN where there is none."""
    known = ~np.isnan(r)
    counts = known.sum(axis=0)
    total = np.where(known, r, 0.0).sum(axis=0)
    return np.asarray(np.divide(total, counts, out=np.full(total.shape, np.nan), where=counts > 0))


def _off_diagonal(k: int) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    return ~np.eye(k, dtype=bool)
