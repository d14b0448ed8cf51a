"""How a model routed each patient through its experts. Reading it changes nothing in the output."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class LevelTrace:
    """Routing of ``b`` patients at one level (one router) with ``k`` tokens and ``e`` routed experts.

    Parameters
    ----------
    gate_mass : (b, k, e) float array
        Soft weight of each expert for each token; rows sum to 1.
    assigned : (b, k, e) float array
        1 for the experts a token was sent to (top-k). Where the output is a mean over several arrangements of the
        tokens, the share of arrangements in which it was sent there; gate mass is their mean likewise.
    output_norm : (b, e + 1) float array
        Euclidean norm of what each expert added, summed over its tokens; the last column is the shared expert.
    tokens_in, shared_out : (b, k, d_in) and (b, k, d_out) float arrays
        The tokens before and after the shared expert (token self-correlation is read from them).
    """

    gate_mass: NDArray[np.float32]
    assigned: NDArray[np.float32]
    output_norm: NDArray[np.float32]
    tokens_in: NDArray[np.float32]
    shared_out: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class RoutingTrace:
    """Traces by level name, e.g. ``"level 1 · genomics"`` and ``"level 2"``."""

    levels: Mapping[str, LevelTrace]
