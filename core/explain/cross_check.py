"""The same values from another implementation: shap's GradientExplainer, shown beside captum's."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from core.arrays import FloatArray
from core.explain.coalitions import joined_coalitions
from core.explain.estimate import PatientEstimate, Player

METHOD = "shap GradientExplainer"
SAMPLES = 200
TOGETHER = 50
"""Rows a network is given at once: the samples' gradients of more do not fit a processor's cache, and take longer."""


class _WithDrawnBags(nn.Module):
    """The estimate of a vector alone: each row's bags come from a drawn background patient and a drawn coalition.

    ``measuring`` answers with zeros of the right shape, which is all that shap asks of the model at first.
    """

    def __init__(self, estimate: PatientEstimate, seed: int) -> None:
        super().__init__()
        self.estimate = estimate
        self.random = np.random.default_rng([seed, 2])
        self.measuring = True

    def forward(self, vector: Tensor) -> Tensor:
        rows, kinds = len(vector), len(self.estimate.bag_modalities)
        others = torch.from_numpy(self.random.integers(1, len(self.estimate.others) + 1, rows))
        bags = others[:, None] * ~torch.from_numpy(joined_coalitions(kinds, rows, self.random))
        if self.measuring:
            return vector.new_zeros(rows, 1)
        pieces = range(0, rows, TOGETHER)
        return torch.cat([self.estimate(vector[i : i + TOGETHER], bags[i : i + TOGETHER]) for i in pieces])


def gradient_explainer(
    estimate: PatientEstimate, players: tuple[Player, ...], samples: int = SAMPLES, seed: int = 0
) -> FloatArray:
    """(p,) values of the genes and clinical columns in percentage points, from ``samples`` drawn points on the lines.

    The same expectation as :func:`core.explain.expected_gradients.share_out` takes by quadrature, by sampling; what a
    switch of a router hides from the gradient is missing here.
    """
    from shap import GradientExplainer

    asked = _WithDrawnBags(estimate, seed)
    explainer = GradientExplainer(asked, [estimate.others], batch_size=samples)
    asked.measuring = False
    found = np.asarray(explainer.shap_values([estimate.own], nsamples=samples, rseed=seed)[0]).reshape(-1)
    return np.array([found[list(player.places)].sum() for player in players])
