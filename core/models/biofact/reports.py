"""The text side: a report's sentences → one vector for the whole, one for each part.

A report is a bag of sentences whose first columns are flags (:class:`core.features.parts_encoder.ReportParts`): to
which part the sentence belongs (``PARTS``: liver, tumour, other), and whether it states a finding of disease. A flag
is above 0 where it is set, also after the bags were put on a common scale. The rest are the sentence's features.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.cohort.modality import Modality
from core.errors import PrognoscopeError
from core.features.batch import Batch
from core.models.biofact.config import FACTORS, BioFactConfig
from core.models.layers.dropout import Dropout

PARTS = (*FACTORS, "other")
FLAGS = (*PARTS, "stated")


@dataclass(frozen=True, eq=False)
class ReportText:
    """``whole`` (b, w) · ``parts`` (b, 2, w) of the liver and the tumour sentences · ``has`` (b, 2) non-empty parts ·
    ``share`` (b, 2), of 1 in all: how large a part of its sentences state a finding of disease, smoothed by ½."""

    whole: Tensor
    parts: Tensor
    has: Tensor
    share: Tensor


class ReportEncoder(nn.Module):
    """Mean of the sentences' features, of all and of each part, then a projection each."""

    def __init__(self, n_in: int, config: BioFactConfig) -> None:
        super().__init__()
        self.supervision = config.supervision
        features = n_in - len(FLAGS)
        if features < 1:
            raise PrognoscopeError(
                f"{n_in} numbers a sentence",
                "the reports of BioFact-MoE",
                "encode the reports with the encoder report-parts",
            )
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
        if self.supervision == "shuffled" and self.training:
            belongs = _shuffled(belongs, real)
        if self.supervision == "swapped":
            belongs = belongs[..., [1, 0, 2]]
        features = bag[..., len(FLAGS) :]
        members = torch.cat([real[..., None], belongs[..., : len(FACTORS)]], dim=2).to(features.dtype)
        means = torch.einsum("bnk,bnf->bkf", members, features) / members.sum(dim=1).clamp(min=1)[..., None]
        vectors = [projection(means[:, i]) for i, projection in enumerate(self.projections)]
        part = belongs[..., : len(FACTORS)]
        stated = (part & (bag[..., len(PARTS)] > 0)[..., None]).sum(dim=1)
        rate = (stated + 0.5) / (part.sum(dim=1) + 1.0)
        share = rate / rate.sum(dim=1, keepdim=True)
        return ReportText(vectors[0], torch.stack(vectors[1:], dim=1), part.any(dim=1), share)


def _shuffled(belongs: Tensor, real: Tensor) -> Tensor:
    """Each report's parts dealt anew to its own sentences: the same counts, no meaning."""
    order = torch.rand(real.shape).to(real.device).masked_fill(~real, 2.0).argsort(dim=1)
    places = real.float().masked_fill(~real, -1.0).argsort(dim=1, descending=True, stable=True)
    dealt = torch.gather(belongs, 1, order[..., None].expand_as(belongs))
    return torch.zeros_like(belongs).scatter(1, places[..., None].expand_as(belongs), dealt)
