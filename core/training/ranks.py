"""One training on several processes or graphics cards: each works on its share of every step's patients.

Survival losses are not sums over patients (the partial likelihood's risk sets hold everybody), so the mean of the
ranks' own losses is not the loss. Here the logits of all ranks are gathered with their gradients, and every rank
computes the loss of the whole step. Gathering is a sum over ranks, whose derivative is the sum of the ranks' identical
derivatives, world × ∂L/∂logits; averaging the parameters' gradients over the ranks afterwards takes the factor out
again, and what is left is the gradient of one process.

A model's auxiliary losses are means over its own batch: here the mean of the ranks' means, weighted by patients. For a
loss that is no mean over patients (a load balance) that is an approximation, as with any smaller batch.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn

from core.arrays import IntArray


@dataclass(frozen=True)
class Ranks:
    """This process is ``rank`` of ``world``."""

    rank: int = 0
    world: int = 1

    def share(self, rows: IntArray) -> IntArray:
        """Places within ``rows`` that this rank works on: every world-th."""
        import numpy as np

        return np.arange(self.rank, len(rows), self.world)

    def gathered(self, logits: Tensor, places: IntArray, count: int) -> Tensor:
        """(count, t) logits of all ranks; this rank's stand at ``places``. Gradients flow back to their rank."""
        if self.world == 1:
            return logits
        index = torch.from_numpy(places).to(logits.device)
        placed = logits.new_zeros(count, logits.shape[1]).index_copy(0, index, logits)
        whole: Tensor = _Sum.apply(placed)  # type: ignore[no-untyped-call]
        return whole

    def weight(self, mine: int, count: int) -> float:
        """What a mean over this rank's patients counts, so that the average over ranks is the mean over all."""
        return self.world * mine / count

    def average(self, model: nn.Module) -> None:
        """The mean of the ranks' gradients, in place; a parameter no patient of a rank used counts as 0 there."""
        if self.world == 1:
            return
        parameters = [p for p in model.parameters() if p.requires_grad]
        used = torch.tensor([float(p.grad is not None) for p in parameters], device=parameters[0].device)
        dist.all_reduce(used)
        for parameter, anywhere in zip(parameters, used.tolist(), strict=True):
            if not anywhere:
                continue  # nowhere used: the optimizer leaves it alone, as in one process
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
            dist.all_reduce(parameter.grad)
            parameter.grad /= self.world


class _Sum(torch.autograd.Function):
    """Sum over the ranks. Each rank's loss depends on each rank's part, so the derivative is the sum of theirs."""

    @staticmethod
    def forward(_: object, part: Tensor) -> Tensor:
        whole = part.clone()
        dist.all_reduce(whole)
        return whole

    @staticmethod
    def backward(_: object, *gradients: Tensor) -> Tensor:
        whole = gradients[0].contiguous().clone()
        dist.all_reduce(whole)
        return whole


ALONE = Ranks()
_current: ContextVar[Ranks] = ContextVar("ranks", default=ALONE)


def current_ranks() -> Ranks:
    """The ranks a fit that begins now is shared by."""
    return _current.get()


def torchrun_ranks() -> Ranks:
    """What ``torchrun`` told this process; alone without it."""
    return Ranks(int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1")))


@contextmanager
def shared_by_ranks(ranks: Ranks, device: str = "cpu") -> Iterator[Ranks]:
    """Share every fit of the block with the other ranks, which must run the same block."""
    if ranks.world == 1:
        yield ranks
        return
    if device.startswith("cuda"):
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
    dist.init_process_group("nccl" if device.startswith("cuda") else "gloo", rank=ranks.rank, world_size=ranks.world)
    token = _current.set(ranks)
    try:
        yield ranks
    finally:
        _current.reset(token)
        dist.destroy_process_group()
