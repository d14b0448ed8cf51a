"""MICE (arXiv 2509.12600): one model for many cancers, with experts for all, for each and for overlapping groups.

A patient's modalities become one token each; a class token of the cancer joins them. A fusion transformer mixes the
tokens; then a consensual expert (all cancers), a specialised expert (this cancer) and fifteen overlapping experts of
growing width (a router a cancer keeps nine) read the same tokens. A last transformer joins the three answers into
the hazards (MODELS.md 1.2.1).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from core.cohort.modality import Modality
from core.features.batch import Batch
from core.features.preparation import InputShape
from core.models.layers.by_group import ByGroup
from core.models.layers.contrastive import multi_positive_loss
from core.models.layers.paths import Through, expert_at, only
from core.models.layers.stacked_transformer import StackedTransformer
from core.models.mice.config import MICEConfig
from core.models.mice.encoders import AttentionPool, Synthesis, encoder_for
from core.models.mice.overlapping import OverlappingExperts
from core.models.mice.router import CancerRouter, Gates
from core.models.network import Muted, SurvivalNetwork
from core.models.output import Capabilities, SurvivalOutput, Trace
from core.results.routing_trace import LevelTrace, RoutingTrace

OVERLAPPING = "overlapping experts"
GROUPS = "expert groups"
GROUP_NAMES = ("consensual", "specialised", "overlapping")


@dataclass(frozen=True, eq=False)
class _Tokens:
    """``real`` (b, m, w) encoded modalities · ``present`` (b, m) · ``shown`` (b, m) those not hidden in this step ·
    ``used`` (b, m, w) the real ones where shown, else the stand-ins · ``stand_ins`` (b, m, w)."""

    real: Tensor
    present: Tensor
    shown: Tensor
    used: Tensor
    stand_ins: Tensor


@dataclass(frozen=True, eq=False)
class _Mixed:
    """``answers`` (b, 3, w) of the three expert groups · ``gates`` · ``experts`` (b, E, w) the overlapping experts."""

    answers: Tensor
    gates: Gates
    experts: Tensor


class MICE(SurvivalNetwork):
    """The model. ``muted`` in :meth:`forward` switches experts or whole groups off."""

    def __init__(self, shape: InputShape, modalities: tuple[Modality, ...], bins: int, config: MICEConfig) -> None:
        super().__init__()
        self.config, self.modalities, self.bins = config, modalities, bins
        width, cancers = config.width, max(1, len(shape.groups))
        self.cancer_token = nn.Parameter(torch.randn(cancers, width) * 0.02)
        self.encoders = nn.ModuleDict({m.value: encoder_for(m, shape, config) for m in modalities})
        self.synthesis = nn.ModuleDict({m.value: Synthesis(config) for m in modalities})
        drop = config.dropout
        self.fusion = StackedTransformer(width, (128,), dropout=drop)
        self.overlapping = OverlappingExperts(width, config.ranks, drop)
        self.specialised = StackedTransformer(width, (config.rank,) * cancers, dropout=drop)
        self.consensual = StackedTransformer(width, (config.rank,), dropout=drop)
        self.router = CancerRouter(cancers, config)
        self.norm_scale = nn.Parameter(torch.ones(cancers, width))
        self.norm_shift = nn.Parameter(torch.zeros(cancers, width))
        self.join = StackedTransformer(width, (64,), dropout=drop)
        self.head = nn.Linear(width, bins)
        self.hazard_shift = nn.Parameter(torch.zeros(cancers, bins)) if config.hazards == "cancer" else None

    def start_from(self, log_odds: Tensor) -> None:
        """Begin at the hazards (bins,) of the average training patient."""
        with torch.no_grad():
            self.head.bias.copy_(log_odds)
            self.head.weight.mul_(0.1)  # the class tokens' differences at the start say nothing about hazards

    def start_groups(self, log_odds: Tensor) -> None:
        """Each cancer's average hazards (cancers, bins) as its shift from those of all."""
        if self.hazard_shift is not None:
            with torch.no_grad():
                self.hazard_shift.copy_(log_odds - self.head.bias)

    def capabilities(self) -> Capabilities:
        """Modalities, the two levels that are traced, and whether there is a map over patches."""
        return Capabilities(
            self.modalities, (OVERLAPPING, GROUPS), spatial_attention=Modality.SLIDES in self.modalities
        )

    def expert_names(self) -> dict[str, tuple[str, ...]]:
        """The three groups; the overlapping experts have numbers alone."""
        return {GROUPS: GROUP_NAMES}

    def forward(
        self, batch: Batch, trace: Trace = Trace.NONE, muted: Muted | None = None, through: Through | None = None
    ) -> SurvivalOutput:
        """Hazard logits of a batch of patients of any of the cancers.

        ``through`` lets a gradient pass by one expert, or one group, alone.
        """
        group = self._groups(batch)
        tokens, attention = self._tokens(batch, group)
        mixed = self._experts(tokens, group, muted or {}, through)
        logits = self.head(self._joined(tokens, mixed, past=through is None)).float()
        if self.hazard_shift is not None:
            logits = logits + self.hazard_shift[group]
        auxiliary = self._auxiliary(tokens) if self.training else {}
        routing = self._routing(tokens, mixed) if trace is not Trace.NONE else None
        return SurvivalOutput(logits, auxiliary, routing, attention if trace is Trace.SPATIAL else {})

    def _tokens(self, batch: Batch, group: Tensor) -> tuple[_Tokens, dict[Modality, Tensor]]:
        real, attention = [], dict[Modality, Tensor]()
        for modality in self.modalities:
            encoder = self.encoders[modality.value]
            if isinstance(encoder, AttentionPool):
                vector, weights = encoder(batch)
                attention[modality] = weights * batch.present[modality][:, None]
            else:
                vector = encoder(batch)
            real.append(vector)
        stacked = torch.stack(real, dim=1)
        present = torch.stack([batch.present[m] for m in self.modalities], dim=1)
        shown = self._hidden_in_training(present)
        weight = shown.to(stacked.dtype)[..., None]
        others = (stacked * weight).sum(dim=1) / weight.sum(dim=1).clamp(min=1)
        cancer = self.cancer_token[group].to(stacked.dtype)
        stand_ins = torch.stack([self.synthesis[m.value](cancer, others) for m in self.modalities], dim=1)
        used = torch.where(shown[..., None], stacked, stand_ins)
        return _Tokens(stacked, present, shown, torch.cat([cancer[:, None], used], dim=1), stand_ins), attention

    def _hidden_in_training(self, present: Tensor) -> Tensor:
        """The present modalities, some of them hidden in training; a patient always keeps one."""
        if not self.training or self.config.synthesis == "cancer" or not self.config.modality_dropout:
            return present
        draws = torch.rand(present.shape).to(present.device)
        shown = present & (draws >= self.config.modality_dropout)
        left_with_none = ~shown.any(dim=1, keepdim=True)
        last = draws.masked_fill(~present, -1).argmax(dim=1, keepdim=True)
        keep = torch.zeros_like(present).scatter(1, last, True)
        result: Tensor = (shown | (left_with_none & keep)) & present
        return result

    def _experts(self, tokens: _Tokens, group: Tensor, muted: Muted, through: Through | None = None) -> _Mixed:
        groups = ByGroup.of(group, len(self.cancer_token))
        fused, updated = self.fusion(tokens.used[None])
        shared = updated[0]
        gates: Gates = self.router(fused[0], groups)
        experts: Tensor = self.overlapping(shared)
        weight = gates.weight.to(experts.dtype)
        if off := muted.get(OVERLAPPING, ()):
            weight = weight.clone()
            weight[:, list(off)] = 0.0
        followed = expert_at(through, OVERLAPPING)
        overlap = torch.einsum("be,bew->bw", only(weight, followed, 1), only(experts, followed, 1))
        overlap = nn.functional.layer_norm(overlap, (overlap.shape[-1],))
        overlap = overlap * self.norm_scale[group].to(overlap.dtype) + self.norm_shift[group].to(overlap.dtype)
        special = self._specialised(shared, group, groups)
        special = special * gates.mix.to(special.dtype)
        consensus = self.consensual.class_tokens(shared[None])[0]
        use = (self.config.use_consensual, self.config.use_specialised, self.config.use_overlapping)
        off = muted.get(GROUPS, ())
        answers = [
            a if kept and i not in off else torch.zeros_like(a)
            for i, (a, kept) in enumerate(zip((consensus, special, overlap), use, strict=True))
        ]
        kept = GROUP_NAMES.index("overlapping") if followed is not None else expert_at(through, GROUPS)
        return _Mixed(only(torch.stack(answers, dim=1), kept, 1), gates, experts)

    def _joined(self, tokens: _Tokens, mixed: _Mixed, past: bool = True) -> Tensor:
        """(b, w) the class token of the last transformer; with the skip, plus the mean of the modalities' tokens.

        ``past`` lets a gradient pass beside the experts, by the skip.
        """
        joined = self.join.class_tokens(mixed.answers[None])[0]
        skipped = tokens.used[:, 1:].mean(dim=1)
        return joined + (skipped if past else skipped.detach()) if self.config.skip else joined

    def _specialised(self, shared: Tensor, group: Tensor, groups: ByGroup) -> Tensor:
        """(b, w) answer of each patient's own expert; for a borrowing cancer the mean of the trained experts'."""
        stack = groups.present if len(groups.present) < len(self.cancer_token) else None
        special = groups.gather(self.specialised.class_tokens(groups.scatter(shared), stack))
        for number in self.borrowed:
            rows = torch.nonzero(group == number).flatten()
            if len(rows):
                trained = torch.tensor([i for i in range(len(self.cancer_token)) if i not in self.borrowed])
                answers = self.specialised.class_tokens(
                    shared[rows].expand(len(trained), -1, -1, -1), trained.to(rows.device)
                )
                special = special.index_copy(0, rows, answers.mean(dim=0))
        return special

    def state_with_new_group(self) -> dict[str, Tensor]:
        """One more cancer: its token, router and norm are the means of the trained ones."""
        own = ("cancer_token", "hazard_shift", "norm_scale", "norm_shift", "router.", "specialised.")
        state = {}
        for name, tensor in self.state_dict().items():
            state[name] = torch.cat([tensor, tensor.mean(dim=0, keepdim=True)]) if name.startswith(own) else tensor
        return state

    def _auxiliary(self, tokens: _Tokens) -> dict[str, Tensor]:
        losses = {}
        if self.config.alpha and len(self.modalities) > 1:
            contrast = multi_positive_loss(tokens.real, tokens.present, self.config.temperature)
            losses["contrastive"] = self.config.alpha * contrast
        hidden = tokens.present & ~tokens.shown
        if self.config.synthesis == "reconstruction":
            same = nn.functional.cosine_similarity(tokens.stand_ins.float(), tokens.real.detach().float(), dim=-1)
            losses["reconstruction"] = ((1 - same) * hidden).sum() / hidden.sum().clamp(min=1)
        return losses

    def _routing(self, tokens: _Tokens, mixed: _Mixed) -> RoutingTrace:
        """Copies for the record. The three groups have no gate: their share is that of the answers' norms."""
        norms = mixed.answers.detach().float().norm(dim=2)
        share = norms / norms.sum(dim=1, keepdim=True).clamp(min=1e-12)
        weighted = mixed.experts.detach().float() * mixed.gates.weight.detach().float()[..., None]
        plain = tokens.used.detach().float()
        return RoutingTrace(
            {
                OVERLAPPING: _level(mixed.gates.soft, mixed.gates.kept, weighted.norm(dim=2), plain, mixed.answers),
                GROUPS: _level(share, share > 0, norms, plain, mixed.answers),
            }
        )

    def embedding(self, batch: Batch) -> Tensor:
        """(b, width) the joined class token, from which the hazards are read."""
        group = self._groups(batch)
        tokens, _ = self._tokens(batch, group)
        mixed = self._experts(tokens, group, {})
        return self._joined(tokens, mixed)

    def stand_ins(self, batch: Batch) -> dict[str, tuple[Tensor, Tensor]]:
        """Each modality as encoded, and as it would be made up from the cancer and the patient's other modalities."""
        found = {}
        group = self._groups(batch)
        for i, modality in enumerate(self.modalities):
            hidden = {**batch.present, modality: torch.zeros_like(batch.present[modality])}
            tokens, _ = self._tokens(replace(batch, present=hidden), group)
            found[modality.value] = (tokens.real[:, i], tokens.stand_ins[:, i])
        return found

    def _groups(self, batch: Batch) -> Tensor:
        """(b,) number of each patient's cancer; all of the only one where the batch names none."""
        group = batch.groups if batch.groups is not None else torch.zeros(batch.size, dtype=torch.long)
        return group.to(self.cancer_token.device)


def _level(soft: Tensor, kept: Tensor, norms: Tensor, tokens: Tensor, answers: Tensor) -> LevelTrace:
    """One token a patient; there is no shared expert at these levels, so its column is 0."""

    def array(x: Tensor) -> Tensor:
        return x.detach().float().cpu()

    none = torch.zeros(len(norms), 1)
    return LevelTrace(
        array(soft)[:, None].numpy(),
        array(kept)[:, None].numpy(),
        torch.cat([array(norms), none], dim=1).numpy(),
        array(tokens).numpy(),
        array(answers).numpy(),
    )
