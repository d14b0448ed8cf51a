"""A network that is handed the answer of one of its encoders instead of encoding again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any

from torch import Tensor, nn

from core.cohort.modality import Modality
from core.features.batch import Batch

Answer = Any  # what an encoder of bags returns: (b, w), or that and the attention (b, n)


def bag_encoder(network: nn.Module, modality: Modality) -> nn.Module | None:
    """The module that makes a modality's bag one vector; None for a network without such a place."""
    encoders = getattr(network, "encoders", None)
    known = isinstance(encoders, nn.ModuleDict) and modality.value in encoders
    return encoders[modality.value] if known and isinstance(encoders, nn.ModuleDict) else None


@contextmanager
def handed(network: nn.Module, answers: Mapping[Modality, Answer]) -> Iterator[None]:
    """Within, each of these encoders answers so, whatever it is given."""
    with ExitStack() as stack:
        for modality, answer in answers.items():
            encoder = bag_encoder(network, modality)
            assert encoder is not None  # noqa: S101  answers come from it
            handle = encoder.register_forward_hook(lambda module, given, made, answer=answer: answer)
            stack.callback(handle.remove)
        yield


def shortened(batch: Batch, modalities: tuple[Modality, ...]) -> Batch:
    """The batch with one row of these bags: their encoders are handed their answers."""
    return replace(
        batch,
        bags={m: b[:, :1] if m in modalities else b for m, b in batch.bags.items()},
        masks={m: k[:, :1] if m in modalities else k for m, k in batch.masks.items()},
    )


def repeated(answer: Answer, times: int) -> Answer:
    """One patient's answer for ``times`` patients."""
    if isinstance(answer, tuple):
        return tuple(repeated(part, times) for part in answer)
    return answer.expand(times, *answer.shape[1:]) if isinstance(answer, Tensor) else answer
