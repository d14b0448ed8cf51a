"""A neural survival model as an estimator: preparation, bins, network and training in one fit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from core.arrays import FloatArray
from core.errors import PrognoscopeError
from core.features.batch import Tensors
from core.features.inputs import Inputs, Outcome
from core.features.preparation import Preparation
from core.models.estimator import Estimates, State, estimable
from core.models.network import SurvivalNetwork
from core.models.registry import make_config, model_spec
from core.statistics.breslow import BreslowBaseline, breslow_baseline
from core.training.bins import TimeBins, make_bins
from core.training.config import TrainingConfig
from core.training.fit import EpochRecord, Fitter, predict_logits
from core.training.losses import HazardTarget
from core.training.state_files import read_state


@dataclass(frozen=True, eq=False)
class FittedNeural:
    """A trained network with the preparation and bins of its training fold."""

    model: str
    config: Any
    preparation: Preparation
    bins: TimeBins
    network: SurvivalNetwork
    history: tuple[EpochRecord, ...] = ()
    device: str = "cpu"
    baseline: BreslowBaseline | None = None

    def predict(self, inputs: Inputs, times: FloatArray) -> Estimates:
        """Risk −ΣS over the bins, S(t) with a constant hazard within each bin."""
        tensors: Tensors = self.preparation.tensors(inputs)
        return self.estimates(
            predict_logits(self.network, tensors, len(inputs), device=torch.device(self.device)), times
        )

    def estimates(self, logits: torch.Tensor, times: FloatArray) -> Estimates:
        """Estimates from (n, bins) hazard logits."""
        if self.network.objective == "cox":
            return self._cox_estimates(logits[:, 0].double().numpy(), times)
        logs = torch.cumsum(torch.nn.functional.logsigmoid(-logits.double()), dim=1)
        risk = -torch.exp(logs).sum(dim=1)
        hazards = torch.sigmoid(logits.double()).numpy()
        return Estimates(risk.numpy(), self.bins.survival(hazards, times))

    def _cox_estimates(self, log_hazard: FloatArray, times: FloatArray) -> Estimates:
        """Risk = log-hazard; S(t) from the training fold's Breslow baseline, NaN beyond the last estimable month."""
        assert self.baseline is not None  # noqa: S101  with_baseline() precedes every prediction
        return Estimates(log_hazard, estimable(self.baseline.survival(log_hazard, times), times, self.bins.limit))

    def with_baseline(self, tensors: Tensors, outcome: Outcome) -> FittedNeural:
        """For a Cox head, the same model with the baseline hazard of its training patients."""
        if self.network.objective != "cox":
            return self
        logits = predict_logits(self.network, tensors, len(outcome), device=torch.device(self.device))
        log_hazard = logits[:, 0].double().numpy()
        entry = outcome.entry if (outcome.entry > 0).any() else None
        return replace(self, baseline=breslow_baseline(outcome.time, outcome.event, log_hazard, entry))

    def state(self) -> State:
        settings = {
            "model": self.model,
            "config": asdict(self.config),
            "preparation": self.preparation.as_json(),
            "edges": list(self.bins.edges),
        }
        weights = {f"network.{k}": v.detach().cpu().numpy() for k, v in self.network.state_dict().items()}
        if self.baseline is not None:
            weights["baseline.times"] = self.baseline.times
            weights["baseline.hazard"] = self.baseline.cumulative_hazard
        return State(settings, {**self.preparation.arrays(), **weights})


def restore_neural(state: State) -> FittedNeural:
    """Rebuild a trained network from its stored form; its predictions are equal bit for bit on the same machine."""
    settings = state.settings
    spec = model_spec(settings["model"])
    config = make_config(spec, settings["config"])
    preparation = Preparation.restore(settings["preparation"], state.arrays)
    bins = TimeBins(tuple(settings["edges"]))
    network = spec.build(preparation.shape, preparation.modalities, len(bins), config)
    weights = {
        k.removeprefix("network."): torch.from_numpy(np.array(v))
        for k, v in state.arrays.items()
        if k.startswith("network.")
    }
    network.load_state_dict(weights)
    baseline = None
    if "baseline.times" in state.arrays:
        baseline = BreslowBaseline(np.array(state.arrays["baseline.times"]), np.array(state.arrays["baseline.hazard"]))
    return FittedNeural(settings["model"], config, preparation, bins, network.eval(), baseline=baseline)


