"""The class-token encoders: squaring, PPEG on each bag's own grid, attention of repeated patches, padding."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from core.models.layers.nystrom import Lengths
from core.models.layers.transmil import ClassTokenEncoder, square_index
from tests.models.literal import literal_class_token

WIDTH = 16


def encoder(positions: bool = True) -> ClassTokenEncoder:
    torch.manual_seed(0)
    made = ClassTokenEncoder(WIDTH, heads=2, positions=positions)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter += 0.05 * torch.randn_like(parameter)
    return made.eval()


@given(st.lists(st.integers(1, 60), min_size=1, max_size=4), st.integers(0, 10))
def test_bags_are_squared_by_repeating_their_first_patches(counts: list[int], spare: int) -> None:
    index, mask, side = square_index(torch.tensor(counts), max(counts) + spare)
    for row, n in enumerate(counts):
        edge = math.ceil(math.sqrt(n))
        assert int(side[row]) == edge
        expected = (list(range(n)) + list(range(n)))[: edge * edge]
        assert index[row][mask[row]].tolist() == expected


@pytest.mark.parametrize("positions", [True, False])
@settings(max_examples=15)
@given(counts=st.lists(st.integers(1, 200), min_size=1, max_size=4), spare=st.integers(0, 40))
@torch.no_grad()
def test_any_batch_equals_the_literal_encoder(positions: bool, counts: list[int], spare: int) -> None:
    made = encoder(positions)
    longest = max(counts) + spare
    x = torch.randn(len(counts), longest, WIDTH, generator=torch.Generator().manual_seed(sum(counts)))
    mask = torch.arange(longest)[None] < torch.tensor(counts)[:, None]
    representation, attention = made(x, mask)
    for row, n in enumerate(counts):
        assert (representation[row] - literal_class_token(made, x[row, :n])).abs().max() < 2e-4
        assert float(attention[row, n:].abs().sum()) == 0.0
    assert attention.shape == mask.shape


@pytest.mark.parametrize("count", [1, 4, 5, 10, 17, 50])
@torch.no_grad()
def test_attention_of_a_repeated_patch_is_the_sum_over_its_copies(count: int) -> None:
    made = encoder()
    x = torch.randn(1, count, WIDTH, generator=torch.Generator().manual_seed(count))
    mask = torch.ones(1, count, dtype=torch.bool)
    _, attention = made(x, mask)
    places = _attention_over_places(made, x)
    side = math.ceil(math.sqrt(count))
    copies = side * side - count
    expected = places[:count].clone()
    expected[:copies] += places[count:]
    assert torch.allclose(attention[0], expected, atol=1e-5)
    assert float(attention.sum()) == pytest.approx(float(places.sum()), abs=1e-4)


def _attention_over_places(made: ClassTokenEncoder, x: torch.Tensor) -> torch.Tensor:
    """(side²,) attention of the last layer to every place of the squared bag, by the encoder's own layers."""
    assert made.positions is not None
    index, _, side = square_index(torch.tensor([x.shape[1]]), x.shape[1])
    tokens = torch.cat([made.class_token, x[:, index[0]]], dim=1)
    lengths = Lengths.of(torch.ones(1, tokens.shape[1], dtype=torch.bool), made.landmarks)
    tokens = tokens + made.layer1(made.norm1(tokens), lengths)[0]
    places = torch.ones(1, int(side[0]) ** 2, dtype=torch.bool)
    tokens = torch.cat([tokens[:, :1], made.positions(tokens[:, 1:], places, side)], dim=1)
    _, attention = made.layer2(made.norm2(tokens), lengths, first_only=True)
    assert attention is not None
    return attention[0, 1:]


@torch.no_grad()
def test_the_order_of_patches_matters_only_where_positions_are_used() -> None:
    x = torch.randn(1, 16, WIDTH, generator=torch.Generator().manual_seed(1))
    mask = torch.ones(1, 16, dtype=torch.bool)
    turned = x.flip(1)
    assert (encoder(True)(x, mask)[0] - encoder(True)(turned, mask)[0]).abs().max() > 1e-4
