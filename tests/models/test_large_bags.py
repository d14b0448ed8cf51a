"""A sequence evaluated in parts gives the numbers, and the gradients, of one evaluated at once."""

from __future__ import annotations

import pytest
import torch

from core.models.layers import nystrom
from core.models.layers.transmil import ClassTokenEncoder


@pytest.mark.parametrize("lengths", [(300,), (257, 140)], ids=["one bag", "two, one padded"])
def test_parts_change_nothing(lengths: tuple[int, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(3)
    encoder = ClassTokenEncoder(32, heads=4, landmarks=16).eval().requires_grad_(False)
    for parameter in encoder.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    bags = torch.randn(len(lengths), max(lengths), 32)
    mask = torch.arange(max(lengths))[None] < torch.tensor(lengths)[:, None]
    found = []
    for large, part in ((10**9, 10**9), (40, 50)):
        monkeypatch.setattr(nystrom, "LARGE", large)
        monkeypatch.setattr(nystrom, "PART", part)
        given = bags.clone().requires_grad_(True)
        vector, attention = encoder(given, mask)
        gradients = []
        for seed in (0, 1):  # two questions of one pass, as the maps ask them
            weight = torch.randn(vector.shape, generator=torch.Generator().manual_seed(seed))
            gradients.append(torch.autograd.grad((vector * weight).sum(), given, retain_graph=seed == 0)[0])
        with torch.no_grad():
            silent, _ = encoder(bags, mask)
        found.append((vector.detach(), silent, attention.detach(), *gradients))
    for whole, parts in zip(*found, strict=True):
        assert whole.abs().max() > 1e-3
        assert (whole - parts).abs().max() < 1e-5 * max(1.0, float(whole.abs().max()))


def test_training_is_never_cut_into_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nystrom, "LARGE", 10)
    monkeypatch.setattr(nystrom.NystromAttention, "_in_parts", lambda *_: pytest.fail("cut while training"))
    encoder = ClassTokenEncoder(32, heads=4, landmarks=16).train()
    given = torch.randn(1, 60, 32), torch.ones(1, 60, dtype=torch.bool)
    assert torch.isfinite(encoder(*given)[0]).all()
    with pytest.raises(pytest.fail.Exception, match="cut while training"):  # the trap is where evaluation passes
        encoder.eval()(*given)
