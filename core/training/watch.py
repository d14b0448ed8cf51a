"""Looking at a training between its epochs. What is seen is written down for people; it changes and chooses nothing.

Every epoch reseeds its own generators (:class:`~core.training.fit.Fitter`) and a network in evaluation draws nothing,
so a watched training ends in the same weights, bit for bit, as one that nobody looked at.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from core.arrays import FloatArray, IntArray
from core.cohort.modality import Modality
from core.features.batch import Tensors
from core.features.inputs import Inputs, Outcome
from core.models.output import SurvivalOutput, Trace
from core.results.training_curve import CurvePoint, LevelLoad, append_point
from core.statistics.brier import integrated_brier
from core.statistics.discrimination import harrell_c
from core.training.fit import EpochRecord
from core.training.losses import HazardTarget, hazard_nll
from core.training.neural import FittedNeural

Watch = Callable[[FittedNeural, EpochRecord], None]

MOST_PATIENTS = 64
"""Training patients looked at after an epoch, a fixed random part: about as many as a fold holds out, and a third more
time for the training instead of two thirds."""
_BATCH = 64


class CurveWriter:
    """Appends one :class:`CurvePoint` an epoch to a file.

    Parameters
    ----------
    path : Path
    fold, seed : int
        Which fit it is.
    train, held_out : (Inputs, Outcome)
    times : (t,) array
        Months at which survival is compared with what happened.
    """

    def __init__(
        self,
        path: Path,
        fold: int,
        seed: int,
        train: tuple[Inputs, Outcome],
        held_out: tuple[Inputs, Outcome],
        times: FloatArray,
    ) -> None:
        self.path, self.fold, self.seed, self.times = path, fold, seed, times
        rows = np.sort(np.random.default_rng(seed).permutation(len(train[1]))[:MOST_PATIENTS])
        self.train, self.train_outcome = train[0].take(rows), train[1].take(rows)
        self.held_out, self.outcome = held_out
        self.tensors: tuple[Tensors, Tensors] | None = None

    def __call__(self, current: FittedNeural, record: EpochRecord) -> None:
        """Look at the network as it is after an epoch."""
        if self.tensors is None:  # the preparation is fixed before the first epoch
            self.tensors = (current.preparation.tensors(self.train), current.preparation.tensors(self.held_out))
        logits, levels = observe(current, self.tensors[0], self.train)
        held_logits, _ = observe(current, self.tensors[1], self.held_out, routing=False)
        held = current.estimates(held_logits, self.times)
        event = self.outcome.event
        point = CurvePoint(
            fold=self.fold,
            seed=self.seed,
            epoch=record.epoch,
            loss=record.survival_loss,
            held_out_loss=self._loss(current, held_logits),
            c_train=_concordance(self.train_outcome, current.estimates(logits, self.times[:1]).risk),
            c_held_out=_concordance(self.outcome, held.risk),
            ibs_held_out=integrated_brier(self.outcome.time, event, held.survival, self.times).value,
            auxiliary=dict(record.auxiliary),
            levels=levels,
            **_inside(current, self.tensors[0], self.train, current.estimates(logits, self.times[:1]).risk),
        )
        append_point(self.path, point)

    def _loss(self, current: FittedNeural, logits: torch.Tensor) -> float | None:
        """Likelihood of the held-out patients; None for a head without hazards (a partial likelihood is no mean)."""
        if logits.shape[1] != len(current.bins):
            return None
        return float(hazard_nll(logits, HazardTarget.of(self.outcome, current.bins)))


def observe(
    current: FittedNeural, tensors: Tensors, inputs: Inputs, routing: bool = True
) -> tuple[torch.Tensor, dict[str, LevelLoad]]:
    """(n, bins) hazard logits, and with ``routing`` what each router did, from the same forward pass.

    A level of one modality counts the patients who have it: for the others its tokens are a learned stand-in.
    """
    network, device = current.network.eval(), torch.device(current.device)
    trace = Trace.ROUTING if routing and network.capabilities().routers else Trace.NONE
    parts, sums = [], dict[str, FloatArray]()
    with torch.no_grad():
        for start in range(0, len(inputs), _BATCH):
            rows = np.arange(start, min(len(inputs), start + _BATCH))
            output: SurvivalOutput = network(tensors.batch(rows).to(device), trace=trace)
            parts.append(output.logits.float().cpu())
            for name, level in output.routing.levels.items() if output.routing is not None else ():
                keep = _counted(name, inputs, rows)
                both_sums = np.stack([x[keep].sum(axis=(0, 1), dtype=float) for x in (level.assigned, level.gate_mass)])
                sums[name] = sums.get(name, 0.0) + both_sums
    levels = {name: LevelLoad.of(load.tolist(), gate.tolist()) for name, (load, gate) in sums.items() if load.sum() > 0}
    return torch.cat(parts), levels


def _inside(current: FittedNeural, tensors: Tensors, inputs: Inputs, risk: FloatArray) -> dict[str, Any]:
    """How far patients of a cancer lie apart, and how far stand-ins lie from the real modalities."""
    network, device = current.network.eval(), torch.device(current.device)
    embeddings, pairs = [], dict[str, list[tuple[FloatArray, FloatArray]]]()
    with torch.no_grad():
        for start in range(0, len(inputs), _BATCH):
            batch = tensors.batch(np.arange(start, min(len(inputs), start + _BATCH))).to(device)
            embeddings.append(network.embedding(batch).double().cpu().numpy())
            for name, both_kinds in network.stand_ins(batch).items():
                has = batch.present[Modality(name)].cpu().numpy()
                real, made = (x.double().cpu().numpy()[has] for x in both_kinds)
                pairs.setdefault(name, []).append((real, made))
    found: dict[str, Any] = {"risk_spread": float(np.sqrt(_within(risk[:, None], inputs.groups)))}
    stacked = np.concatenate(embeddings)
    found["embedding_spread"] = float(_within(stacked, inputs.groups) / max(float((stacked**2).mean()), 1e-12))
    found["drift"] = {name: drift_of(*map(np.concatenate, zip(*each, strict=True))) for name, each in pairs.items()}
    return found


def _within(values: FloatArray, groups: tuple[str, ...]) -> float:
    """Variance around the mean of each patient's group, over all patients and columns of (n, d)."""
    codes = np.unique(groups, return_inverse=True)[1] if groups else np.zeros(len(values), dtype=np.int64)
    centred = values.copy()
    for code in np.unique(codes):
        centred[codes == code] -= values[codes == code].mean(axis=0)
    return float((centred**2).mean())


def drift_of(real: FloatArray, made: FloatArray) -> float:
    """Distance between the centres of stand-ins and real representations (n, d), in the real ones' root mean square
    distance from their centre; 0 for fewer than two patients."""
    if len(real) < 2:
        return 0.0
    spread = float(((real - real.mean(axis=0)) ** 2).sum(axis=1).mean())
    return float(np.sqrt(((made.mean(axis=0) - real.mean(axis=0)) ** 2).sum() / max(spread, 1e-12)))


def _counted(level: str, inputs: Inputs, rows: IntArray) -> IntArray:
    """Which patients of a batch a level's load counts."""
    for modality in inputs.modalities:
        if level.endswith(f"· {modality.value}"):
            return np.flatnonzero(inputs.present[modality][rows])
    return np.arange(len(rows))


def both(first: Watch | None, second: Watch | None) -> Watch | None:
    """One watch that calls two; None when there is none."""
    if first is None or second is None:
        return first or second

    def call(current: FittedNeural, record: EpochRecord) -> None:
        first(current, record)
        second(current, record)

    return call


def _concordance(outcome: Outcome, risk: FloatArray) -> float | None:
    value = harrell_c(outcome.time, outcome.event, risk)
    return float(value) if np.isfinite(value) else None
