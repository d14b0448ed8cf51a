"""Two runs' estimates for each patient: what a scatter of them draws."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import rankdata, spearmanr

from core.analysis.run_comparison import RunComparison
from core.arrays import FloatArray
from core.results.prediction import Predictions

STATUS = ("event by then", "event-free then", "censored before")


@dataclass(frozen=True, eq=False)
class Agreement:
    """Estimates of ``n`` patients by two runs.

    Parameters
    ----------
    first, second : str
        Run ids.
    ids : tuple of n str
    x, y : (n,) float arrays
        S(month) by the first and by the second run; without a month, the place of the risk within the patient's own
        fold (0 lowest, 1 highest), because risks of different folds cannot be compared.
    status : (n,) str array
        One of :data:`STATUS` at ``month``; without a month ``"event"`` or ``"censored"``.
    month : float or None
    spearman : float
        Rank correlation; NaN where a run says the same of everybody.
    """

    first: str
    second: str
    ids: tuple[str, ...]
    x: FloatArray
    y: FloatArray
    status: np.ndarray
    month: float | None
    spearman: float

    def table(self) -> pd.DataFrame:
        """The drawn numbers, the largest disagreement first."""
        frame = pd.DataFrame({"patient": self.ids, "first": self.x, "second": self.y, "status": self.status})
        frame["difference"] = frame["second"] - frame["first"]
        return frame.iloc[np.argsort(-frame["difference"].abs().to_numpy(), kind="stable")].reset_index(drop=True)


def agreement(comparison: RunComparison, first: str, second: str, month: float | None = None) -> Agreement:
    """The estimates of two compared runs; patients without an estimate at ``month`` are left out."""
    one, other = comparison.predictions[first], comparison.predictions[second]
    x, y = _estimates(one, month), _estimates(other, month)
    both = np.isfinite(x) & np.isfinite(y)
    x, y = x[both], y[both]
    varied = len(x) > 2 and np.ptp(x) > 0 and np.ptp(y) > 0
    return Agreement(
        first, second, tuple(i for i, known in zip(comparison.ids, both, strict=True) if known), x, y,
        _status(one, month)[both], month, float(spearmanr(x, y).statistic) if varied else float("nan"),
    )  # fmt: skip


def _estimates(predictions: Predictions, month: float | None) -> FloatArray:
    if month is not None:
        return predictions.survival_at(month)
    risk, fold = predictions.table["risk"].to_numpy(dtype=float), predictions.table["fold"].to_numpy()
    place = np.empty(len(risk))
    for number in np.unique(fold):
        inside = fold == number
        place[inside] = (rankdata(risk[inside]) - 0.5) / inside.sum()
    return place


def _status(predictions: Predictions, month: float | None) -> np.ndarray:
    time, code = predictions.table["time"].to_numpy(dtype=float), predictions.table["event"].to_numpy()
    if month is None:
        return np.where(code == 1, "event", "censored")
    happened, free, before = STATUS
    return np.where(time > month, free, np.where(code == 1, happened, before))
