"""Matching of experts, agreement of partitions and alignment of embeddings, against known answers and sklearn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from core.statistics.matching import match_experts
from core.statistics.procrustes import align_to, principal_axes
from core.statistics.rand_index import adjusted_rand, agreement, jaccard_of_group


def test_shuffled_experts_are_found_again() -> None:
    random = np.random.default_rng(0)
    gate = random.dirichlet(np.ones(6), 200)
    order = random.permutation(6)
    noisy = gate[:, order] + random.normal(0, 0.02, (200, 6))
    found = match_experts(gate, noisy)
    assert order[found.order].tolist() == list(range(6))
    assert found.agreement > 0.95
    assert match_experts(gate, random.dirichlet(np.ones(6), 200)).agreement < 0.3


def test_an_expert_that_never_varies_correlates_with_nothing() -> None:
    gate = np.column_stack([np.linspace(0, 1, 9), np.zeros(9), 1 - np.linspace(0, 1, 9)])
    found = match_experts(gate, gate)
    assert found.order.tolist() == [0, 1, 2]
    assert found.correlation.tolist() == pytest.approx([1, 0, 1])


@pytest.mark.parametrize("seed", range(5))
def test_adjusted_rand_equals_sklearn(seed: int) -> None:
    random = np.random.default_rng(seed)
    a, b = random.integers(0, 4, 60), random.integers(0, 3, 60)
    b[:30] = a[:30] % 3
    assert adjusted_rand(a, b) == pytest.approx(adjusted_rand_score(a, b))
    assert adjusted_rand(a, a) == 1.0


def test_the_interval_holds_the_value_and_narrows_with_patients() -> None:
    random = np.random.default_rng(1)
    widths = []
    for n in (40, 640):
        a = random.integers(0, 3, n)
        b = np.where(random.random(n) < 0.2, random.integers(0, 3, n), a)
        found = agreement([(a, b)])
        assert found.value is not None
        assert found.low is not None
        assert found.high is not None
        assert found.low <= found.value <= found.high
        widths.append(found.high - found.low)
    assert widths[1] < widths[0] / 2
    assert agreement([]).value is None


def test_jaccard_of_one_group() -> None:
    a, b = np.array([0, 0, 0, 1, 1]), np.array([5, 5, 7, 7, 7])
    assert jaccard_of_group(a, b, 0) == pytest.approx(2 / 3)
    assert np.isnan(jaccard_of_group(a, b, 9))


def test_a_rotated_embedding_comes_back() -> None:
    random = np.random.default_rng(2)
    a = random.normal(size=(50, 5))
    turn = np.linalg.qr(random.normal(size=(5, 5)))[0]
    found = align_to(a, 3 * a @ turn + 7)
    assert found.explained == pytest.approx(1)
    assert np.allclose(found.values, a)
    assert align_to(a, random.normal(size=(50, 5))).explained < 0.5
    scores, share = principal_axes(a @ np.diag([9, 3, 1, 1, 1]))
    assert scores.shape == (50, 2)
    assert share[0] > share[1]
    assert np.allclose(principal_axes(np.ones((4, 1)))[0], 0)