@dataclass(frozen=True)
class NeuralEstimator:
    """A registered network with the settings of its model and of its training.

    ``start`` is a stored model to go on from: the training then keeps its preparation, its bins and its weights.
    """

    model: str
    settings: dict[str, Any] = field(default_factory=dict)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    device: str = "cpu"
    start: Path | None = None

    @property
    def name(self) -> str:
        return self.model

    def fit(self, inputs: Inputs, outcome: Outcome, horizons: tuple[float, ...], seed: int) -> FittedNeural:
        """Train for the fixed number of epochs."""
        return self.fit_watched(inputs, outcome, make_bins(outcome, horizons), seed, None)

    def fit_watched(
        self,
        inputs: Inputs,
        outcome: Outcome,
        bins: TimeBins,
        seed: int,
        watch: Callable[[FittedNeural, EpochRecord], None] | None,
    ) -> FittedNeural:
        """Train, letting ``watch`` look at the model after every epoch."""
        current = self._untrained(inputs, outcome, bins, seed) if self.start is None else self._started(seed)
        network, bins = current.network, current.bins
        tensors = current.preparation.tensors(inputs)
        fitter = Fitter(network, tensors, outcome, bins, self.training, seed, torch.device(self.device))
        looked = None if watch is None else lambda record: watch(current.with_baseline(tensors, outcome), record)
        records = fitter.run(looked)
        network.eval()
        return replace(current, history=records).with_baseline(tensors, outcome)

    def _untrained(self, inputs: Inputs, outcome: Outcome, bins: TimeBins, seed: int) -> FittedNeural:
        """A network of this seed, with a preparation fitted on these patients."""
        spec = model_spec(self.model)
        config = make_config(spec, self.settings)
        scale_bags = getattr(config, "scale_bags", True)  # the released HDMoE takes patch features as they are
        preparation = Preparation.fit(inputs, self.training.gene_scale, scale_bags)
        torch.manual_seed(seed)
        network: SurvivalNetwork = spec.build(preparation.shape, preparation.modalities, len(bins), config)
        target = HazardTarget.of(outcome, bins, self.training.censoring)
        network.start_from(target.mean_log_odds())
        group = preparation.group_numbers(inputs)
        if group is not None:
            network.start_groups(target.group_log_odds(group, len(preparation.groups)))
        return FittedNeural(self.model, config, preparation, bins, network, (), self.device)

    def _started(self, seed: int) -> FittedNeural:
        """The stored model as it is, in a network of these settings (a loss weight or a dropout may be another)."""
        assert self.start is not None  # noqa: S101
        stored = restore_neural(read_state(self.start))
        spec = model_spec(self.model)
        config = make_config(spec, {**asdict(stored.config), **self.settings})
        torch.manual_seed(seed)
        network = spec.build(stored.preparation.shape, stored.preparation.modalities, len(stored.bins), config)
        shapes = {k: tuple(v.shape) for k, v in network.state_dict().items()}
        kept = stored.network.state_dict()
        apart = sorted(k for k in {*shapes, *kept} if k not in kept or shapes.get(k) != tuple(kept[k].shape))
        if stored.model != self.model or apart:
            raise PrognoscopeError(
                f"a stored {stored.model} of another shape ({len(apart)} of its {len(kept)} arrays)",
                "the model to start from",
                "leave the settings that change its shape as they were",
            )
        network.load_state_dict(kept)
        return replace(stored, config=config, network=network, device=self.device, baseline=None, history=())

    def restore(self, state: State) -> FittedNeural:
        return restore_neural(state)
