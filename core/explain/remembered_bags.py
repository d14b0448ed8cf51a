"""A network that need not encode the same slide, scan or report a thousand times.

An attribution asks a model for thousands of estimates that differ in genes and clinical values alone. The bags of the
few patients involved are encoded once; afterwards a bag is given by its number.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from core.cohort.modality import Modality
from core.features.batch import Batch, Tensors
from core.models.layers.experts import ExpertLevel
from core.models.network import SurvivalNetwork
from core.training.prediction_batches import prediction_batches


@dataclass(frozen=True, eq=False)
class RememberedBags:
    """``network`` a copy that takes ``bags`` (u, n, d) and ``masks`` (u, n) of each modality, row for row with the
    ``u`` patients that were remembered. Where the network's encoder is known, a bag is its patient's number alone.
    """

    network: SurvivalNetwork
    bags: Mapping[Modality, Tensor]
    masks: Mapping[Modality, Tensor]


def remember_bags(network: SurvivalNetwork, tensors: Tensors, patients: int) -> RememberedBags:
    """Encode the bags of the ``patients`` first rows of ``tensors``; the copy's weights take no gradient."""
    network = copy.deepcopy(network).eval().requires_grad_(False)
    for module in network.modules():
        if isinstance(module, ExpertLevel):
            module.chosen_only = True  # most of the time of thousands of estimates goes into experts of weight 0
    doors = {m: door for m in tensors.bags if (door := _door(network, m)) is not None}
    kept = _captured(network, doors, tensors, patients) if doors else {}
    bags, masks = {}, {}
    for modality in tensors.bags:
        if modality in kept:
            _answer_from_memory(*doors[modality], modality, kept[modality])
            bags[modality] = torch.arange(patients, dtype=torch.float32)[:, None, None]
            masks[modality] = torch.ones(patients, 1, dtype=torch.bool)
    whole = [m for m in tensors.bags if m not in kept]  # such as a report that serves the training alone
    if whole:
        batch = tensors.batch(np.arange(patients))
        bags |= {m: batch.bags[m] for m in whole}
        masks |= {m: batch.masks[m] for m in whole}
    return RememberedBags(network, bags, masks)


Door = tuple[nn.Module, str]


def _door(network: nn.Module, modality: Modality) -> Door | None:
    """The module, and its method, that turns bags into one row a patient; None where a network has no such place."""
    for place in ("encoders", "bags"):
        modules = getattr(network, place, None)
        if isinstance(modules, nn.ModuleDict) and modality.value in modules:
            module = modules[modality.value]
            return module, "with_attention" if hasattr(module, "with_attention") else "forward"
    return None


@dataclass(frozen=True, eq=False)
class _Kept:
    """``rows`` (u, width) what a door answered for every patient; ``paired`` whether an attention came with it."""

    rows: Tensor
    paired: bool


def _captured(
    network: SurvivalNetwork, doors: Mapping[Modality, Door], tensors: Tensors, patients: int
) -> dict[Modality, _Kept]:
    """What each door answers; nothing for one that the estimate never passes."""
    heard: dict[Modality, list[Any]] = {m: [] for m in doors}
    for modality, (module, method) in doors.items():
        setattr(module, method, _listening(getattr(module, method), heard[modality]))
    batches = prediction_batches(tensors, patients, 64)
    with torch.no_grad():
        for rows in batches:
            network(tensors.batch(rows))
    for module, method in doors.values():
        delattr(module, method)  # the method of the class again
    place = torch.from_numpy(np.argsort(np.concatenate(batches)))
    return {m: _joined(answers, place) for m, answers in heard.items() if answers}


def _listening(method: Callable[..., Any], into: list[Any]) -> Callable[..., Any]:
    def heard(*args: Any) -> Any:
        answer = method(*args)
        into.append(answer)
        return answer

    return heard


def _joined(answers: list[Any], place: Tensor) -> _Kept:
    paired = isinstance(answers[0], tuple)
    return _Kept(torch.cat([a[0] if paired else a for a in answers])[place], paired)


def _answer_from_memory(module: nn.Module, method: str, modality: Modality, kept: _Kept) -> None:
    def answer(given: Any) -> Any:
        rows = kept.rows[_numbers(given, modality)]
        return (rows, rows.new_ones(len(rows), 1)) if kept.paired else rows  # nobody asks for this attention

    setattr(module, method, answer)


def _numbers(given: Any, modality: Modality) -> Tensor:
    """The remembered patients' numbers, from a batch of them or from what a network has averaged them to."""
    numbers: Tensor = given.bags[modality][:, 0, 0] if isinstance(given, Batch) else given[:, 0]
    return numbers.long()
