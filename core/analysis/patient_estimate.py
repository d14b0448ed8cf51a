"""What the models say of one patient: the curve, its value at a month, and how far the models that may speak differ."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from core.arrays import FloatArray
from core.results.own_support import Support
from core.results.prediction import Predictions
from core.results.prediction_set import PredictionSet

FEWEST_AT_RISK = 20
"""Training patients still followed, below which a run estimates nothing (core.training.bins)."""


class Spread(StrEnum):
    """What the two limits beside a number are."""

    RANGE = "the lowest and the highest of them"
    QUANTILES = "the middle 80 % of them"


@dataclass(frozen=True)
class Number:
    """One estimated probability, 0..1, with the model spread; every presentation of it is made from this record.

    ``low``, ``high`` None where a single model speaks, or where the spread is not known.
    """

    value: float
    low: float | None
    high: float | None

    @property
    def of_hundred(self) -> int:
        """Of 100 such patients, rounded half up."""
        return of_hundred(self.value)


def of_hundred(value: float) -> int:
    """A probability as patients of 100, rounded half up."""
    return int(np.floor(100 * value + 0.5))


@dataclass(frozen=True, eq=False)
class PatientEstimate:
    """S(t) of one patient.

    Parameters
    ----------
    patient : str
        Pseudonym.
    times : (t,) float array
        Months.
    survival : (t,) float array
        Mean over the models that may speak; NaN where not estimable.
    members : (m, t) float array
        Each of these models; (0, t) where only their mean and spread were stored.
    low, high : (t,) float arrays
        The spread, NaN where there is none.
    models : int
        How many spoke: for a patient of the run's cohort only those that never saw them.
    unseen : bool
        True for a patient of the cohort the run was trained on.
    spread : Spread
        What ``low`` and ``high`` are.
    horizons : tuple of float
        Months the run reports.
    support : Support or None
        Whether the patient lies where the run was trained; None = not checked yet.
    """

    patient: str
    times: FloatArray
    survival: FloatArray
    members: FloatArray
    low: FloatArray
    high: FloatArray
    models: int
    unseen: bool
    spread: Spread
    horizons: tuple[float, ...]
    support: Support | None

    @property
    def refused(self) -> str:
        """Why no number may be shown, or ""."""
        return self.support.reason if self.support is not None and not self.support.supported else ""

    @property
    def last_month(self) -> float:
        """The last month with an estimate; 0 without any."""
        known = np.flatnonzero(np.isfinite(self.survival))
        return float(self.times[known[-1]]) if len(known) else 0.0

    def at(self, month: float) -> Number | None:
        """S(month); None where it is not estimable."""
        return self.given_alive(0.0, month)

    def given_alive(self, reached: float, month: float) -> Number | None:
        """S(month | alive at ``reached``) = S(month) / S(reached), with the spread of the models' own quotients.

        None where one of the two is not estimable, nobody is expected to reach ``reached``, or month < reached.
        """
        top, bottom = (value_at(self.times, self.survival, m) for m in (month, reached))
        if month < reached or not np.isfinite(top) or not bottom > 0:
            return None
        low, high = self._spread(reached, month)
        return Number(float(top / bottom), low, high)

    def _spread(self, reached: float, month: float) -> tuple[float | None, float | None]:
        if len(self.members) > 1:
            each = [
                value_at(self.times, m, month) / s for m in self.members if (s := value_at(self.times, m, reached)) > 0
            ]
            return (float(min(each)), float(max(each))) if each and np.isfinite(each).all() else (None, None)
        if reached > 0:
            return None, None  # quotients of quantiles are no quantiles of quotients
        low, high = (value_at(self.times, c, month) for c in (self.low, self.high))
        return (float(low), float(high)) if np.isfinite(low) and np.isfinite(high) else (None, None)


def value_at(times: FloatArray, curve: FloatArray, month: float) -> float:
    """S(month) of one (t,) curve by linear interpolation of log S; NaN where not estimable.

    As :meth:`core.results.prediction.Predictions.survival_at` does for all patients at once.
    """
    grid, values = np.concatenate([[0.0], times]), np.concatenate([[1.0], curve])
    right = int(np.searchsorted(grid, month))
    if right >= len(grid):
        return float("nan")
    if grid[right] == month or values[right] <= 0:
        return float(values[right])
    share = (month - grid[right - 1]) / (grid[right] - grid[right - 1])
    return float(values[right - 1] ** (1 - share) * values[right] ** share)


def own_estimate(
    patient: str, predictions: Predictions, horizons: tuple[float, ...], support: Support | None
) -> PatientEstimate | None:
    """From a run's out-of-fold predictions, one row a model that never saw the patient; None where there is none."""
    rows = np.flatnonzero((predictions.table["id"] == patient).to_numpy())
    if not len(rows):
        return None
    members = predictions.survival[rows]
    nothing = np.full(len(predictions.times), np.nan)
    low, high = (members.min(axis=0), members.max(axis=0)) if len(rows) > 1 else (nothing, nothing)
    return PatientEstimate(
        patient, predictions.times, members.mean(axis=0), members, low, high, len(rows), not predictions.in_sample,
        Spread.RANGE, horizons, support,
    )  # fmt: skip


def set_estimate(patient: str, found: PredictionSet) -> PatientEstimate | None:
    """From a run's estimates of another cohort: all its models speak, unless some were trained on the patient."""
    rows = np.flatnonzero((found.table["id"] == patient).to_numpy())
    if not len(rows):
        return None
    row = found.table.iloc[rows[0]]
    distance = float(row["distance"])
    support = Support(bool(row["supported"]), str(row["reason"]), distance if np.isfinite(distance) else None)
    curves = (c[rows[0]] for c in (found.survival, found.low, found.high))
    survival, low, high = curves
    return PatientEstimate(
        patient, found.times, survival, np.zeros((0, len(found.times))), low, high, int(row["members"]),
        bool(row["overlap"]), Spread.QUANTILES, found.horizons, support,
    )  # fmt: skip
