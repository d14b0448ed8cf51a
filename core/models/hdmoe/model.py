"""HDMoE (arXiv 2605.20891): two levels of shared and routed experts, each followed by feature reorganisation.

M modalities → representations of width w, cut into w/d tokens of width d. Level 1 (one per modality) gives a routed
and a shared row; the 2M rows are reorganised (RFR-1) into 2Mw/d tokens for level 2, whose routed and shared rows are
reorganised again (RFR-2) for the linear hazard head. With M = 2, w = 256 this is MODELS.md 1.1.1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.cohort.modality import Modality
from core.features.batch import Batch
from core.features.preparation import InputShape
from core.models.hdmoe.config import HDMoEConfig
from core.models.hdmoe.decoupling import decoupling_loss
from core.models.hdmoe.encoders import encoder_for
from core.models.layers.experts import ExpertLevel, Routed, load_balance
from core.models.layers.paths import Through, expert_at
from core.models.layers.rfr import reorganisation_order, segment_counts
from core.models.network import SurvivalNetwork
from core.models.output import Capabilities, SurvivalOutput, Trace
from core.results.routing_trace import LevelTrace, RoutingTrace

LEVEL2 = "level 2"


def level1(modality: Modality) -> str:
    """Name of the level-1 router of a modality."""
    return f"level 1 · {modality.value}"


@dataclass(frozen=True, eq=False)
class _Level1:
    """Level-1 results: (b, M, w) routed and shared rows, and what each router did."""

    routed: Tensor
    shared: Tensor
    tokens: Mapping[Modality, Tensor]
    results: Mapping[Modality, Routed]


class HDMoE(SurvivalNetwork):
    """The model. ``muted`` in :meth:`forward` switches experts off: level name → expert numbers (E = shared)."""

    def __init__(self, shape: InputShape, modalities: tuple[Modality, ...], bins: int, config: HDMoEConfig) -> None:
        super().__init__()
        if config.compat == "upstream":  # the released code puts genomics first, and RFR depends on the order
            modalities = tuple(sorted(modalities, key=lambda m: m is not Modality.GENOMICS))
        self.config, self.modalities, self.bins = config, modalities, bins
        width, token, m = config.width, config.token, len(modalities)
        self.encoders = nn.ModuleDict({x.value: encoder_for(x, shape, config) for x in modalities})
        self.experts1 = nn.ModuleDict({x.value: self._level(token, token) for x in modalities})
        self.experts2 = self._level(token, token // 2)
        self.align_routed = nn.Linear(width * m, width * m)
        self.align_shared = nn.Linear(width * m, width * m)
        self.head = nn.Linear(2 * width * m, bins)
        self._initialise()
        if config.compat == "paper":
            self.missing = nn.ParameterDict({x.value: nn.Parameter(torch.randn(width) * 0.02) for x in modalities})
        self.segments1 = segment_counts(width) if config.reorganise1 else (1,)
        self.segments2 = segment_counts(width * m) if config.reorganise2 else (1,)
        orders1 = torch.stack([reorganisation_order(2 * m, width, s) for s in self.segments1])
        orders2 = torch.stack([reorganisation_order(2, width * m, s) for s in self.segments2])
        used = None if config.reorganise_rate else 1  # the first is the plain order, the only one ever drawn at rate 0
        self.register_buffer("orders1", orders1[:used], persistent=False)
        self.register_buffer("orders2", orders2[:used], persistent=False)

    def _level(self, d_in: int, d_out: int) -> ExpertLevel:
        return ExpertLevel(d_in, d_out, self.config.n_experts, self.config.top_k, self.config.expert_hidden)

    def _initialise(self) -> None:
        """Xavier-normal weights and zero biases of all linear layers, as released."""
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_normal_(module.weight)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def start_from(self, log_odds: Tensor) -> None:
        """Begin at the hazards (bins,) of the average training patient, so that no epoch is spent on finding them."""
        with torch.no_grad():
            self.head.bias.copy_(log_odds)

    def capabilities(self) -> Capabilities:
        """Modalities, routers by name, and whether there is a map over patches."""
        return Capabilities(
            self.modalities,
            (*(level1(m) for m in self.modalities), LEVEL2),
            spatial_attention=Modality.SLIDES in self.modalities,
        )

    def forward(
        self,
        batch: Batch,
        trace: Trace = Trace.NONE,
        muted: Mapping[str, tuple[int, ...]] | None = None,
        through: Through | None = None,
    ) -> SurvivalOutput:
        """Hazard logits of a batch; random reorganisation in training, its exact average otherwise.

        ``through`` lets a gradient pass by one expert alone.
        """
        muted = muted or {}
        representations, attention = self._encode(batch)
        first = self._first_level(representations, muted, trace is not Trace.NONE, through)
        tokens = self._second_tokens(first)
        arrangements = len(tokens) // batch.size
        norms, followed = trace is not Trace.NONE, expert_at(through, LEVEL2)
        second: Routed = self.experts2(tokens, muted.get(LEVEL2, ()), norms, followed)
        logits = self._head(second).view(arrangements, batch.size, -1)
        logits = torch.einsum("sbt,s->bt", logits, self._weights(arrangements, logits))
        auxiliary = self._auxiliary(batch, first, second) if self.training else {}
        routing = self._routing(first, second, tokens, arrangements) if trace is not Trace.NONE else None
        return SurvivalOutput(logits.float(), auxiliary, routing, attention if trace is Trace.SPATIAL else {})

    def embedding(self, batch: Batch) -> Tensor:
        """(b, 2Mw) level 2's routed and shared rows, from which the hazards are read; the mean over the arrangements
        with the weights they have in the logits."""
        representations, _ = self._encode(batch)
        tokens = self._second_tokens(self._first_level(representations, {}, False, None))
        second: Routed = self.experts2(tokens, (), False, None)
        rows = torch.cat([second.routed.flatten(1), second.shared.flatten(1)], dim=1)
        arranged = rows.view(len(tokens) // batch.size, batch.size, -1)
        return torch.einsum("sbw,s->bw", arranged, self._weights(len(arranged), rows))

    def _second_tokens(self, first: _Level1) -> Tensor:
        """(arrangements · b, tokens, d) what level 2 reads: level 1's rows, reorganised."""
        mixed = self._reorganise1(torch.cat([first.routed, first.shared], dim=1).flatten(1))
        return mixed.reshape(mixed.shape[0] * mixed.shape[1], -1, self.config.token)

    def _encode(self, batch: Batch) -> tuple[dict[Modality, Tensor], dict[Modality, Tensor]]:
        """Representation (b, w) of each modality, the learned token where it is missing; attention of the bags."""
        representations, attention = {}, {}
        for modality in self.modalities:
            vector, weights = self.encoders[modality.value](batch)
            if self.config.compat == "paper":
                present = batch.present[modality][:, None]
                vector = torch.where(present, vector, self.missing[modality.value].to(vector.dtype))
            representations[modality] = vector
            if weights is not None:
                attention[modality] = weights * batch.present[modality][:, None]
        return representations, attention

    def _first_level(
        self,
        representations: dict[Modality, Tensor],
        muted: Mapping[str, tuple[int, ...]],
        norms: bool,
        through: Through | None,
    ) -> _Level1:
        tokens, results, routed, shared = {}, {}, [], []
        for modality, vector in representations.items():
            tokens[modality] = vector.view(vector.shape[0], -1, self.config.token)
            name = level1(modality)
            followed = expert_at(through, name)
            result: Routed = self.experts1[modality.value](tokens[modality], muted.get(name, ()), norms, followed)
            results[modality] = result
            routed.append(result.routed.flatten(1))
            past = vector if followed is None else vector.detach()  # beside the experts
            shared.append(result.shared.flatten(1) if self.config.de_redundancy else past)
        dtype = routed[0].dtype
        return _Level1(torch.stack(routed, dim=1), torch.stack([s.to(dtype) for s in shared], dim=1), tokens, results)

    def _draw(self, orders: Tensor, patients: int) -> Tensor:
        """(patients, length) one arrangement for each patient, as with the released batches of one patient.

        Drawn by torch's own CPU generator, so that a resumed training draws the same on any device. Arrangement 0 is
        the plain order.
        """
        drawn = torch.randint(len(orders), (patients,))
        if self.config.reorganise_rate < 1:
            drawn = drawn * (torch.rand(patients) < self.config.reorganise_rate)
        return orders[drawn.to(orders.device)]

    def _weights(self, arrangements: int, like: Tensor) -> Tensor:
        """(arrangements,) how often each was drawn in training: uniform, and the rest on the plain order."""
        rate = self.config.reorganise_rate
        weights = torch.full((arrangements,), rate / arrangements, device=like.device, dtype=like.dtype)
        weights[0] += 1 - rate
        return weights

    def _reorganise1(self, rows: Tensor) -> Tensor:
        """RFR-1: (b, 2Mw) → (arrangements, b, 2Mw); one random arrangement in training, else all of them."""
        orders = self.get_buffer("orders1")
        if self.training:
            return rows.gather(1, self._draw(orders, len(rows)))[None]
        return rows[:, orders].transpose(0, 1)

    def _head(self, second: Routed) -> Tensor:
        """Linear head over reorganised rows. Averaging over all RFR-2 arrangements is one averaged weight matrix."""
        rows = torch.cat([second.routed.flatten(1), second.shared.flatten(1)], dim=1)
        orders = self.get_buffer("orders2")
        if self.training:
            return self.head(rows.gather(1, self._draw(orders, len(rows))))  # type: ignore[no-any-return]
        weights = self._weights(len(orders), self.head.weight)
        folded = torch.einsum("tsi,s->ti", self.head.weight[:, torch.argsort(orders, dim=1)], weights)
        return nn.functional.linear(rows, folded, self.head.bias)

    def _auxiliary(self, batch: Batch, first: _Level1, second: Routed) -> dict[str, Tensor]:
        everyone = torch.ones(batch.size, dtype=torch.bool, device=second.gate.device)
        balance = load_balance(second.gate, second.assigned, everyone)
        for modality, result in first.results.items():
            balance = balance + load_balance(result.gate, result.assigned, batch.present[modality])
        losses = {"load_balance": self.config.beta * balance}
        if self.config.decoupling:
            routed, shared = second.routed.flatten(1), second.shared.flatten(1)
            within = [(first.routed[:, i], first.shared[:, i]) for i in range(len(self.modalities))]
            across = [
                (routed, self.align_routed(first.routed.flatten(1))),
                (shared, self.align_shared(first.shared.flatten(1))),
            ]
            loss = decoupling_loss([*within, (routed, shared)], across, self.config.distance)
            losses["decoupling"] = self.config.alpha * loss
        return losses

    def _routing(self, first: _Level1, second: Routed, tokens2: Tensor, arrangements: int) -> RoutingTrace:
        """Copies for the record; level 2 is the mean over the arrangements that were averaged."""
        levels = {level1(m): _trace(r, first.tokens[m], r.gate.new_ones(1)) for m, r in first.results.items()}
        levels[LEVEL2] = _trace(second, tokens2, self._weights(arrangements, second.gate))
        return RoutingTrace(levels)


def _trace(result: Routed, tokens: Tensor, weights: Tensor) -> LevelTrace:
    """Copies, averaged over the arrangements with the same weights as the logits."""

    def mean(x: Tensor) -> Tensor:
        arranged = x.detach().float().reshape(len(weights), -1, *x.shape[1:])
        return torch.einsum("s...,s->...", arranged, weights.float()).cpu()

    return LevelTrace(
        mean(result.gate).numpy(),
        mean(result.assigned).numpy(),
        mean(result.norms).numpy(),
        mean(tokens).numpy(),
        mean(result.shared).numpy(),
    )
