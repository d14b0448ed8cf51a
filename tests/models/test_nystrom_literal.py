"""Nyström attention without materialised padding equals the literal one, for every length and in any batch."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from core.models.layers.nystrom import Lengths, NystromAttention
from core.models.layers.pseudo_inverse import largest_sums, pinv_product
from tests.models.literal import literal_nystrom, literal_pinv

WIDTH, HEADS = 16, 2


def attention(seed: int = 0) -> NystromAttention:
    """Weights large enough that the attention is far from uniform."""
    torch.manual_seed(seed)
    layer = NystromAttention(WIDTH, HEADS, landmarks=128, kernel=33)
    with torch.no_grad():
        layer.to_qkv.weight *= 3
    return layer.eval()


def whole(*lengths: int) -> Lengths:
    longest = max(lengths)
    return Lengths.of(torch.arange(longest)[None] < torch.tensor(lengths)[:, None], 128)


@torch.no_grad()
def test_every_length_from_1_to_300_equals_the_literal_implementation() -> None:
    layer = attention()
    generator = torch.Generator().manual_seed(1)
    worst = 0.0
    for n in range(1, 301):
        x = torch.randn(n, WIDTH, generator=generator)
        expected, expected_attention = literal_nystrom(layer, x)
        output, _ = layer(x[None], whole(n))
        first, weights = layer(x[None], whole(n), first_only=True)
        assert weights is not None
        worst = max(
            worst,
            float((output[0] - expected).abs().max()),
            float((first[0, 0] - expected[0]).abs().max()),
            float((weights[0] - expected_attention).abs().max()),
        )
    assert worst < 2e-4


@settings(max_examples=25)
@given(st.lists(st.integers(1, 300), min_size=2, max_size=5), st.integers(0, 40), st.integers(0, 1000))
@torch.no_grad()
def test_padded_batches_equal_the_literal_implementation(lengths: list[int], spare: int, seed: int) -> None:
    layer = attention()
    generator = torch.Generator().manual_seed(seed)
    longest = max(lengths) + spare
    x = torch.randn(len(lengths), longest, WIDTH, generator=generator)  # rubbish at padding on purpose
    mask = torch.arange(longest)[None] < torch.tensor(lengths)[:, None]
    output, _ = layer(x, Lengths.of(mask, 128))
    first, weights = layer(x, Lengths.of(mask, 128), first_only=True)
    assert weights is not None
    for row, n in enumerate(lengths):
        expected, expected_attention = literal_nystrom(layer, x[row, :n])
        assert (output[row, :n] - expected).abs().max() < 2e-4
        assert (first[row, 0] - expected[0]).abs().max() < 2e-4
        assert (weights[row, :n] - expected_attention).abs().max() < 2e-4
        assert float(weights[row, n:].abs().sum()) == 0.0


@pytest.mark.parametrize("lengths", [(7,), (128,), (129,), (300,), (7, 120), (40, 250)])
@torch.no_grad()
def test_first_only_is_the_first_row_of_the_full_output(lengths: tuple[int, ...]) -> None:
    layer = attention(2)
    x = torch.randn(len(lengths), max(lengths), WIDTH, generator=torch.Generator().manual_seed(3))
    full, none = layer(x, whole(*lengths))
    first, weights = layer(x, whole(*lengths), first_only=True)
    assert none is None
    assert weights is not None
    assert (first[:, 0] - full[:, 0]).abs().max() < 1e-4


@pytest.mark.parametrize("lengths", [(7,), (120,), (300,), (60, 290)])
@torch.no_grad()
def test_bfloat16_autocast_stays_close(lengths: tuple[int, ...]) -> None:
    layer = attention(4)
    x = torch.randn(len(lengths), max(lengths), WIDTH, generator=torch.Generator().manual_seed(5))
    exact, _ = layer(x, whole(*lengths))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rounded, _ = layer(x, whole(*lengths))
    real = whole(*lengths).mask
    difference = (rounded.float() - exact)[real]
    assert float(difference.norm() / exact[real].norm()) < 0.05


def test_gradients_equal_those_of_the_literal_implementation() -> None:
    layer = attention(6)
    x = torch.randn(40, WIDTH, generator=torch.Generator().manual_seed(7))
    layer(x[None], whole(40))[0].square().sum().backward()
    found = {name: p.grad.clone() for name, p in layer.named_parameters() if p.grad is not None}
    layer.zero_grad()
    literal_nystrom(layer, x)[0].square().sum().backward()
    for name, p in layer.named_parameters():
        assert p.grad is not None
        assert float((found[name] - p.grad).norm() / p.grad.norm()) < 1e-3, name


@torch.no_grad()
def test_the_pseudo_inverse_of_one_sample_ignores_its_neighbours() -> None:
    torch.manual_seed(8)
    x = torch.softmax(torch.randn(3, 2, 16, 16), dim=-1)
    x[2] = x[2] * 50  # upstream's global scale would be set by this one
    eye = torch.eye(16).expand(3, 2, 16, 16)
    together = pinv_product(eye, x, largest_sums(x))
    for row in range(3):
        assert torch.allclose(together[row], literal_pinv(x[row]), atol=1e-4)
        assert torch.allclose(
            together[row], pinv_product(eye[:1], x[row : row + 1], largest_sums(x[row : row + 1]))[0], atol=1e-6
        )


@torch.no_grad()
def test_the_pseudo_inverse_inverts_a_well_conditioned_matrix() -> None:
    x = torch.softmax(4 * torch.eye(12) + 0.2 * torch.randn(12, 12, generator=torch.Generator().manual_seed(9)), -1)
    inverse = pinv_product(torch.eye(12)[None, None], x[None, None], torch.ones(1), iterations=12)[0, 0]
    assert torch.allclose(inverse @ x, torch.eye(12), atol=1e-3)
