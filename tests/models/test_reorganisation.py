"""RFR: a permutation, the paper's definition, and the exact average that evaluation uses."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from core.models.layers.experts import Routed
from core.models.layers.rfr import reorganisation_order, reorganise, segment_counts
from tests.models.literal import literal_rfr
from tests.models.patients import small_model


@st.composite
def shapes(draw: st.DrawFn) -> tuple[int, int, int]:
    """Rows, row length and a number of segments that divides it (also ones that are no power of two)."""
    segments = draw(st.integers(1, 24))
    return draw(st.integers(1, 7)), segments * draw(st.integers(1, 12)), segments


@given(shapes())
def test_reorganisation_is_a_permutation(shape: tuple[int, int, int]) -> None:
    rows, length, segments = shape
    order = reorganisation_order(rows, length, segments)
    assert torch.equal(order.sort().values, torch.arange(rows * length))


@given(shapes(), st.integers(1, 3))
def test_reorganisation_is_the_papers_interleaving(shape: tuple[int, int, int], patients: int) -> None:
    rows, length, segments = shape
    x = torch.randn(patients, rows, length)
    expected = torch.stack([literal_rfr(patient, segments) for patient in x])
    assert torch.equal(reorganise(x, segments), expected)
    assert torch.equal(x.flatten(1)[:, reorganisation_order(rows, length, segments)], expected)


def test_one_segment_changes_nothing_and_others_do() -> None:
    x = torch.arange(2 * 8.0).view(1, 2, 8)
    assert torch.equal(reorganise(x, 1), x.flatten(1))
    assert reorganise(x, 4)[0].tolist() == [0, 1, 8, 9, 2, 3, 10, 11, 4, 5, 12, 13, 6, 7, 14, 15]


def test_segment_counts_are_those_of_the_released_code() -> None:
    assert segment_counts(256) == (1, 2, 4, 8, 16, 32, 64, 128)
    assert segment_counts(512) == (1, 2, 4, 8, 16, 32, 64, 128, 256)
    assert segment_counts(96) == (1, 2, 4, 8, 16, 32)  # three modalities of width 32: divisors only


def test_the_folded_head_is_the_mean_over_all_arrangements() -> None:
    model = small_model()
    routed, shared = torch.randn(5, 16, 4), torch.randn(5, 16, 4)
    width = 64
    assert model.head.weight.shape[1] == 2 * width * 2
    routed, shared = torch.randn(5, 32, 4), torch.randn(5, 32, 4)
    level = Routed(routed, shared, torch.zeros(0), torch.zeros(0), torch.zeros(0))
    rows = torch.stack([routed.flatten(1), shared.flatten(1)], dim=1)
    single = [torch.stack([literal_rfr(r, s) for r in rows]) for s in segment_counts(rows.shape[2])]
    expected = torch.stack([model.head(x) for x in single]).mean(dim=0)
    assert (model._head(level) - expected).abs().max() < 1e-5
    assert (model._head(level) - model.head(single[0])).abs().max() > 1e-3  # the average is not just s = 1
