"""One door for every model and baseline: ``fit`` on training patients, ``predict`` for any."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from core.arrays import FloatArray
from core.features.inputs import Inputs, Outcome


@dataclass(frozen=True, eq=False)
class Estimates:
    """Predictions for n patients: ``risk`` (n,), higher = earlier event; ``survival`` (n, t), NaN = not estimable."""

    risk: FloatArray
    survival: FloatArray


@dataclass(frozen=True, eq=False)
class State:
    """Everything needed to predict again: plain settings and arrays. Nothing in it executes."""

    settings: Mapping[str, Any]
    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)


class Fitted(Protocol):
    """A fitted model."""

    def predict(self, inputs: Inputs, times: FloatArray) -> Estimates:
        """Risk and S(t) at ``times`` (months)."""
        ...

    def state(self) -> State:
        """The stored form; the estimator's ``restore`` rebuilds an equal model from it."""
        ...


class Estimator(Protocol):
    """An unfitted model with its configuration."""

    @property
    def name(self) -> str: ...

    def fit(self, inputs: Inputs, outcome: Outcome, horizons: tuple[float, ...], seed: int) -> Fitted:
        """Learn from these patients and from nothing else."""
        ...

    def restore(self, state: State) -> Fitted:
        """A fitted model from its stored form."""
        ...


def estimable(survival: FloatArray, times: FloatArray, limit: float) -> FloatArray:
    """``survival`` with NaN at the times beyond ``limit``, the last month with enough training patients at risk."""
    return np.asarray(np.where(np.asarray(times)[None] <= limit, survival, np.nan))
