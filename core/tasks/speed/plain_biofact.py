"""A plain BioFact-MoE to measure against: one patient at a time, one factor at a time, fp32 (MODELS.md 1.3, literally).

It computes the same function as :class:`core.models.biofact.model.BioFact` with the same weights: each expert is two
linear layers of its own, a report's parts are picked sentence by sentence. What compares patients with each other (the
contrastive losses, the partial likelihood) is computed over all of them, as it must be. Kept for the benchmark and its
tests; nothing else uses it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from core.cohort.modality import Modality
from core.features.batch import Batch
from core.models.biofact.config import FACTORS
from core.models.biofact.model import BioFact
from core.models.biofact.reports import FLAGS, PARTS
from core.models.layers.contrastive import info_nce, linear_cka
from core.models.mice.encoders import AttentionPool


@dataclass(frozen=True, eq=False)
class PlainAnswer:
    """One patient: (t,) ``logits``, (w,) ``h``, (2, w) ``experts``, (2,) ``gate``, and of the report (3, w) ``text``
    (whole, liver, tumour), (2,) ``has`` and (2,) ``share``; the last three are None without reports."""

    logits: Tensor
    h: Tensor
    experts: Tensor
    gate: Tensor
    text: Tensor | None
    has: Tensor | None
    share: Tensor | None


class PlainFactor(nn.Module):
    """E_k(h) = LayerNorm(B_k A_k h)."""

    def __init__(self, model: BioFact, k: int) -> None:
        super().__init__()
        factors, width = model.factors, model.config.width
        self.down = nn.Linear(width, model.config.rank, bias=False)
        self.up = nn.Linear(model.config.rank, width, bias=False)
        self.norm = nn.LayerNorm(width)
        with torch.no_grad():
            self.down.weight.copy_(factors.down[k].t())
            self.up.weight.copy_(factors.up[k].t())
            self.norm.weight.copy_(factors.scale[k])
            self.norm.bias.copy_(factors.shift[k])

    def forward(self, h: Tensor) -> Tensor:
        """(w,) → (w,)."""
        out: Tensor = self.norm(self.up(self.down(h)))
        return out


class PlainBioFact(nn.Module):
    """The model for one patient, built from a fast one with the biological supervision and the dense gate."""

    def __init__(self, model: BioFact) -> None:
        super().__init__()
        self.config, self.anchors, self.modalities = model.config, model.anchors, model.modalities
        self.encoders, self.missing = deepcopy(model.encoders), deepcopy(model.missing)
        self.join, self.norm, self.head = (deepcopy(m) for m in (model.join, model.norm, model.head))
        self.factors = nn.ModuleList(PlainFactor(model, k) for k in range(len(FACTORS)))
        self.gate = deepcopy(model.factors.gate)
        if Modality.REPORTS in model.modalities:
            self.projections = deepcopy(model.reports.projections)
            self.project, self.log_scale = deepcopy(model.project), nn.Parameter(model.log_scale.detach().clone())
        self.train(model.training)

    def forward(self, patient: Batch) -> PlainAnswer:
        """A batch of one patient."""
        vectors = []
        for modality in self.anchors:
            encoder = self.encoders[modality.value]
            if not bool(patient.present[modality][0]):
                vectors.append(self.missing[modality.value])
            elif isinstance(encoder, AttentionPool):
                vectors.append(self._pooled(encoder, patient.bags[modality][0]))
            else:
                vectors.append(encoder(patient)[0])
        h = self.norm(self.join(torch.cat(vectors)))
        experts = torch.stack([factor(h) for factor in self.factors])
        gate = torch.softmax(self.gate(h), dim=0)
        joined = h
        for k in range(len(FACTORS)):
            joined = joined + gate[k] * experts[k]
        return PlainAnswer(self.head(joined), h, experts, gate, *self._report(patient))

    @staticmethod
    def _pooled(pool: AttentionPool, bag: Tensor) -> Tensor:
        features = pool.reduce(bag)
        weights = torch.softmax(pool.score(features)[:, 0], dim=0)
        mean: Tensor = weights @ features
        return mean

    def _report(self, patient: Batch) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        if Modality.REPORTS not in self.modalities:
            return None, None, None
        sentences = patient.bags[Modality.REPORTS][0]
        features, real = sentences[:, len(FLAGS) :], bool(patient.present[Modality.REPORTS][0])
        means, has, rates = [features.mean(dim=0) if real else features.new_zeros(features.shape[1])], [], []
        for k in range(len(FACTORS)):
            belongs = (sentences[:, k] > 0) & real
            stated = belongs & (sentences[:, len(PARTS)] > 0)
            count = int(belongs.sum())
            means.append(features[belongs].sum(dim=0) / max(1, count))
            has.append(count > 0)
            rates.append((float(stated.sum()) + 0.5) / (count + 1.0))
        text = torch.stack([projection(m) for projection, m in zip(self.projections, means, strict=True)])
        share = torch.tensor(rates) / sum(rates)
        return text, torch.tensor(has), share.to(text.device)

    def patients(self, batches: Sequence[Batch]) -> list[PlainAnswer]:
        """One after the other."""
        return [self(batch) for batch in batches]

    def auxiliary(self, answers: Sequence[PlainAnswer]) -> Tensor:
        """The taught losses of these patients, all of whom have something beside the report."""
        text = [a.text for a in answers if a.text is not None]
        if len(text) < len(answers) or not self.config.contrast:
            return torch.zeros(())
        has = torch.stack([a.has for a in answers if a.has is not None])
        share = torch.stack([a.share for a in answers if a.share is not None])
        h, stacked = torch.stack([a.h for a in answers]), torch.stack(text)
        experts, gate = torch.stack([a.experts for a in answers]), torch.stack([a.gate for a in answers])
        scale, both = self.log_scale.clamp(max=math.log(100.0)).exp(), has.all(dim=1)
        total = info_nce(self.project(h), stacked[:, 0], scale)
        for k in range(len(FACTORS)):
            paired = info_nce(experts[:, k], stacked[:, 1 + k], scale, has[:, k])
            apart = linear_cka(experts[both, k], stacked[both, 2 - k].detach())
            total = total + self.config.part_weight * paired + self.config.apart * apart
        agreement = (share * torch.log(gate.clamp(min=1e-6))).sum(dim=1)[both]
        total = total - self.config.gate_weight * agreement.sum() / max(1, len(agreement))
        return self.config.contrast * total


def plain_cox(log_hazard: Tensor, time: Tensor, event: Tensor) -> Tensor:
    """Negative log partial likelihood per event, one event after the other; times without ties (Cox, 1975)."""
    terms = []
    for i in torch.nonzero(event).flatten().tolist():
        terms.append(torch.logsumexp(log_hazard[time >= time[i]], dim=0) - log_hazard[i])
    return torch.stack(terms).mean() if terms else F.relu(log_hazard.sum() * 0.0)
