"""BioFact-MoE (arXiv 2605.26376): survival from an image side whose two experts learned what "liver" and "tumour"
mean from the sentences of radiology reports.

The abstract is all that is known of the paper; MODELS.md 1.3 lists what is built where it is silent. The image side is
every modality but the reports (where there is nothing else, the reports themselves, and it is said so): one vector h
a patient. h' = h + Σ π_k E_k(h) gives the log-hazard (or the hazards). Contrastive learning pulls h towards the whole
report and E_k(h) towards the sentences of part k.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from core.cohort.modality import Modality
from core.features.batch import Batch
from core.features.preparation import InputShape
from core.models.biofact.config import FACTORS, BioFactConfig
from core.models.biofact.factors import Factored, FactorExperts
from core.models.biofact.reports import PARTS, ReportEncoder, ReportText
from core.models.layers.contrastive import info_nce, linear_cka
from core.models.layers.paths import Through, expert_at
from core.models.mice.config import MICEConfig
from core.models.mice.encoders import AttentionPool, encoder_for
from core.models.network import Muted, SurvivalNetwork
from core.models.output import Capabilities, SurvivalOutput, Trace
from core.results.routing_trace import LevelTrace, RoutingTrace

LEVEL = "factors"


class BioFact(SurvivalNetwork):
    """The model. ``muted`` in :meth:`forward` switches a factor's expert off."""

    def __init__(self, shape: InputShape, modalities: tuple[Modality, ...], bins: int, config: BioFactConfig) -> None:
        super().__init__()
        self.config, self.modalities = config, modalities
        self.objective = config.head
        anchors = tuple(m for m in modalities if m is not Modality.REPORTS)
        self.anchors = anchors or (Modality.REPORTS,)
        encoding = MICEConfig(
            width=config.width,
            gene_hidden=config.hidden,
            clinical_hidden=config.hidden,
            dropout=config.dropout,
        )
        self.encoders = nn.ModuleDict({m.value: encoder_for(m, shape, encoding) for m in self.anchors})
        self.missing = nn.ParameterDict({m.value: nn.Parameter(torch.zeros(config.width)) for m in self.anchors})
        self.join = nn.Linear(config.width * len(self.anchors), config.width)
        self.norm = nn.LayerNorm(config.width)
        self.factors = FactorExperts(config)
        self.head = nn.Linear(config.width, 1 if config.head == "cox" else bins)
        nn.init.normal_(self.head.weight, std=0.01)
        if Modality.REPORTS in modalities:
            self.reports = ReportEncoder((shape.bags or {})[Modality.REPORTS], config)
            self.project = nn.Linear(config.width, config.width)
            self.log_scale = nn.Parameter(torch.tensor(math.log(1 / config.temperature)))

    def start_from(self, log_odds: Tensor) -> None:
        """Begin at the average patient: the discrete head at their hazards, the Cox head at a log-hazard of 0."""
        with torch.no_grad():
            if self.config.head == "hazards":
                self.head.bias.copy_(log_odds)

    def capabilities(self) -> Capabilities:
        """Modalities, the one router, and what can be shown."""
        return Capabilities(
            self.modalities,
            (LEVEL,),
            spatial_attention=Modality.SLIDES in self.anchors,
            report_evidence=Modality.REPORTS in self.modalities,
        )

    def expert_names(self) -> Mapping[str, tuple[str, ...]]:
        """The two factors."""
        return {LEVEL: FACTORS}

    def forward(
        self, batch: Batch, trace: Trace = Trace.NONE, muted: Muted | None = None, through: Through | None = None
    ) -> SurvivalOutput:
        """Log-hazard (b, 1) or hazard logits (b, bins); ``through`` lets a gradient pass by one expert alone."""
        h, attention = self._anchor(batch)
        factored: Factored = self.factors(h, (muted or {}).get(LEVEL, ()), expert_at(through, LEVEL))
        logits = self.head(factored.joined).float()
        auxiliary = self._contrast(batch, h, factored) if self.training and self.config.contrast else {}
        auxiliary = {name: self.config.contrast * value for name, value in auxiliary.items()}
        routing = self._routing(h, factored) if trace is not Trace.NONE else None
        return SurvivalOutput(logits, auxiliary, routing, attention if trace is Trace.SPATIAL else {})

    def pretraining_loss(self, batch: Batch) -> Tensor:
        """InfoNCE(h, report) + λ Σ_k InfoNCE(E_k(h), sentences of part k); 0 without reports."""
        h, _ = self._anchor(batch)
        losses = self._contrast(batch, h, self.factors(h))
        return torch.stack(list(losses.values())).sum() if losses else h.sum() * 0.0

    def factor_embeddings(self, batch: Batch) -> Mapping[str, Tensor]:
        """E_k(h) (b, width) of each factor, and ``gate`` (b, 2) in the order of ``FACTORS``."""
        h, _ = self._anchor(batch)
        factored: Factored = self.factors(h)
        return {**{name: factored.experts[:, k] for k, name in enumerate(FACTORS)}, "gate": factored.gate}

    def embedding(self, batch: Batch) -> Tensor:
        """(b, width) h' = h + Σ π_k E_k(h), from which the answer is read."""
        h, _ = self._anchor(batch)
        factored: Factored = self.factors(h)
        return factored.joined

    def _anchor(self, batch: Batch) -> tuple[Tensor, dict[Modality, Tensor]]:
        """h (b, w) of the image side, and attention over patches."""
        vectors, attention = [], dict[Modality, Tensor]()
        for modality in self.anchors:
            encoder = self.encoders[modality.value]
            present = batch.present[modality][:, None]
            if isinstance(encoder, AttentionPool):
                vector, weights = encoder(batch)
                attention[modality] = weights * present
            else:
                vector = encoder(batch)
            vectors.append(torch.where(present, vector, self.missing[modality.value].to(vector.dtype)))
        joined: Tensor = self.norm(self.join(torch.cat(vectors, dim=1)))
        return joined, attention

    def _contrast(self, batch: Batch, h: Tensor, factored: Factored) -> dict[str, Tensor]:
        if Modality.REPORTS not in self.modalities:
            return {}
        text: ReportText = self.reports(batch)
        scale = self.log_scale.clamp(max=math.log(100.0)).exp()
        has_anchor = torch.stack([batch.present[m] for m in self.anchors]).any(dim=0)
        whole = has_anchor & batch.present[Modality.REPORTS]
        losses = {"report": info_nce(self.project(h), text.whole, scale, whole)}
        if self.config.supervision == "none":
            return losses
        config, both = self.config, has_anchor & text.has.all(dim=1)
        for k, name in enumerate(FACTORS):
            paired = has_anchor & text.has[:, k]
            part = info_nce(factored.experts[:, k], text.parts[:, k], scale, paired)
            losses[f"{name} sentences"] = config.part_weight * part
            foreign = linear_cka(factored.experts[both, k], text.parts[both, 1 - k].detach())
            losses[f"{name} apart"] = config.apart * foreign
        if config.router == "gate":
            agreement = (text.share * torch.log(factored.gate.clamp(min=1e-6))).sum(dim=1)[both]
            losses["gate"] = -config.gate_weight * agreement.sum() / max(1, len(agreement))
        return losses

    def _routing(self, h: Tensor, factored: Factored) -> RoutingTrace:
        gate = factored.gate.detach().float().cpu()
        norms = (factored.experts * factored.gate[..., None]).detach().float().norm(dim=2).cpu()
        level = LevelTrace(
            gate[:, None].numpy(),
            torch.ones_like(gate)[:, None].numpy(),
            torch.cat([norms, torch.zeros(len(norms), 1)], dim=1).numpy(),
            h.detach().float().cpu()[:, None].numpy(),
            factored.joined.detach().float().cpu()[:, None].numpy(),
        )
        return RoutingTrace({LEVEL: level})


__all__ = ["LEVEL", "PARTS", "BioFact"]
