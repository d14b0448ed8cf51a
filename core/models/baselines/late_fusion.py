"""Late fusion: one model a modality, their estimates averaged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.arrays import FloatArray
from core.cohort.modality import Modality
from core.features.inputs import Inputs, Outcome
from core.models.estimator import Estimates, Estimator, Fitted, State


@dataclass(frozen=True, eq=False)
class FittedFusion:
    """One fitted model a modality, and the training risks' mean and spread that put them on one scale."""

    members: Mapping[Modality, Fitted]
    mean: Mapping[Modality, float]
    spread: Mapping[Modality, float]

    def predict(self, inputs: Inputs, times: FloatArray) -> Estimates:
        """Mean of the standardised risks and of S(t) over the modalities a patient has."""
        risk, survival, count = np.zeros(len(inputs)), np.zeros((len(inputs), len(times))), np.zeros(len(inputs))
        # a patient without any modality (the permutation audit makes some) gets what the members say of no data
        nobody = ~np.any([inputs.present[m] for m in self.members], axis=0)
        for modality, member in self.members.items():
            estimates = member.predict(inputs.only(modality), times)
            has = (inputs.present[modality] | nobody).astype(float)
            risk += has * (estimates.risk - self.mean[modality]) / self.spread[modality]
            survival += np.where(has[:, None] > 0, estimates.survival, 0.0)
            count += has
        return Estimates(risk / count, survival / count[:, None])

    def state(self) -> State:
        settings: dict[str, Any] = {"mean": dict(self.mean), "spread": dict(self.spread), "members": {}}
        arrays: dict[str, NDArray[Any]] = {}
        for modality, member in self.members.items():
            state = member.state()
            settings["members"][modality.value] = state.settings
            arrays |= {f"{modality.value}/{k}": v for k, v in state.arrays.items()}
        return State(settings, arrays)


@dataclass(frozen=True)
class LateFusion:
    """Fits ``member`` on each modality alone."""

    member: Estimator
    name: str = "late-fusion"

    @property
    def any_modality(self) -> bool:
        """A patient without a modality needs no training patient without it: each modality has its own model."""
        return True

    def fit(self, inputs: Inputs, outcome: Outcome, horizons: tuple[float, ...], seed: int) -> FittedFusion:
        """Each modality's model trains on the patients that have it."""
        members, mean, spread = {}, {}, {}
        for modality in inputs.modalities:
            rows = np.flatnonzero(inputs.present[modality])
            alone = inputs.only(modality).take(rows)
            members[modality] = self.member.fit(alone, outcome.take(rows), horizons, seed)
            risk = members[modality].predict(alone, np.array([1.0])).risk
            mean[modality], spread[modality] = float(risk.mean()), float(max(risk.std(), 1e-9))
        return FittedFusion(members, mean, spread)

    def restore(self, state: State) -> FittedFusion:
        members = {}
        for name, settings in state.settings["members"].items():
            arrays = {k.removeprefix(f"{name}/"): v for k, v in state.arrays.items() if k.startswith(f"{name}/")}
            members[Modality(name)] = self.member.restore(State(settings, arrays))
        mean = {Modality(k): float(v) for k, v in state.settings["mean"].items()}
        return FittedFusion(members, mean, {Modality(k): float(v) for k, v in state.settings["spread"].items()})
