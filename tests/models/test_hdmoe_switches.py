"""Every ablation switch, distance and top-k runs, trains and changes the output; losses are their formulas."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional as F

from core.models.hdmoe.decoupling import apart, decoupling_loss, together
from core.models.hdmoe.model import LEVEL2, HDMoE, level1
from core.models.layers.experts import load_balance
from core.models.output import SurvivalOutput, Trace
from tests.models.literal import literal_level, literal_rfr
from tests.models.patients import CLINICAL, GENOMICS, make_batch, small_model

MODALITIES = (GENOMICS, CLINICAL)


def matched(**settings: object) -> HDMoE:
    """A model with other settings but, wherever shapes allow, the default model's weights."""
    model, reference = small_model(MODALITIES, **settings), small_model(MODALITIES).state_dict()
    own = model.state_dict()
    fitting = {k: v for k, v in reference.items() if k in own and own[k].shape == v.shape}
    model.load_state_dict(fitting, strict=False)
    return model


def train_once(model: HDMoE) -> SurvivalOutput:
    """One backward pass in training mode; every parameter that may learn gets a finite gradient."""
    model.train()
    torch.manual_seed(0)
    output: SurvivalOutput = model(make_batch([1, 1, 1, 1], absent=0.3))
    torch.autograd.backward(output.logits.square().sum() + sum(output.auxiliary.values()))
    assert all(bool(torch.isfinite(p.grad).all()) for p in model.parameters() if p.grad is not None)
    return output


@pytest.mark.parametrize("switch", ["fine_tokens", "de_redundancy", "reorganise1", "reorganise2"])
def test_leaving_out_a_component_changes_the_prediction(switch: str) -> None:
    batch = make_batch([1, 1, 1], absent=0.3)
    with torch.no_grad():
        full, without = matched()(batch).logits, matched(**{switch: False})(batch).logits
    assert without.shape == full.shape
    assert (full - without).abs().max() > 1e-3
    train_once(matched(**{switch: False}))


def test_without_decoupling_only_the_load_balance_loss_remains() -> None:
    assert set(train_once(matched()).auxiliary) == {"load_balance", "decoupling"}
    assert set(train_once(matched(decoupling=False)).auxiliary) == {"load_balance"}


def test_auxiliary_losses_exist_in_training_only() -> None:
    with torch.no_grad():
        assert not matched()(make_batch([1, 1])).auxiliary


@torch.no_grad()
def test_what_each_switch_does() -> None:
    batch = make_batch([1, 1])
    tokens = {
        name: model(batch, Trace.ROUTING).routing
        for name, model in {"fine": matched(), "coarse": matched(fine_tokens=False)}.items()
    }
    assert tokens["fine"].levels[level1(GENOMICS)].tokens_in.shape == (2, 4, 8)
    assert tokens["coarse"].levels[level1(GENOMICS)].tokens_in.shape == (2, 1, 32)
    assert matched(reorganise1=False).segments1 == (1,)
    assert matched(reorganise2=False).segments2 == (1,)
    plain = matched(reorganise1=False, reorganise2=False)
    vectors = [plain.encoders[m.value](batch)[0][0] for m in MODALITIES]
    levels = [literal_level(plain.experts1[m.value], v.view(4, 8)) for m, v in zip(MODALITIES, vectors, strict=True)]
    rows = torch.stack([routed.flatten() for routed, _ in levels] + [shared.flatten() for _, shared in levels])
    routed, shared = literal_level(plain.experts2, rows.view(-1, 8))
    expected = plain.head(literal_rfr(torch.stack([routed.flatten(), shared.flatten()]), 1))
    assert torch.allclose(plain(batch).logits[0], expected, atol=1e-5)


@torch.no_grad()
def test_without_de_redundancy_the_shared_expert_is_bypassed_at_level_1() -> None:
    model, batch = matched(de_redundancy=False, reorganise1=False), make_batch([1, 1])
    before = model(batch).logits
    silent = {level1(m): (8,) for m in MODALITIES}
    assert torch.equal(model(batch, muted=silent).logits, before)  # muting what is not used changes nothing
    full = matched(reorganise1=False)
    assert (full(batch, muted=silent).logits - full(batch).logits).abs().max() > 1e-3


@pytest.mark.parametrize("distance", ["cosine", "l1", "kl", "mse"])
def test_every_distance_is_its_formula_and_pulls_the_right_way(distance: str) -> None:
    generator = torch.Generator().manual_seed(0)
    a, b = torch.rand(5, 7, generator=generator), torch.rand(5, 7, generator=generator)
    rows = []
    for x, y in zip(a, b, strict=True):
        p, q = torch.softmax(x, 0), torch.softmax(y, 0)
        rows.append(
            {
                "cosine": float(x @ y / (x.norm() * y.norm())),
                "l1": float((x - y).abs().mean()),
                "mse": float(((x - y) ** 2).mean()),
                "kl": float(((p - q) * (p / q).log()).sum() / 2),
            }[distance]
        )
    for row, value in enumerate(rows):
        pulls = 1 - value if distance == "cosine" else value
        pushes = value if distance == "cosine" else math.exp(-value)
        assert float(together(a, b, distance)[row]) == pytest.approx(pulls, abs=1e-5)
        assert float(apart(a, b, distance)[row]) == pytest.approx(pushes, abs=1e-5)
    assert float(together(a, a, distance).abs().max()) < 1e-5
    assert bool((apart(a, a, distance) >= apart(a, b, distance) - 1e-6).all())
    assert bool((apart(a, a, distance) <= 1 + 1e-5).all())


