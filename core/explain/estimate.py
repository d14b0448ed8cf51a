"""S(month) of one model as a function of what can be exchanged between a patient and those of the background."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from core.cohort.modality import Modality
from core.explain.background import Background
from core.explain.remembered_bags import RememberedBags, remember_bags
from core.explain.run_models import RunModels, UnseenModel
from core.explain.survival_at import check_month, survival_at
from core.features.batch import Batch, Tensors
from core.models.network import Muted

PERCENT = 100.0


@dataclass(frozen=True, eq=False)
class Prepared:
    """Patients made ready for one model: ``place`` row of the run's inputs → row of ``tensors`` and of ``memory``."""

    place: Mapping[int, int]
    tensors: Tensors
    memory: RememberedBags

    @classmethod
    def of(cls, models: RunModels, model: UnseenModel, rows: Iterable[int]) -> Prepared:
        """Scale, encode and remember the patients ``rows``."""
        ordered = np.unique(np.fromiter(rows, dtype=np.int64))
        tensors = model.fitted.preparation.tensors(models.inputs.take(ordered))
        memory = remember_bags(model.fitted.network, tensors, len(ordered))
        return cls({int(r): i for i, r in enumerate(ordered)}, tensors, memory)


class PatientEstimate(nn.Module):
    """S(month), in percent, of a patient whose values and bags may be exchanged for those of the background.

    ``prepared`` may hold the patient and the background, with others, where many patients are explained.

    ``forward(vector, bags)``: ``vector`` (r, g + c) scaled genes, then encoded clinical columns, of the modalities the
    patient has; ``bags`` (r, k) whole numbers, one for each of ``bag_modalities``: 0 the patient's own, i the i-th
    background patient's. Returns (r, 1). What the patient lacks is missing in every row.

    Attributes
    ----------
    own : (1, g + c) the patient's vector
    others : (b, g + c) those of the background
    """

    def __init__(
        self,
        models: RunModels,
        model: UnseenModel,
        row: int,
        background: Background,
        month: float,
        prepared: Prepared | None = None,
    ) -> None:
        super().__init__()
        check_month(model.fitted, month)
        held = background.donors
        self.fitted, self.month = model.fitted, month
        self.muted: Muted = {}
        ready = prepared or Prepared.of(models, model, background.rows(row))
        place, tensors = ready.place, ready.tensors
        self.memory: RememberedBags = ready.memory
        mine = place[row]
        self.present = {m: m in held for m in model.fitted.preparation.modalities}
        self.group = None if tensors.groups is None else tensors.groups[mine : mine + 1]
        self.bag_modalities = tuple(m for m in tensors.bags if m in held)
        self._bag_rows = {
            m: torch.tensor([mine, *(place[int(r)] for r in held[m])]) if m in held else torch.tensor([mine])
            for m in tensors.bags
        }
        self.fixed: dict[Modality, Tensor] = {}
        self.widths: dict[Modality, int] = {}
        parts_own, parts_others = [], []
        for modality, values in ((Modality.GENOMICS, tensors.genes), (Modality.CLINICAL, tensors.clinical)):
            if values is None:
                continue
            if modality not in held:
                self.fixed[modality] = values[mine : mine + 1]
                continue
            self.widths[modality] = values.shape[1]
            parts_own.append(values[mine : mine + 1])
            parts_others.append(values[[place[int(r)] for r in held[modality]]])
        count = len(background)
        self.own = torch.cat(parts_own, dim=1) if parts_own else torch.zeros(1, 0)
        self.others = torch.cat(parts_others, dim=1) if parts_others else torch.zeros(count, 0)

    def forward(self, vector: Tensor, bags: Tensor) -> Tensor:
        """(r, 1) percent."""
        network, batch = self.memory.network, self.batch(vector, bags)
        output = network(batch, muted=self.muted) if self.muted else network(batch)
        return PERCENT * survival_at(self.fitted, output.logits, self.month)[:, None]

    def batch(self, vector: Tensor, bags: Tensor) -> Batch:
        """What :attr:`memory`'s network reads for these rows."""
        rows = len(vector)
        values = dict(self.fixed)
        values |= dict(zip(self.widths, torch.split(vector, list(self.widths.values()), dim=1), strict=True))
        values = {m: v.expand(rows, -1) for m, v in values.items()}
        whose = {m: self._bag_rows[m][:1].expand(rows) for m in self.memory.bags}
        whose |= {m: self._bag_rows[m][bags[:, i].long()] for i, m in enumerate(self.bag_modalities)}
        return Batch(
            {m: torch.full((rows,), there) for m, there in self.present.items()},
            values.get(Modality.GENOMICS),
            values.get(Modality.CLINICAL),
            {m: self.memory.bags[m][w] for m, w in whose.items()},
            {m: self.memory.masks[m][w] for m, w in whose.items()},
            None if self.group is None else self.group.expand(rows),
        )

    @torch.no_grad()
    def at(self, vector: Tensor, bags: Tensor, batch_size: int = 64) -> Tensor:
        """(r,) estimates in double precision, without gradients."""
        pieces = range(0, len(vector), batch_size)
        found = [self(vector[i : i + batch_size], bags[i : i + batch_size])[:, 0].double() for i in pieces]
        return torch.cat(found)


@dataclass(frozen=True)
class Player:
    """One input of the vector: a gene or a clinical column, and the places of the vector it stands in."""

    name: str
    modality: Modality
    places: tuple[int, ...]


def vector_players(estimate: PatientEstimate, columns: tuple[str, ...]) -> tuple[Player, ...]:
    """What stands in the vector, gene by gene and clinical column by clinical column.

    The indicators of a category are one column's: its places. A clinical column that the training patients left
    constant has none.
    """
    players = []
    start = 0
    widths: Mapping[Modality, int] = estimate.widths
    if Modality.GENOMICS in widths:
        players += [Player(name, Modality.GENOMICS, (i,)) for i, name in enumerate(columns)]
        start = widths[Modality.GENOMICS]
    encoder = estimate.fitted.preparation.clinical
    if Modality.CLINICAL in widths and encoder is not None:
        for column in encoder.numeric:
            players.append(Player(column.name, Modality.CLINICAL, (start,)))
            start += 1
        for category in encoder.categories:
            places = tuple(range(start, start + len(category.levels)))
            players.append(Player(category.name, Modality.CLINICAL, places))
            start += len(category.levels)
    return tuple(players)
