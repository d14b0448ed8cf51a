"""A model's estimate shared out over a patient's genes, clinical columns and bags, against a background.

What is explained is f = S(month) in percent. The players are the patient's *vector* (genes and clinical columns) and
each bag modality (slides, volumes, reports) as a whole: a bag has no gradient towards another bag, which has other
patches, and more or fewer of them. For each background patient b:

1. Shapley values over the players, exactly, from the estimates of all 2^k coalitions: a player in the coalition takes
   the patient's value, the others take b's. They add up to f(patient) − f(b).
2. The vector's share is divided by expected gradients (Erion et al., 2021): Integrated Gradients (Sundararajan et al.,
   2017, Eq. 1) along the straight line from b's vector to the patient's. Without bags that is expected gradients and
   nothing else. With bags they are held as in a coalition that the vector joins, drawn with the Shapley weights, and
   once more as in its complement, which has the same weight: with one bag modality nothing is left to chance.
3. A hard router switches expert somewhere on the line, and a switch has no gradient: what the integral misses of the
   vector's share is given to its values in proportion to their size, and :attr:`Shares.switched` says how much it was.

The mean over b then satisfies baseline + Σ values = f(patient), where baseline is the mean f(b).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from captum.attr import IntegratedGradients
from torch import Tensor

from core.arrays import BoolArray, FloatArray
from core.explain.coalitions import coalitions, joined_coalitions, shapley_values
from core.explain.estimate import PatientEstimate, Player

STEPS = 8
ROWS = 50
"""Estimates whose gradients are taken at once: more do not fit a processor's cache, and take longer."""
METHOD = "expected gradients (captum), exact Shapley values over slides, scans and reports"


@dataclass(frozen=True, eq=False)
class Shares:
    """One model's estimate, shared out against each of b background patients, in percentage points.

    ``prediction`` f(patient) · ``worth`` (2^k, b) estimates of the coalitions of the players (the vector first, when
    there is one) · ``values`` (b, p) of the genes and clinical columns · ``bags`` (b, k) of the bag modalities ·
    ``switched`` mean part of ``values`` that has no gradient.
    """

    prediction: float
    worth: FloatArray
    values: FloatArray
    bags: FloatArray
    switched: float

    @property
    def baseline(self) -> float:
        """Mean estimate of the background patients."""
        return float(self.worth[0].mean())

    @property
    def joined(self) -> FloatArray:
        """(b, p + k): values, then bags."""
        return np.concatenate([self.values, self.bags], axis=1)


def share_out(estimate: PatientEstimate, players: tuple[Player, ...], steps: int = STEPS, seed: int = 0) -> Shares:
    """Share out the estimate of one model; see the module."""
    count = len(estimate.others)
    has_vector = estimate.own.shape[1] > 0
    worth = coalition_worth(estimate)
    shapley = shapley_values(worth)
    values = np.zeros((count, len(players)))
    switched = 0.0
    if has_vector:
        values = _by_player(_expected_gradients(estimate, steps, seed), players)
        missed = shapley[0] - values.sum(axis=1)
        values = values + missed[:, None] * _proportions(values)
        switched = float(missed.mean())
    bags = shapley[int(has_vector) :].T
    return Shares(float(worth[-1].mean()), worth, values, bags, switched)


def _expected_gradients(estimate: PatientEstimate, steps: int, seed: int) -> FloatArray:
    """(b, g + c) of step 2, from b × ``steps`` gradients with and without bags."""
    count, bag_count = len(estimate.others), len(estimate.bag_modalities)
    held = joined_coalitions(bag_count, count, np.random.default_rng([seed, 1]))
    if not bag_count:
        return integrated_gradients(estimate, held, steps)
    half = max(2, steps // 2)
    return (integrated_gradients(estimate, held, half) + integrated_gradients(estimate, ~held, half)) / 2


def coalition_worth(estimate: PatientEstimate) -> FloatArray:
    """(2^k, b) estimate for every coalition of the players and every background patient."""
    count, bag_count = len(estimate.others), len(estimate.bag_modalities)
    has_vector = estimate.own.shape[1] > 0
    numbers = torch.arange(1, count + 1)[:, None]
    found = []
    for members in coalitions(int(has_vector) + bag_count):
        vector = estimate.own.expand(count, -1) if has_vector and members[0] else estimate.others
        held = torch.from_numpy(members[int(has_vector) :])[None]
        found.append(estimate.at(vector, numbers * ~held).numpy())
    return np.stack(found)


def integrated_gradients(estimate: PatientEstimate, held: BoolArray, steps: int) -> FloatArray:
    """(b, g + c) captum's integral from each background vector to the patient's, Gauss-Legendre with ``steps`` nodes.

    ``held`` (b, k) which bags are the patient's own meanwhile.
    """
    count = len(estimate.others)
    bags: Tensor = torch.arange(1, count + 1)[:, None] * ~torch.from_numpy(held)
    found: Tensor = IntegratedGradients(estimate).attribute(
        estimate.own.expand(count, -1).contiguous(),
        baselines=estimate.others,
        additional_forward_args=(bags,),
        target=0,
        n_steps=steps,
        internal_batch_size=max(ROWS, count),
    )
    return found.detach().double().numpy()


def _by_player(values: FloatArray, players: tuple[Player, ...]) -> FloatArray:
    """(b, g + c) → (b, p): a category's indicators summed to their column."""
    places = [place for player in players for place in player.places]
    starts = np.cumsum([0, *(len(player.places) for player in players)])[:-1]
    return np.asarray(np.add.reduceat(values[:, places], starts, axis=1))


def _proportions(values: FloatArray) -> FloatArray:
    """Each row's sizes as shares of their sum; equal shares where nothing moves the estimate."""
    size = np.abs(values)
    total = size.sum(axis=1, keepdims=True)
    return np.where(total > 0, size / np.where(total > 0, total, 1.0), 1.0 / values.shape[1])
