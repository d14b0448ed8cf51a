"""MICE against the published sizes, against plain loops, and alone against in a batch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from core.cohort.modality import Modality
from core.features.batch import Batch
from core.features.preparation import InputShape
from core.models.layers.contrastive import info_nce, multi_positive_loss
from core.models.layers.stacked_transformer import StackedTransformer
from core.models.mice.config import MICEConfig
from core.models.mice.model import GROUPS, MICE, OVERLAPPING
from core.models.output import Trace

SHAPE = InputShape(((0, 1, 2), (2, 3, 4, 5)), 6, 3, None, ("a", "b", "c"))
BOTH = (Modality.GENOMICS, Modality.CLINICAL)


def model(**settings: object) -> MICE:
    torch.manual_seed(3)
    small = {"width": 32, "gene_hidden": 16, "clinical_hidden": 16, "rank": 8, "overlapping": 7, "keep": 4}
    return MICE(SHAPE, BOTH, 4, MICEConfig(**{**small, **settings}))  # type: ignore[arg-type]


def batch(n: int = 9, seed: int = 0) -> Batch:
    draw = torch.Generator().manual_seed(seed)
    genes = torch.rand(n, generator=draw) > 0.3
    present = {Modality.GENOMICS: genes, Modality.CLINICAL: ~genes | (torch.rand(n, generator=draw) > 0.3)}
    x, y = torch.randn(n, 6, generator=draw), torch.randn(n, 3, generator=draw)
    return Batch(present, x, y, groups=torch.randint(0, 3, (n,), generator=draw))


def rows(of: Batch, index: list[int]) -> Batch:
    assert of.genes is not None
    assert of.clinical is not None
    assert of.groups is not None
    present = {m: p[index] for m, p in of.present.items()}
    return Batch(present, of.genes[index], of.clinical[index], groups=of.groups[index])


@pytest.mark.parametrize(
    ("ranks", "millions"),
    [((128,), 1.18), ((64,), 0.59), ((64,) * 30, 17.80), (tuple(range(8, 121, 8)), 8.90)],
    ids=["fusion", "consensual", "specialised for 30 cancers", "overlapping"],
)
def test_the_expert_groups_have_the_published_sizes(ranks: tuple[int, ...], millions: float) -> None:
    assert StackedTransformer(256, ranks).used_parameters() / 1e6 == pytest.approx(millions, abs=0.005)


def _plain(stack: StackedTransformer, i: int, x: torch.Tensor) -> torch.Tensor:
    """Transformer i of the stack, token by token and head by head, from its own weights within its rank."""
    rank = stack.ranks[i]
    x = torch.cat([stack.class_token[i].expand(x.shape[0], 1, -1), x], dim=1)
    for layer in stack.layers:
        weights = dict(layer.named_parameters())
        scale1, shift1, scale2, shift2 = (p[i, 0, 0] for p in layer.norms)  # type: ignore[union-attr]
        h = F.layer_norm(x, (x.shape[-1],), scale1, shift1)
        out = torch.zeros_like(x)
        for head in range(stack.heads):
            q, k, v = (h @ weights["qkv"][i, :, part, head, :rank] for part in range(3))
            attention = torch.softmax(q @ k.transpose(1, 2) / rank**0.5, dim=-1)
            out = out + attention @ v @ weights["out"][i, head, :rank]
        x = x + out + weights["out_bias"][i, 0, 0]
        h = F.layer_norm(x, (x.shape[-1],), scale2, shift2)
        hidden = F.gelu(h @ weights["w1"][i, :, :rank] + weights["b1"][i, 0, 0, :rank])
        x = x + hidden @ weights["w2"][i, :rank] + weights["b2"][i, 0, 0]
    return x


def test_a_stack_equals_its_transformers_one_by_one() -> None:
    torch.manual_seed(0)
    stack = StackedTransformer(24, (4, 8, 12), dropout=0.0).eval()
    with torch.no_grad():
        for parameter in stack.parameters():  # also where it starts at zero, but not beyond the ranks
            parameter.add_(0.05 * torch.randn_like(parameter) * (parameter != 0))
    x = torch.randn(3, 5, 4, 24)
    tokens, others = stack(x)
    assert torch.allclose(stack.class_tokens(x), tokens, atol=1e-5)
    for i in range(3):
        plain = _plain(stack, i, x[i])
        assert tokens[i].detach().numpy() == pytest.approx(plain[:, 0].detach().numpy(), abs=1e-5)
        assert others[i].detach().numpy() == pytest.approx(plain[:, 1:].detach().numpy(), abs=1e-5)


def test_nothing_grows_beyond_a_transformers_rank() -> None:
    torch.manual_seed(0)
    stack = StackedTransformer(16, (2, 6), dropout=0.0)
    optimizer = torch.optim.Adam(stack.parameters(), lr=0.1, weight_decay=0.01)
    for _ in range(3):
        optimizer.zero_grad()
        stack.class_tokens(torch.randn(2, 4, 3, 16)).square().sum().backward()
        optimizer.step()
    layer = dict(stack.layers[0].named_parameters())
    assert layer["qkv"][0, ..., 2:].abs().max() == 0
    assert layer["w1"][0, :, 2:].abs().max() == 0
    assert layer["qkv"][0, ..., :2].abs().min() > 0


@pytest.mark.parametrize("synthesis", ["cancer", "reconstruction"])
def test_a_patient_alone_is_predicted_as_among_others_of_other_cancers(synthesis: str) -> None:
    network, everyone = model(synthesis=synthesis).eval(), batch()
    together = network(everyone).logits.detach()
    for i in range(9):
        assert network(rows(everyone, [i])).logits[0].detach().numpy() == pytest.approx(together[i].numpy(), abs=1e-5)


def test_each_cancer_has_its_own_experts_and_shares_the_consensual_one() -> None:
    network, everyone = model().eval(), batch()
    before = network(everyone).logits.detach()
    with torch.no_grad():
        network.specialised.class_token[1].copy_(torch.linspace(-2, 2, 32))
    changed = (network(everyone).logits.detach() - before).abs().amax(dim=1) > 1e-6
    assert everyone.groups is not None
    assert changed.tolist() == (everyone.groups == 1).tolist()


def test_the_router_keeps_the_largest_weights_and_a_trace_changes_nothing() -> None:
    network, everyone = model().eval(), batch()
    output = network(everyone, Trace.ROUTING)
    assert output.logits.equal(network(everyone).logits)
    assert output.routing is not None
    level = output.routing.levels[OVERLAPPING]
    assert (level.assigned.sum(axis=2) == 4).all()
    kept = np.where(level.assigned > 0, level.gate_mass, np.inf).min(axis=2)
    dropped = np.where(level.assigned > 0, -np.inf, level.gate_mass).max(axis=2)
    assert (kept >= dropped).all()
    assert level.gate_mass.sum(axis=2) == pytest.approx(1.0)


def test_a_group_that_is_muted_contributes_nothing() -> None:
    network, everyone = model().eval(), batch()
    output = network(everyone, Trace.ROUTING, {GROUPS: (1,)})
    assert output.routing is not None
    assert (output.routing.levels[GROUPS].output_norm[:, 1] == 0).all()
    without = model(use_specialised=False).eval()
    without.load_state_dict(network.state_dict())
    assert without(everyone).logits.equal(output.logits)


def test_a_missing_modality_is_never_read() -> None:
    network, everyone = model(synthesis="reconstruction").eval(), batch()
    assert everyone.genes is not None
    other = everyone.genes.clone()
    other[~everyone.present[Modality.GENOMICS]] = 1e3
    changed = Batch(everyone.present, other, everyone.clinical, groups=everyone.groups)
    assert network(changed).logits.equal(network(everyone).logits)


def test_the_contrastive_loss_equals_its_definition() -> None:
    draw = torch.Generator().manual_seed(1)
    x = torch.randn(4, 3, 5, generator=draw)
    present = torch.tensor([[1, 1, 1], [1, 0, 1], [0, 1, 0], [1, 1, 0]]).bool()
    real = [(i, m) for i in range(4) for m in range(3) if present[i, m]]
    unit = {k: x[k].numpy() / np.linalg.norm(x[k].numpy()) for k in real}
    losses = []
    for k in real:
        scores = {j: float(np.exp(unit[k] @ unit[j] / 0.1)) for j in real if j != k}
        positives = [j for j in scores if j[0] == k[0]]
        total = sum(scores.values())
        losses.append(-np.mean([np.log(scores[j] / total) for j in positives]) if positives else 0.0)
    assert float(multi_positive_loss(x, present, 0.1)) == pytest.approx(np.mean(losses), rel=1e-5)


def test_info_nce_of_two_views_equals_its_definition_and_needs_two_pairs() -> None:
    draw = torch.Generator().manual_seed(2)
    a, b = torch.randn(5, 4, generator=draw), torch.randn(5, 4, generator=draw)
    paired = torch.tensor([True, True, False, True, False])
    u, v = (F.normalize(t[paired]).numpy() for t in (a, b))
    scores = np.exp(u @ v.T * 3)
    rowwise, columnwise = np.diag(scores) / scores.sum(1), np.diag(scores) / scores.sum(0)
    expected = -0.5 * (np.log(rowwise).mean() + np.log(columnwise).mean())
    assert float(info_nce(a, b, torch.tensor(3.0), paired)) == pytest.approx(expected, rel=1e-5)
    assert float(info_nce(a, b, torch.tensor(3.0), torch.tensor([True] + [False] * 4))) == 0.0
