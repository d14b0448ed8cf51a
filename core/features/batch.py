"""Tensors of a batch of patients, padded and masked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.arrays import IntArray
from core.cohort.modality import Modality
from core.features.bag_scaling import BagScaler


@dataclass(frozen=True, eq=False)
class Batch:
    """Scaled inputs of ``b`` patients.

    ``present`` modality → (b,) bool · ``genes`` (b, g) · ``clinical`` (b, c) · ``bags`` modality → (b, n, d) with
    ``masks`` modality → (b, n) True at real patches, which stand before the padding · ``groups`` (b,) number of each
    patient's cancer among those of the training fold, or None where there is one.
    """

    present: Mapping[Modality, Tensor]
    genes: Tensor | None = None
    clinical: Tensor | None = None
    bags: Mapping[Modality, Tensor] = field(default_factory=dict)
    masks: Mapping[Modality, Tensor] = field(default_factory=dict)
    groups: Tensor | None = None

    @property
    def size(self) -> int:
        return int(next(iter(self.present.values())).shape[0])

    def to(self, device: torch.device) -> Batch:
        """The same batch on another device."""
        return Batch(
            {m: t.to(device) for m, t in self.present.items()},
            None if self.genes is None else self.genes.to(device),
            None if self.clinical is None else self.clinical.to(device),
            {m: t.to(device) for m, t in self.bags.items()},
            {m: t.to(device) for m, t in self.masks.items()},
            None if self.groups is None else self.groups.to(device),
        )


@dataclass(frozen=True, eq=False)
class Tensors:
    """Inputs of all patients of a fold; :meth:`batch` cuts batches out of them.

    Genes and clinical columns are scaled already; bags are scaled when they are cut, so that they lie in memory once.
    """

    present: Mapping[Modality, Tensor]
    genes: Tensor | None = None
    clinical: Tensor | None = None
    bags: Mapping[Modality, Sequence[NDArray[np.float32] | None]] = field(default_factory=dict)
    bag_width: Mapping[Modality, int] = field(default_factory=dict)
    groups: Tensor | None = None
    scalers: Mapping[Modality, BagScaler] = field(default_factory=dict)

    def batch(self, rows: IntArray, sample: int | None = None, generator: torch.Generator | None = None) -> Batch:
        """The patients ``rows``; with ``sample`` at most that many randomly chosen patches a bag."""
        index = torch.from_numpy(np.asarray(rows))
        bags, masks = {}, {}
        for modality, all_bags in self.bags.items():
            chosen = [_sampled(all_bags[int(i)], sample, generator) for i in rows]
            scaler = self.scalers.get(modality)
            if scaler is not None:
                chosen = [None if bag is None else scaler.transform(bag) for bag in chosen]
            bags[modality], masks[modality] = pad_bags(chosen, self.bag_width[modality])
        return Batch(
            {m: p[index] for m, p in self.present.items()},
            None if self.genes is None else self.genes[index],
            None if self.clinical is None else self.clinical[index],
            bags,
            masks,
            None if self.groups is None else self.groups[index],
        )


def _sampled(
    bag: NDArray[np.float32] | None, sample: int | None, generator: torch.Generator | None
) -> NDArray[np.float32] | None:
    if bag is None or sample is None or len(bag) <= sample:
        return bag
    chosen = torch.randperm(len(bag), generator=generator)[:sample].numpy()
    return np.asarray(bag[np.sort(chosen)], dtype=np.float32)


def pad_bags(bags: Sequence[NDArray[np.float32] | None], width: int) -> tuple[Tensor, Tensor]:
    """Bags of different lengths → (b, n, width) and their (b, n) mask; a missing bag is one masked-in zero patch.

    The stand-in patch keeps every softmax defined; its result is replaced by the learned missing token.
    """
    lengths = [1 if bag is None else len(bag) for bag in bags]
    padded = torch.zeros(len(bags), max(lengths), width)
    for row, bag in enumerate(bags):
        if bag is not None:
            padded[row, : len(bag)] = torch.from_numpy(np.asarray(bag, dtype=np.float32))
    mask = torch.arange(max(lengths))[None] < torch.tensor(lengths)[:, None]
    return padded, mask
