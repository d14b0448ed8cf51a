"""Stacked experts: all experts of a level in two batched products, no loop over experts or patients."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from core.models.layers.dropout import Dropout
from core.models.layers.paths import only


@dataclass(frozen=True, eq=False)
class Routed:
    """What one level did with (b, k, d) tokens, E routed experts.

    ``routed`` and ``shared`` (b, k, d_out) outputs · ``gate`` (b, k, E) soft weights · ``assigned`` (b, k, E) top-k ·
    ``norms`` (b, E + 1) norm of each expert's weighted contribution, the shared expert last.
    """

    routed: Tensor
    shared: Tensor
    gate: Tensor
    assigned: Tensor
    norms: Tensor


class ExpertLevel(nn.Module):
    """A router, E routed experts and one shared expert, each Linear-ReLU-Dropout-Linear-ReLU.

    gate = softmax(x Wᵀ); the top-k experts' outputs are added with their gate weights, not renormalised
    (HDMoE Eq. 1-2; MODELS.md 1.1.1).
    """

    def __init__(
        self, d_in: int, d_out: int, experts: int = 8, top_k: int = 1, hidden: int = 128, dropout: float = 0.1
    ) -> None:
        super().__init__()
        self.n_experts, self.top_k = experts, top_k
        self.gate = nn.Parameter(torch.empty(experts, d_in))
        self.w1 = nn.Parameter(torch.empty(experts + 1, d_in, hidden))
        self.b1 = nn.Parameter(torch.zeros(experts + 1, 1, hidden))
        self.w2 = nn.Parameter(torch.empty(experts + 1, hidden, d_out))
        self.b2 = nn.Parameter(torch.zeros(experts + 1, 1, d_out))
        self.dropout = Dropout(dropout)
        self.chosen_only = False
        """Where only outputs and gradients are asked for: an expert reads the tokens that are sent to it alone."""
        nn.init.kaiming_uniform_(self.gate, a=5**0.5)
        for stack in (self.w1, self.w2):
            for matrix in stack:
                nn.init.xavier_normal_(matrix)

    def forward(
        self, tokens: Tensor, muted: tuple[int, ...] = (), norms: bool = False, through: int | None = None
    ) -> Routed:
        """Route (b, k, d) tokens; experts in ``muted`` (the shared one is number E) contribute nothing.

        ``through`` is the one expert that hands on a gradient; None lets all of them.
        """
        if self.chosen_only and not self.training and not norms and through is None:
            return self._chosen(tokens, muted)
        b, k, d = tokens.shape
        flat = tokens.reshape(1, b * k, d).expand(self.n_experts + 1, b * k, d)
        hidden = self.dropout(F.relu(torch.baddbmm(self.b1.to(flat.dtype), flat, self.w1.to(flat.dtype))))
        out = F.relu(torch.baddbmm(self.b2.to(hidden.dtype), hidden, self.w2.to(hidden.dtype)))
        out = only(out.view(self.n_experts + 1, b, k, -1), through)
        gate, assigned = self._routes(tokens)
        keep = gate.new_ones(self.n_experts + 1)
        if muted:
            keep[list(muted)] = 0.0
        weight = only(gate * assigned * keep[:-1], through, -1)
        routed = torch.einsum("ebkd,bke->bkd", out[:-1], weight.to(out.dtype))
        shared = out[-1] * keep[-1].to(out.dtype)
        return Routed(routed, shared, gate, assigned, self._norms(out, weight, keep) if norms else gate.new_zeros(0))

    def _routes(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """(b, k, E) soft weights and top-k choices."""
        gate = torch.softmax((tokens @ self.gate.t().to(tokens.dtype)).float(), dim=-1)
        chosen = gate.topk(self.top_k, dim=-1).indices
        return gate, torch.zeros_like(gate, dtype=torch.bool).scatter(-1, chosen, True)

    def _chosen(self, tokens: Tensor, muted: tuple[int, ...]) -> Routed:
        """The same outputs from top-k + 1 experts a token instead of all: what is weighted with 0 is not computed.

        Gradients are the same too, as an expert that a token is not sent to has none.
        """
        b, k, d = tokens.shape
        flat = tokens.reshape(b * k, d)
        gate, assigned = self._routes(tokens)
        weight = gate.reshape(b * k, -1)
        found, rows = [], []
        for expert in range(self.n_experts):
            sent = assigned.reshape(b * k, -1)[:, expert].nonzero()[:, 0]
            if len(sent) and expert not in muted:
                found.append(self._one(expert, flat[sent]) * weight[sent, expert, None].to(flat.dtype))
                rows.append(sent)
        routed = flat.new_zeros(b * k, self.w2.shape[2])
        if found:
            routed = routed.index_add(0, torch.cat(rows), torch.cat(found))
        shared = self._one(self.n_experts, flat)
        shared = torch.zeros_like(shared) if self.n_experts in muted else shared
        return Routed(routed.view(b, k, -1), shared.view(b, k, -1), gate, assigned, gate.new_zeros(0))

    def _one(self, expert: int, tokens: Tensor) -> Tensor:
        """(n, d_out) of one expert; the shared one is number E."""
        hidden = F.relu(torch.addmm(self.b1[expert].to(tokens.dtype), tokens, self.w1[expert].to(tokens.dtype)))
        return F.relu(torch.addmm(self.b2[expert].to(hidden.dtype), hidden, self.w2[expert].to(hidden.dtype)))

    @staticmethod
    def _norms(out: Tensor, weight: Tensor, keep: Tensor) -> Tensor:
        routed = torch.einsum("ebkd,bke->bekd", out[:-1].float(), weight).flatten(2).norm(dim=2)
        return torch.cat([routed, out[-1].float().flatten(1).norm(dim=1, keepdim=True) * keep[-1]], dim=1)


def load_balance(gate: Tensor, assigned: Tensor, present: Tensor) -> Tensor:
    """Load-balance loss Σ_e P_e·f_e over the tokens of the whole batch (HDMoE Eq. 6).

    P_e is the mean gate weight, f_e = E × the share of tokens whose first choice is e. One batch of one patient
    would only flatten the router (MODELS.md 1.1.3, item 2). ``present`` (b,) leaves out patients whose tokens are
    a learned stand-in.
    """
    weight = present.float()[:, None, None].expand(gate.shape[0], gate.shape[1], 1)
    total = weight.sum().clamp(min=1.0)
    mean_gate = (gate * weight).sum(dim=(0, 1)) / total
    first = F.one_hot(gate.argmax(dim=-1), gate.shape[-1]).to(gate.dtype)
    load = gate.shape[-1] * (first * weight).sum(dim=(0, 1)) / total
    return (mean_gate * load).sum()
