"""The stacked experts against a loop over patients, tokens and experts; the load-balance loss against its formula."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from core.models.layers.experts import ExpertLevel, load_balance
from tests.models.literal import literal_expert, literal_level


def level(top_k: int = 1, experts: int = 8, seed: int = 0) -> ExpertLevel:
    torch.manual_seed(seed)
    made = ExpertLevel(6, 5, experts, top_k, hidden=7)
    with torch.no_grad():
        made.b1.normal_(std=0.3)
        made.b2.normal_(std=0.3)
        made.gate *= 3
    return made.eval()


@settings(max_examples=40)
@given(st.integers(1, 6), st.integers(1, 5), st.integers(1, 4), st.integers(0, 100), st.integers(2, 9))
@torch.no_grad()
def test_stacked_experts_equal_the_loop(patients: int, tokens: int, top_k: int, seed: int, experts: int) -> None:
    made = level(min(top_k, experts), experts, seed)
    x = torch.randn(patients, tokens, 6)
    result = made(x)
    for row in range(patients):
        routed, shared = literal_level(made, x[row])
        assert torch.allclose(result.routed[row], routed, atol=1e-5)
        assert torch.allclose(result.shared[row], shared, atol=1e-5)
    assert torch.equal(result.assigned.sum(-1), torch.full((patients, tokens), made.top_k))
    assert torch.allclose(result.gate.sum(-1), torch.ones(patients, tokens))


@torch.no_grad()
def test_two_choices_add_a_second_expert_and_are_not_renormalised() -> None:
    x = torch.randn(4, 3, 6)
    one, two, everyone = (level(k)(x).routed for k in (1, 2, 8))
    assert bool((two >= one - 1e-6).all())  # outputs are ReLU and gates are positive, so a second expert only adds
    assert float((two - one).abs().max()) > 1e-3
    made = level(8)
    gate = torch.softmax(x @ made.gate.t(), dim=-1)
    for row in range(4):
        for token in range(3):
            full = sum(gate[row, token, e] * literal_expert(made, e, x[row, token]) for e in range(8))
            assert torch.allclose(everyone[row, token], full, atol=1e-5)


@torch.no_grad()
def test_a_muted_expert_contributes_nothing_and_leaves_the_others_alone() -> None:
    made, x = level(2), torch.randn(5, 4, 6)
    before = made(x, norms=True)
    for muted in [(0,), (3, 5), (8,), tuple(range(8)), tuple(range(9))]:
        after = made(x, muted, norms=True)
        for row in range(5):
            routed, shared = literal_level(made, x[row], muted)
            assert torch.allclose(after.routed[row], routed, atol=1e-5)
            assert torch.allclose(after.shared[row], shared, atol=1e-5)
        assert torch.equal(after.gate, before.gate)  # nobody takes the silent expert's tokens
        others = [e for e in range(9) if e not in muted]
        assert bool((after.norms[:, list(muted)] == 0).all())
        assert torch.equal(after.norms[:, others], before.norms[:, others])


@torch.no_grad()
def test_norms_are_those_of_each_experts_weighted_contribution() -> None:
    made, x = level(2), torch.randn(3, 4, 6)
    result = made(x, norms=True)
    for row in range(3):
        for expert in range(8):
            parts = [
                result.gate[row, t, expert] * result.assigned[row, t, expert] * literal_expert(made, expert, x[row, t])
                for t in range(4)
            ]
            assert torch.allclose(result.norms[row, expert], torch.cat(parts).norm(), atol=1e-5)
        assert torch.allclose(result.norms[row, 8], result.shared[row].norm(), atol=1e-5)


@settings(max_examples=40)
@given(st.integers(1, 6), st.integers(1, 5), st.integers(2, 8), st.integers(0, 1000))
def test_load_balance_is_its_formula(patients: int, tokens: int, experts: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    gate = torch.softmax(2 * torch.randn(patients, tokens, experts, generator=generator), dim=-1)
    present = torch.rand(patients, generator=generator) < 0.7
    used = [gate[i, j] for i in range(patients) for j in range(tokens) if present[i]]
    expected = 0.0
    for expert in range(experts):
        if used:
            share = sum(int(g.argmax()) == expert for g in used) / len(used)
            expected += experts * share * float(sum(g[expert] for g in used)) / len(used)
    assert float(load_balance(gate, gate > 0, present)) == pytest.approx(expected, abs=1e-5)


def test_load_balance_is_smallest_for_even_use_and_pushes_towards_it() -> None:
    even = torch.eye(4)[torch.arange(8) % 4].view(8, 1, 4) * 0.9 + 0.025
    one_sided = torch.eye(4)[torch.zeros(8, dtype=torch.long)].view(8, 1, 4) * 0.9 + 0.025
    everyone = torch.ones(8, dtype=torch.bool)
    assert float(load_balance(even, even > 0.5, everyone)) == pytest.approx(1.0, abs=1e-5)
    assert float(load_balance(one_sided, one_sided > 0.5, everyone)) > 3.5
    logits = torch.tensor([[[2.0, 0.0, 0.0, 0.0]]]).repeat(8, 1, 1).requires_grad_()
    gate = torch.softmax(logits, -1)
    load_balance(gate, gate > 0.5, everyone).backward()
    assert logits.grad is not None
    assert bool((logits.grad[..., 0] > 0).all())  # gradient descent lowers the crowded expert's logit


@pytest.mark.parametrize(("top_k", "muted"), [(1, ()), (2, ()), (2, (0, 3)), (1, (8,))])
def test_computing_chosen_experts_alone_changes_neither_outputs_nor_gradients(
    top_k: int, muted: tuple[int, ...]
) -> None:
    whole, chosen = level(top_k).eval(), level(top_k).eval()
    chosen.chosen_only = True
    random = torch.Generator().manual_seed(3)
    tokens = torch.randn(3, 4, 6, generator=random)
    pull = torch.randn(2, 3, 4, 5, generator=random)
    answers = []
    for made in (whole, chosen):
        asked = tokens.clone().requires_grad_(True)
        found = made(asked, muted)
        (torch.stack([found.routed, found.shared]) * pull).sum().backward()
        answers.append((found, asked.grad, made.gate.grad, made.w1.grad))
    (a, *expected), (b, *seen) = answers
    torch.testing.assert_close(b.routed, a.routed)
    torch.testing.assert_close(b.shared, a.shared)
    assert bool((a.assigned == b.assigned).all())
    for one, other in zip(seen, expected, strict=True):
        torch.testing.assert_close(one, other)
