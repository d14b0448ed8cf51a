"""All training patients' features on the device from the start, so that no step waits for a copy.

Bags lie scaled one after the other in one array a modality. A batch is picked out of it on the device; patches are
drawn by the same generator in the same order as :meth:`core.features.batch.Tensors.batch` draws them, so that in
float32 the batch holds the same numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from core.arrays import IntArray
from core.cohort.modality import Modality
from core.errors import PrognoscopeError
from core.features.batch import Batch, Tensors

HEADROOM = 0.6
"""Share of a GPU's free memory that features may take; the rest is the training's."""


class BatchSource(Protocol):
    """Where the batches of a training come from."""

    def batch(self, rows: IntArray, sample: int | None = None, generator: torch.Generator | None = None) -> Batch:
        """The patients ``rows``."""
        ...


@dataclass(frozen=True, eq=False)
class ResidentBags:
    """``rows`` (total, d) of all bags · ``starts``, ``lengths`` (n,) of each patient's, length 0 without one."""

    rows: Tensor
    starts: IntArray
    lengths: IntArray

    def take(self, patients: IntArray) -> ResidentBags:
        """Some patients' bags; nothing is copied."""
        return ResidentBags(self.rows, self.starts[patients], self.lengths[patients])

    def padded(
        self, patients: Sequence[int], sample: int | None, generator: torch.Generator | None
    ) -> tuple[Tensor, Tensor]:
        """(b, n, d) bags and their (b, n) mask; a missing bag is one zero patch that counts, as elsewhere."""
        places = [self._places(int(i), sample, generator) for i in patients]
        longest = max(1, *(len(p) for p in places))
        if len(places) == 1 and len(places[0]) and (sample is None or len(places[0]) < sample):
            first = int(places[0][0])
            whole = self.rows[first : first + longest][None]
            return whole, torch.ones(whole.shape[:2], dtype=torch.bool, device=whole.device)
        index = torch.zeros(len(places), longest, dtype=torch.long)
        real, mask = torch.zeros(len(places), longest, dtype=torch.bool), torch.zeros(len(places), longest).bool()
        for row, found in enumerate(places):
            index[row, : len(found)] = found
            real[row, : len(found)] = True
            mask[row, : max(1, len(found))] = True
        device = self.rows.device
        picked = self.rows[index.to(device, non_blocking=True)]
        if not bool(real.all()):
            picked = picked * real.to(device, non_blocking=True)[..., None]
        return picked, mask.to(device, non_blocking=True)

    def _places(self, patient: int, sample: int | None, generator: torch.Generator | None) -> Tensor:
        start, length = int(self.starts[patient]), int(self.lengths[patient])
        if sample is None or length <= sample:
            return torch.arange(start, start + length)
        return start + torch.randperm(length, generator=generator)[:sample].sort().values


@dataclass(frozen=True, eq=False)
class ResidentTensors:
    """As :class:`~core.features.batch.Tensors`, on a device and scaled already."""

    present: Mapping[Modality, Tensor]
    genes: Tensor | None = None
    clinical: Tensor | None = None
    bags: Mapping[Modality, ResidentBags] = field(default_factory=dict)
    groups: Tensor | None = None

    @property
    def device(self) -> torch.device:
        return next(iter(self.present.values())).device

    def batch(self, rows: IntArray, sample: int | None = None, generator: torch.Generator | None = None) -> Batch:
        """The patients ``rows``; with ``sample`` at most that many randomly chosen patches a bag."""
        index = torch.from_numpy(np.asarray(rows)).to(self.device, non_blocking=True)
        made = {m: bags.padded([int(i) for i in rows], sample, generator) for m, bags in self.bags.items()}
        return Batch(
            {m: p[index] for m, p in self.present.items()},
            None if self.genes is None else self.genes[index],
            None if self.clinical is None else self.clinical[index],
            {m: bag for m, (bag, _) in made.items()},
            {m: mask for m, (_, mask) in made.items()},
            None if self.groups is None else self.groups[index],
        )

    def take(self, rows: IntArray) -> ResidentTensors:
        """Some patients; the bags are not copied."""
        index = torch.from_numpy(np.asarray(rows)).to(self.device)
        return replace(
            self,
            present={m: p[index] for m, p in self.present.items()},
            genes=None if self.genes is None else self.genes[index],
            clinical=None if self.clinical is None else self.clinical[index],
            bags={m: b.take(rows) for m, b in self.bags.items()},
            groups=None if self.groups is None else self.groups[index],
        )


def make_resident(tensors: Tensors, device: torch.device, bfloat16: bool) -> ResidentTensors:
    """Put everything on the device; bags of patches and regions in bfloat16 where the training is.

    Raises
    ------
    PrognoscopeError
        When a GPU's free memory does not hold them.
    """
    bags = {m: _resident(tensors, m, device, bfloat16 and m is not Modality.REPORTS) for m in tensors.bags}
    return ResidentTensors(
        {m: p.to(device) for m, p in tensors.present.items()},
        None if tensors.genes is None else tensors.genes.to(device),
        None if tensors.clinical is None else tensors.clinical.to(device),
        bags,
        None if tensors.groups is None else tensors.groups.to(device),
    )


def _resident(tensors: Tensors, modality: Modality, device: torch.device, bfloat16: bool) -> ResidentBags:
    lengths = np.array([0 if bag is None else len(bag) for bag in tensors.bags[modality]], dtype=np.int64)
    starts = np.cumsum(lengths) - lengths
    kind = torch.bfloat16 if bfloat16 else torch.float32
    width = tensors.bag_width[modality]
    total = max(1, int(lengths.sum()))
    _check_memory(total * width * kind.itemsize, device, modality)
    rows = torch.zeros(total, width, dtype=kind, device=device)
    scaler = tensors.scalers.get(modality)
    for start, bag in zip(starts, tensors.bags[modality], strict=True):
        if bag is not None:
            scaled = np.asarray(bag, dtype=np.float32) if scaler is None else scaler.transform(bag)
            rows[int(start) : int(start) + len(bag)] = torch.from_numpy(np.ascontiguousarray(scaled)).to(device)
    return ResidentBags(rows, starts, lengths)


def _check_memory(needed: int, device: torch.device, modality: Modality) -> None:
    if device.type != "cuda":
        return
    free, _ = torch.cuda.mem_get_info(device)
    if needed > HEADROOM * free:
        raise PrognoscopeError(
            f"{needed / 1e9:.1f} GB of {modality.value} features, and {free / 1e9:.1f} GB free on the GPU",
            "training.resident",
            "set it to false, or train in half precision (training.bfloat16=true)",
        )
