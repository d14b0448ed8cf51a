"""A plain HDMoE to measure against: one patient at a time, one expert at a time, fp32 (MODELS.md 1.1.1, literally).

It computes the same function as :class:`core.models.hdmoe.model.HDMoE` with the same weights, in the way the equations
are written down: zero padding materialised, all landmarks, the whole pseudo-inverse, the squared bag, reorganisation
by transposition. Only what the router picks is computed. Kept for the benchmark and its tests; nothing else uses it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from core.cohort.modality import Modality
from core.features.batch import Batch
from core.features.preparation import InputShape
from core.models.hdmoe.config import HDMoEConfig
from core.models.hdmoe.model import HDMoE


@dataclass(frozen=True, eq=False)
class PlainRouting:
    """What a level did with the (k, d) tokens of one patient: outputs (k, d_out) and gate weights (k, E)."""

    routed: Tensor
    shared: Tensor
    gate: Tensor


@dataclass(frozen=True, eq=False)
class PlainOutput:
    """(t,) logits of one patient, the decoupling loss, and the gates of each level with a present modality."""

    logits: Tensor
    decoupling: Tensor
    gates: Mapping[str, Tensor]


def plain_pinv(x: Tensor, iterations: int = 6) -> Tensor:
    """Pseudo-inverse of (1, h, m, m) matrices: Z ← ¼Z(13I − XZ(15I − XZ(7I − XZ))) (Xiong et al., Eq. 11)."""
    eye = torch.eye(x.shape[-1])
    z = x.transpose(-1, -2) / (x.abs().sum(dim=-1).max() * x.abs().sum(dim=-2).max())
    for _ in range(iterations):
        xz = x @ z
        z = 0.25 * z @ (13 * eye - xz @ (15 * eye - xz @ (7 * eye - xz)))
    return z


class PlainNystrom(nn.Module):
    """Nyström attention of one sequence, zeros put in front up to a multiple of the landmarks."""

    def __init__(self, width: int, heads: int = 8, landmarks: int = 128, kernel: int = 33) -> None:
        super().__init__()
        self.heads, self.landmarks = heads, landmarks
        self.to_qkv = nn.Linear(width, 3 * width, bias=False)
        self.to_out = nn.Linear(width, width)
        self.dropout = nn.Dropout(0.1)
        self.residual = nn.Conv2d(heads, heads, (kernel, 1), padding=(kernel // 2, 0), groups=heads, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(1, n, width) → (1, n, width)."""
        n, width = x.shape[1:]
        segment = math.ceil(n / self.landmarks)
        x = F.pad(x, (0, 0, segment * self.landmarks - n, 0))
        q, k, v = (
            part.view(1, -1, self.heads, width // self.heads).transpose(1, 2)
            for part in self.to_qkv(x).chunk(3, dim=-1)
        )
        q = q * (width // self.heads) ** -0.5
        q_landmark = q.reshape(1, self.heads, self.landmarks, segment, -1).mean(dim=3)
        k_landmark = k.reshape(1, self.heads, self.landmarks, segment, -1).mean(dim=3)
        first = (q @ k_landmark.transpose(-1, -2)).softmax(dim=-1)
        middle = (q_landmark @ k_landmark.transpose(-1, -2)).softmax(dim=-1)
        last = (q_landmark @ k.transpose(-1, -2)).softmax(dim=-1)
        out = (first @ plain_pinv(middle)) @ (last @ v) + self.residual(v)
        out = self.dropout(self.to_out(out.transpose(1, 2).reshape(1, -1, width)))
        last_n: Tensor = out[:, -n:]
        return last_n


class PlainPositions(nn.Module):
    """PPEG on the square grid of one bag."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList(nn.Conv2d(width, width, k, padding=k // 2, groups=width) for k in (7, 5, 3))

    def forward(self, x: Tensor, side: int) -> Tensor:
        """(1, side², width) → the same."""
        grid = x.transpose(1, 2).view(1, -1, side, side)
        seven, five, three = self.convolutions
        out: Tensor = seven(grid) + grid + five(grid) + three(grid)
        return out.flatten(2).transpose(1, 2)


class PlainClassToken(nn.Module):
    """TransMIL (with ``positions``) or the genomic encoder: (1, n, width) → class token (1, width)."""

    def __init__(self, width: int, positions: bool) -> None:
        super().__init__()
        self.class_token = nn.Parameter(torch.zeros(1, 1, width))
        self.norm1, self.norm2, self.norm = nn.LayerNorm(width), nn.LayerNorm(width), nn.LayerNorm(width)
        self.layer1, self.layer2 = PlainNystrom(width), PlainNystrom(width)
        self.positions = PlainPositions(width) if positions else None

    def forward(self, x: Tensor) -> Tensor:
        """Class token behind the second layer."""
        side = math.ceil(math.sqrt(x.shape[1]))
        if self.positions is not None:
            x = torch.cat([x, x[:, : side * side - x.shape[1]]], dim=1)
        x = torch.cat([self.class_token, x], dim=1)
        x = x + self.layer1(self.norm1(x))
        if self.positions is not None:
            x = torch.cat([x[:, :1], self.positions(x[:, 1:], side)], dim=1)
        x = x + self.layer2(self.norm2(x))
        out: Tensor = self.norm(x)[:, 0]
        return out


def _snn(n_in: int, n_out: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(nn.Linear(n_in, n_out), nn.ELU(), nn.AlphaDropout(dropout))


class PlainFamilies(nn.Module):
    """One encoder a gene family, one token each."""

    def __init__(self, families: Sequence[Sequence[int]], config: HDMoEConfig) -> None:
        super().__init__()
        self.columns = [torch.tensor(f) for f in families]
        hidden, drop = config.family_hidden, config.gene_dropout
        self.encoders = nn.ModuleList(
            nn.Sequential(_snn(len(f), hidden, drop), _snn(hidden, config.width, drop)) for f in families
        )

    def forward(self, genes: Tensor) -> Tensor:
        """(1, genes) → (1, families, width)."""
        return torch.stack([e(genes[:, c]) for e, c in zip(self.encoders, self.columns, strict=True)], dim=1)


class PlainGenomics(nn.Module):
    """Families, then the class-token encoder."""

    def __init__(self, shape: InputShape, config: HDMoEConfig) -> None:
        super().__init__()
        self.families, self.encoder = PlainFamilies(shape.families, config), PlainClassToken(config.width, False)

    def forward(self, patient: Batch) -> Tensor:
        out: Tensor = self.encoder(self.families(patient.genes))
        return out


class PlainBag(nn.Module):
    """Two linear layers, then TransMIL (slides) or the class-token encoder."""

    def __init__(self, modality: Modality, shape: InputShape, config: HDMoEConfig) -> None:
        super().__init__()
        self.modality = modality
        n_in, drop = (shape.bags or {})[modality], config.patch_dropout
        self.reduce = nn.Sequential(
            *(nn.Linear(n_in, config.width), nn.ReLU(), nn.Dropout(drop)),
            *(nn.Linear(config.width, config.width), nn.ReLU(), nn.Dropout(drop)),
        )
        self.encoder = PlainClassToken(config.width, modality is Modality.SLIDES)

    def forward(self, patient: Batch) -> Tensor:
        out: Tensor = self.encoder(self.reduce(patient.bags[self.modality]))
        return out


class PlainClinical(nn.Module):
    """Two self-normalising layers and a LayerNorm."""

    def __init__(self, shape: InputShape, config: HDMoEConfig) -> None:
        super().__init__()
        width, drop = config.width, config.gene_dropout
        self.network = nn.Sequential(_snn(shape.clinical, width, drop), _snn(width, width, drop), nn.LayerNorm(width))

    def forward(self, patient: Batch) -> Tensor:
        out: Tensor = self.network(patient.clinical)
        return out


class PlainExperts(nn.Module):
    """Experts as separate networks, the shared one last; each runs on the tokens the router sent to it."""

    def __init__(self, d_in: int, d_out: int, config: HDMoEConfig) -> None:
        super().__init__()
        self.top_k, hidden = config.top_k, config.expert_hidden
        self.gate = nn.Parameter(torch.zeros(config.n_experts, d_in))
        self.experts = nn.ModuleList(
            nn.Sequential(nn.Linear(d_in, hidden), nn.ReLU(), nn.Dropout(0.1), nn.Linear(hidden, d_out), nn.ReLU())
            for _ in range(config.n_experts + 1)
        )

    def forward(self, tokens: Tensor) -> PlainRouting:
        """Route the (k, d) tokens of one patient."""
        gate = torch.softmax(tokens @ self.gate.t(), dim=-1)
        picked = gate.topk(self.top_k, dim=-1).indices
        shared = self.experts[-1](tokens)
        routed = torch.zeros_like(shared)
        for e, expert in enumerate(self.experts[:-1]):
            rows = torch.nonzero((picked == e).any(dim=-1)).flatten()
            if len(rows):
                routed = routed.index_add(0, rows, gate[rows, e, None] * expert(tokens[rows]))
        return PlainRouting(routed, shared, gate)


def plain_reorganise(rows: Tensor, segments: int) -> Tensor:
    """(r, d) → (r·d,): stack the segments of every row, swap rows and segments, flatten."""
    return rows.reshape(rows.shape[0], segments, -1).transpose(0, 1).reshape(-1)


class PlainHDMoE(nn.Module):
    """The model, for one patient; built from a fast one, whose weights it copies."""

    def __init__(self, model: HDMoE, shape: InputShape) -> None:
        super().__init__()
        self.config, self.modalities = model.config, model.modalities
        self.segments1, self.segments2 = model.segments1, model.segments2
        token, both = self.config.token, self.config.width * len(self.modalities)
        self.encoders = nn.ModuleDict({m.value: self._encoder(m, shape) for m in self.modalities})
        self.experts1 = nn.ModuleDict({m.value: PlainExperts(token, token, self.config) for m in self.modalities})
        self.experts2 = PlainExperts(token, token // 2, self.config)
        self.align_routed, self.align_shared = nn.Linear(both, both), nn.Linear(both, both)
        self.head = nn.Linear(2 * both, model.bins)
        if self.config.compat == "paper":
            self.missing = nn.ParameterDict(
                {m.value: nn.Parameter(torch.zeros(self.config.width)) for m in self.modalities}
            )
        self.load_state_dict(plain_weights(model.state_dict()))
        self.train(model.training)

    def _encoder(self, modality: Modality, shape: InputShape) -> nn.Module:
        if modality is Modality.GENOMICS:
            return PlainGenomics(shape, self.config)
        if modality is Modality.CLINICAL:
            return PlainClinical(shape, self.config)
        return PlainBag(modality, shape, self.config)

    def forward(self, patient: Batch, segments: tuple[int, int]) -> PlainOutput:
        """One patient (a batch of one, unpadded), with the two segment counts of the reorganisations given."""
        return self.decide(patient, self.represent(patient), segments)

    def represent(self, patient: Batch) -> dict[Modality, Tensor]:
        """Each modality's (width,) representation, the learned token where it is missing."""
        vectors = {m: self.encoders[m.value](patient)[0] for m in self.modalities}
        if self.config.compat == "paper":
            vectors = {m: v if bool(patient.present[m][0]) else self.missing[m.value] for m, v in vectors.items()}
        return vectors

    def decide(self, patient: Batch, vectors: Mapping[Modality, Tensor], segments: tuple[int, int]) -> PlainOutput:
        """Both levels of experts, the head, and the losses."""
        rows_routed, rows_shared, gates = [], [], {}
        for modality, vector in vectors.items():
            first: PlainRouting = self.experts1[modality.value](vector.view(-1, self.config.token))
            rows_routed.append(first.routed.flatten())
            rows_shared.append(first.shared.flatten() if self.config.de_redundancy else vector)
            if bool(patient.present[modality][0]):
                gates[modality.value] = first.gate
        mixed = plain_reorganise(torch.stack([*rows_routed, *rows_shared]), segments[0])
        second: PlainRouting = self.experts2(mixed.view(-1, self.config.token))
        gates["level 2"] = second.gate
        last_routed, last_shared = second.routed.flatten(), second.shared.flatten()
        logits = self.head(plain_reorganise(torch.stack([last_routed, last_shared]), segments[1]))
        aligned = self.align_routed(torch.cat(rows_routed)), self.align_shared(torch.cat(rows_shared))
        push = [_cosine(a, b) for a, b in zip(rows_routed, rows_shared, strict=True)]
        push.append(_cosine(last_routed, last_shared))
        pull = [1 - _cosine(last_routed, aligned[0]), 1 - _cosine(last_shared, aligned[1])]
        return PlainOutput(logits, torch.stack([*push, *pull]).sum(), gates)

    def averaged(self, patient: Batch) -> Tensor:
        """(t,) logits, averaged over every pair of segment counts: the deterministic evaluation, by enumeration."""
        vectors, rate = self.represent(patient), self.config.reorganise_rate
        total = torch.zeros(())
        for a in self.segments1:
            for b in self.segments2:
                shares = [rate / len(s) + (1 - rate) * (c == 1) for c, s in ((a, self.segments1), (b, self.segments2))]
                total = total + shares[0] * shares[1] * self.decide(patient, vectors, (a, b)).logits
        return total

    def loss(
        self, patients: Sequence[Batch], targets: Sequence[tuple[int, bool]], segments: Sequence[tuple[int, int]]
    ) -> Tensor:
        """NLL + α·decoupling + β·load balance of some patients; (bin, event) and both segment counts of each."""
        outputs = [self(patient, pair) for patient, pair in zip(patients, segments, strict=True)]
        pairs = zip(outputs, targets, strict=True)
        loss = torch.stack([plain_nll(out.logits, *target) for out, target in pairs]).mean()
        if self.config.decoupling:
            loss = loss + self.config.alpha * torch.stack([out.decoupling for out in outputs]).mean()
        names = {name for out in outputs for name in out.gates}
        for name in sorted(names):
            gate = torch.cat([out.gates[name] for out in outputs if name in out.gates])
            loss = loss + self.config.beta * plain_load_balance(gate)
        return loss


def _cosine(a: Tensor, b: Tensor) -> Tensor:
    return F.cosine_similarity(a, b, dim=0)


def plain_load_balance(gate: Tensor) -> Tensor:
    """Σ_e P_e·f_e of (tokens, E) gate weights, f_e = E × the share of tokens whose first choice is e."""
    share = F.one_hot(gate.argmax(dim=-1), gate.shape[-1]).float().mean(dim=0)
    return (gate.mean(dim=0) * share * gate.shape[-1]).sum()


def plain_nll(logits: Tensor, bin_of: int, event: bool) -> Tensor:
    """−(1−c)[log S(y−1) + log h(y)] − c·log S(y) of one patient (MODELS.md 1.1.1, eps 1e-7)."""
    hazards = torch.sigmoid(logits)
    survival = torch.cat([torch.ones(1), torch.cumprod(1 - hazards, dim=0)]).clamp(min=1e-7)
    if event:
        return -(survival[bin_of].log() + hazards[bin_of].clamp(min=1e-7).log())
    return -survival[bin_of + 1].log()


def plain_weights(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A fast model's weights (or gradients) with each stack of experts taken apart into single networks."""
    result = {}
    for name, value in weights.items():
        level, _, last = name.rpartition(".")
        if last not in ("w1", "b1", "w2", "b2"):
            result[name] = value
            continue
        layer = {"1": 0, "2": 3}[last[1]]
        for e, part in enumerate(value):
            kind, one = ("weight", part.t()) if last[0] == "w" else ("bias", part[0])
            result[f"{level}.experts.{e}.{layer}.{kind}"] = one
    return result
