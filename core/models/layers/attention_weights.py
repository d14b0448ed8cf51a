"""A place the attention weights pass on their way, so that they can be read there with their gradient."""

from __future__ import annotations

from torch import nn


class AttentionWeights(nn.Identity):
    """Hands on the weights (…, n) with which tokens are averaged. A forward hook sees exactly those that are used."""
