"""Risk under every pair of arrangements of the random feature reorganisation, and under random draws of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from core.arrays import FloatArray
from core.errors import PrognoscopeError
from core.models.hdmoe.arrangements import arrangement_counts, draw_probabilities, fixed_arrangement
from core.models.hdmoe.model import HDMoE
from core.statistics.discrimination import harrell_c
from core.tasks.cell_models import KeptModel
from core.training.fit import predict_logits


@dataclass(frozen=True, eq=False)
class Draws:
    """What repeating the evaluation of one model shows.

    ``exact`` C-index of the average over all arrangements · ``drawn`` (r,) C-index of r repetitions, each patient's
    arrangement drawn anew · ``within``, ``between`` standard deviation of a patient's risk over the draws (root mean
    square over patients), and of the patients' mean risks.
    """

    exact: float
    drawn: FloatArray
    within: float
    between: float


def repeat_evaluation(tested: KeptModel, repeats: int, seed: int) -> Draws:
    """Evaluate the same model on the same patients ``repeats`` times, as the released code does."""
    logits, probabilities = _logits(tested)
    risks = _risk(logits)
    average = _risk((probabilities[:, None, None] * logits).sum(axis=0))
    time, event = tested.outcome.time, tested.outcome.event
    random = np.random.default_rng(seed)
    patients = np.arange(risks.shape[1])
    chosen = random.choice(len(risks), size=(repeats, len(patients)), p=probabilities)
    drawn = np.array([harrell_c(time, event, risks[pair, patients]) for pair in chosen])
    mean = probabilities @ risks
    variance = probabilities @ (risks - mean) ** 2
    return Draws(harrell_c(time, event, average), drawn, float(np.sqrt(variance.mean())), float(mean.std()))


def _logits(tested: KeptModel) -> tuple[FloatArray, FloatArray]:
    """(a, n, bins) hazard logits of every pair of arrangements and (a,) how often each pair is drawn."""
    network = tested.model.network
    if not isinstance(network, HDMoE):
        raise PrognoscopeError("a model without reorganisation", tested.model.model, "use hdmoe")
    tensors = tested.model.preparation.tensors(tested.inputs)
    first, second = arrangement_counts(network)
    found = []
    for i in range(first):
        for j in range(second):
            with fixed_arrangement(network, i, j):
                found.append(predict_logits(network, tensors, len(tested.inputs)).double().numpy())
    return np.stack(found), draw_probabilities(network).ravel()


def _risk(logits: FloatArray) -> FloatArray:
    """(…, bins) hazard logits → (…,) risk −ΣS, as the models define it."""
    logs = torch.cumsum(torch.nn.functional.logsigmoid(-torch.from_numpy(logits)), dim=-1)
    return np.asarray(-torch.exp(logs).sum(dim=-1).numpy())
