"""S(month) as a differentiable function of a network's output: what every explanation explains.

It is the very number that :meth:`core.training.neural.FittedNeural.predict` reports, in torch.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from core.errors import PrognoscopeError
from core.training.neural import FittedNeural


def survival_at(fitted: FittedNeural, logits: Tensor, month: float) -> Tensor:
    """(b,) S(month) of ``b`` patients from the network's (b, bins) logits.

    Discrete hazards: ∏ (1 − h_k)^f_k with f_k the share of bin k before ``month``. Cox: exp(−H₀(month) e^η) with the
    training fold's Breslow baseline.

    Raises
    ------
    PrognoscopeError
        For a month beyond the last that the model's training patients allow.
    """
    check_month(fitted, month)
    if fitted.network.objective == "cox":
        assert fitted.baseline is not None  # noqa: S101  a stored Cox model has its baseline
        before = float(-np.log(fitted.baseline.survival(np.zeros(1), np.array([month]))[0, 0]))
        return torch.exp(-before * torch.exp(logits[:, 0]))
    share = torch.as_tensor(fitted.bins.fraction(np.array([month]))[0], dtype=logits.dtype, device=logits.device)
    return torch.exp(torch.nn.functional.logsigmoid(-logits) @ share)


def check_month(fitted: FittedNeural, month: float) -> None:
    """Raise for a month at which this model estimates nothing."""
    if not 0 < month <= fitted.bins.limit:
        raise PrognoscopeError(
            f"no estimate at month {month:g}",
            "the months this model estimates",
            f"choose a month up to {np.floor(fitted.bins.limit):g}",
        )