@pytest.mark.parametrize("distance", ["cosine", "l1", "kl", "mse"])
def test_every_distance_trains_and_differs_from_the_others(distance: str) -> None:
    distances = ("cosine", "l1", "kl", "mse")
    losses = {d: float(train_once(matched(distance=d)).auxiliary["decoupling"].detach()) for d in distances}
    assert math.isfinite(losses[distance])
    assert all(abs(losses[distance] - v) > 1e-4 for d, v in losses.items() if d != distance)


def test_the_decoupling_loss_is_the_papers_sum() -> None:
    """L_dis1 = Σ (1 − cos) across levels, L_dis2 = Σ cos within levels (MODELS.md 1.1.1)."""
    x = torch.rand(6, 3, 10, generator=torch.Generator().manual_seed(1))
    within, across = [(x[0], x[1]), (x[2], x[3])], [(x[4], x[5])]
    expected = 0.0
    for row in range(3):
        expected += float(F.cosine_similarity(x[0][row], x[1][row], dim=0))
        expected += float(F.cosine_similarity(x[2][row], x[3][row], dim=0))
        expected += 1 - float(F.cosine_similarity(x[4][row], x[5][row], dim=0))
    assert float(decoupling_loss(within, across, "cosine")) == pytest.approx(expected / 3, abs=1e-5)


def test_weights_of_the_losses_are_alpha_and_beta() -> None:
    base = train_once(matched()).auxiliary
    double = train_once(matched(alpha=2.0, beta=0.05)).auxiliary
    assert double["decoupling"].item() == pytest.approx(2 * base["decoupling"].item(), rel=1e-5)
    assert double["load_balance"].item() == pytest.approx(5 * base["load_balance"].item(), rel=1e-5)


def test_the_load_balance_loss_is_the_sum_over_all_routers() -> None:
    model = matched().train()
    for part in model.modules():
        if isinstance(part, torch.nn.Dropout | torch.nn.AlphaDropout):
            part.p = 0.0
    batch = make_batch([1, 1, 1], absent=0.4, seed=5)
    torch.manual_seed(2)
    output = model(batch, Trace.ROUTING)
    assert output.routing is not None
    expected = 0.0
    for name, level in output.routing.levels.items():
        gate, assigned = torch.from_numpy(level.gate_mass), torch.from_numpy(level.assigned)
        everyone = torch.ones(3, dtype=torch.bool)
        present = {level1(m): batch.present[m] for m in MODALITIES}.get(name, everyone)
        expected += 0.01 * float(load_balance(gate, assigned, present))
    assert output.auxiliary["load_balance"].item() == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("top_k", [2, 8])
def test_more_than_one_expert_a_token(top_k: int) -> None:
    with torch.no_grad():
        output = matched(top_k=top_k)(make_batch([1, 1]), Trace.ROUTING)
        assert (output.logits - matched()(make_batch([1, 1])).logits).abs().max() > 1e-4
    assert output.routing is not None
    for level in output.routing.levels.values():
        assert level.assigned.sum(axis=-1) == pytest.approx(top_k)
    train_once(matched(top_k=top_k))


@torch.no_grad()
def test_muted_experts_change_the_prediction_and_their_norm_is_zero() -> None:
    model, batch = matched(top_k=2), make_batch([1, 1, 1])
    before = model(batch, Trace.ROUTING)
    assert before.routing is not None
    busiest = int(before.routing.levels[LEVEL2].output_norm[:, :8].sum(axis=0).argmax())
    after = model(batch, Trace.ROUTING, muted={LEVEL2: (busiest,)})
    assert (after.logits - before.logits).abs().max() > 1e-4
    assert after.routing is not None
    assert after.routing.levels[LEVEL2].output_norm[:, busiest].max() == 0.0
    everything = {name: tuple(range(9)) for name in before.routing.levels}
    assert torch.allclose(model(batch, muted=everything).logits, model.head.bias.expand(3, -1))


def test_the_router_learns_through_the_gate() -> None:
    model = matched()
    train_once(model)
    for level in (model.experts2, *model.experts1.values()):
        assert level.gate.grad is not None
        assert float(level.gate.grad.abs().sum()) > 0


@torch.no_grad()
def test_evaluation_is_deterministic_and_training_is_not() -> None:
    model, batch = matched(), make_batch([1, 1])
    assert torch.equal(model(batch).logits, model(batch).logits)
    model.train()
    assert not torch.equal(model(batch).logits, model(batch).logits)
