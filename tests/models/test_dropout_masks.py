"""The quick CPU dropout draws what torch's draws: the same values, at the same rate, kept moments, a seeded stream."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from core.models.layers.dropout import AlphaDropout, Dropout


@pytest.mark.parametrize("p", [0.1, 0.25, 0.5, 0.003])
@pytest.mark.parametrize(("quick", "reference"), [(Dropout, nn.Dropout), (AlphaDropout, nn.AlphaDropout)])
def test_values_and_rate_are_those_of_torch(quick: type, reference: type, p: float) -> None:
    torch.manual_seed(0)
    x = torch.ones(200_001)  # odd on purpose: bits are drawn eight bytes at a time
    found, expected = quick(p)(x), reference(p)(x)
    for value in expected.unique():
        share = (expected == value).float().mean()
        assert float((found - value).abs().min()) < 2e-3
        assert float(((found - value).abs() < 2e-3).float().mean()) == pytest.approx(float(share), abs=0.006)


@pytest.mark.parametrize("p", [0.1, 0.25])
def test_moments_are_kept(p: float) -> None:
    torch.manual_seed(1)
    x = torch.randn(400_000)
    assert float(Dropout(p)(x + 2).mean()) == pytest.approx(2.0, abs=0.02)
    selu = nn.functional.selu(x)
    after = AlphaDropout(p)(selu)
    assert float(after.mean()) == pytest.approx(float(selu.mean()), abs=0.02)
    assert float(after.var()) == pytest.approx(float(selu.var()), abs=0.02)


@pytest.mark.parametrize("kind", [Dropout, AlphaDropout])
def test_the_seed_decides_the_mask_and_evaluation_has_none(kind: type) -> None:
    layer, x = kind(0.25), torch.randn(64, 32)
    torch.manual_seed(3)
    first, second = layer(x), layer(x)
    torch.manual_seed(3)
    assert torch.equal(layer(x), first)
    assert not torch.equal(second, first)
    assert torch.equal(layer.eval()(x), x)
    assert torch.equal(kind(0.0)(x), x)


def test_gradients_flow_through_what_was_kept_only() -> None:
    torch.manual_seed(4)
    x = torch.ones(1000, requires_grad=True)
    out = Dropout(0.25)(x)
    out.sum().backward()
    assert torch.allclose(x.grad, out.detach())
