"""The text side: a report's sentences → one vector for the whole, one for each part.

A report is a bag of sentences whose first columns say to which part each belongs (``PARTS``: liver, tumour, other):
above 0 where it does, also after the bags were put on a common scale. The rest are the sentence's features.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.cohort.modality import Modality
from core.features.batch import Batch
from core.models.biofact.config import FACTORS, BioFactConfig
from core.models.layers.dropout import Dropout

PARTS = (*FACTORS, "other")


@dataclass(frozen=True, eq=False)
class ReportText:
    """``whole`` (b, w) · ``parts`` (b, 2, w) of the liver and the tumour sentences · ``has`` (b, 2) non-empty parts."""

    whole: Tensor
    parts: Tensor
    has: Tensor


class ReportEncoder(nn.Module):
    """Mean of the sentences' features, of all and of each part, then a projection each."""

    def __init__(self, n_in: int, config: BioFactConfig) -> None:
        super().__init__()
        self.shuffled = config.supervision == "shuffled"
        features = n_in - len(PARTS)
        self.projections = nn.ModuleList(
            nn.Sequential(
                nn.Linear(features, config.hidden),
                nn.GELU(),
                Dropout(config.dropout),
                nn.Linear(config.hidden, config.width),
            )
            for _ in range(1 + len(FACTORS))
        )

    def forward(self, batch: Batch) -> ReportText:
        """Encode the reports of a batch; a patient without one has empty parts."""
        bag, real = batch.bags[Modality.REPORTS], batch.masks[Modality.REPORTS]
        real = real & batch.present[Modality.REPORTS][:, None]
        belongs = (bag[..., : len(PARTS)] > 0) & real[..., None]
        if self.shuffled and self.training:
            belongs = _shuffled(belongs, real)
        features = bag[..., len(PARTS) :]
        members = torch.cat([real[..., None], belongs[..., : len(FACTORS)]], dim=2).to(features.dtype)
        means = torch.einsum("bnk,bnf->bkf", members, features) / members.sum(dim=1).clamp(min=1)[..., None]
        vectors = [projection(means[:, i]) for i, projection in enumerate(self.projections)]
        return ReportText(vectors[0], torch.stack(vectors[1:], dim=1), belongs[..., : len(FACTORS)].any(dim=1))


def _shuffled(belongs: Tensor, real: Tensor) -> Tensor:
    """Each report's parts dealt anew to its own sentences: the same counts, no meaning."""
    order = torch.rand(real.shape).to(real.device).masked_fill(~real, 2.0).argsort(dim=1)
    places = real.float().masked_fill(~real, -1.0).argsort(dim=1, descending=True, stable=True)
    dealt = torch.gather(belongs, 1, order[..., None].expand_as(belongs))
    return torch.zeros_like(belongs).scatter(1, places[..., None].expand_as(belongs), dealt)
