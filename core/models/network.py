"""What every neural survival model is, beyond a torch module."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from core.features.batch import Batch
from core.models.output import Capabilities

Muted = Mapping[str, tuple[int, ...]]
"""Experts switched off: level name → expert numbers (one past the last routed expert = the shared one)."""


class SurvivalNetwork(nn.Module):
    """A network from a Batch to a SurvivalOutput; see ``forward(batch, trace)`` of the models.

    ``objective`` is ``"hazards"`` (the output's logits are those of discrete hazards) or ``"cox"`` (they are one
    log-hazard a patient).
    """

    objective: str = "hazards"

    def pretraining_loss(self, batch: Batch) -> Tensor | None:
        """Loss of the epochs before survival is trained; None for a model that has no such epochs."""
        return None

    def factor_embeddings(self, batch: Batch) -> Mapping[str, Tensor] | None:
        """Named expert → (b, d) embedding, and ``gate`` (b, k) over them; None where experts have no names."""
        return None

    def embedding(self, batch: Batch) -> Tensor:
        """(b, width) what the answer is read from."""
        raise TypeError(f"{type(self).__name__} does not say what its answer is read from")

    def stand_ins(self, batch: Batch) -> Mapping[str, tuple[Tensor, Tensor]]:
        """Modality → (b, width) representations and what would stand in for them if they were missing; empty for a
        model that makes none."""
        return {}

    def state_with_new_group(self) -> Mapping[str, Tensor] | None:
        """The weights with one more cancer, made from the trained ones; None for a model that has nothing of a
        cancer's own."""
        return None

    def start_groups(self, log_odds: Tensor) -> None:
        """Let each cancer begin at its own average hazards (cancers, bins); nothing for a model that tells no cancers
        apart."""

    def expert_names(self) -> Mapping[str, tuple[str, ...]]:
        """Level → names of its experts, where they mean the same in every trained model. The experts of other levels
        have numbers alone, and number 3 of one model has nothing to do with number 3 of another."""
        return {}

    borrowed: frozenset[int] = frozenset()

    def borrow(self, group: int) -> None:
        """Treat cancer ``group`` as one without experts of its own."""
        self.borrowed = self.borrowed | {group}

    def capabilities(self) -> Capabilities:
        """What this model can do."""
        raise TypeError(f"{type(self).__name__} does not say what it can do")

    def start_from(self, log_odds: Tensor) -> None:
        """Begin at the hazards (bins,) of the average training patient, so that no epoch is spent on finding them."""
        raise TypeError(f"{type(self).__name__} has no hazards to start from")
