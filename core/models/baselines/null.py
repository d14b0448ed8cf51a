"""The Kaplan-Meier null: everybody gets the training fold's curve."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.arrays import FloatArray
from core.features.follow_up import last_estimable
from core.features.inputs import Inputs, Outcome
from core.models.estimator import Estimates, State, estimable
from core.statistics.brier import kaplan_meier_null


@dataclass(frozen=True, eq=False)
class FittedNull:
    """The training patients' times and events; the curve is recomputed from them."""

    time: FloatArray
    event: FloatArray
    limit: float

    def predict(self, inputs: Inputs, times: FloatArray) -> Estimates:
        """The same risk 0 and the same curve for everyone."""
        curve = kaplan_meier_null(self.time, self.event.astype(bool), times)
        survival = np.repeat(curve[None], len(inputs), axis=0)
        return Estimates(np.zeros(len(inputs)), estimable(survival, times, self.limit))

    def state(self) -> State:
        return State({"limit": self.limit}, {"time": self.time, "event": self.event})


@dataclass(frozen=True)
class KaplanMeierNull:
    """Knows no patient: the row every model has to beat in calibration."""

    name: str = "kaplan-meier"

    @property
    def any_modality(self) -> bool:
        """A patient without a modality needs no training patient without it: nothing is read."""
        return True

    def fit(self, inputs: Inputs, outcome: Outcome, horizons: tuple[float, ...], seed: int) -> FittedNull:
        """Keep the outcomes."""
        return FittedNull(outcome.time, outcome.event.astype(float), last_estimable(outcome))

    def restore(self, state: State) -> FittedNull:
        return FittedNull(state.arrays["time"], state.arrays["event"], float(state.settings["limit"]))
