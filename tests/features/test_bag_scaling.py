"""Bags: scaled by the training patients, averaged for models of vectors, absent and unmeasured values at the mean."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.features.bag_scaling import BagScaler


def bags(seed: int, n: int = 12, width: int = 4) -> list[np.ndarray | None]:
    random = np.random.default_rng(seed)
    found: list[np.ndarray | None] = [
        (random.normal(random.normal(), 2, (int(k), width)) * [1, 10, 0.1, 1] + [0, 5, 0, 3]).astype(np.float32)
        for k in random.integers(1, 9, n)
    ]
    found[3] = None
    return found


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 1000))
def test_every_patient_counts_the_same_however_many_rows(seed: int) -> None:
    train = [b for b in bags(seed) if b is not None]
    scaler = BagScaler.fit(train, 4)
    means = np.mean([b.mean(axis=0, dtype=float) for b in train], axis=0)
    spread = np.sqrt(np.mean([((b - means) ** 2).mean(axis=0, dtype=float) for b in train], axis=0))
    assert scaler.mean == pytest.approx(means, rel=1e-4, abs=1e-4)
    assert scaler.scale == pytest.approx(1 / spread, rel=1e-3)
    longer = [*train[:-1], np.repeat(train[-1], 50, axis=0)]
    assert BagScaler.fit(longer, 4).mean == pytest.approx(scaler.mean, rel=1e-3, abs=1e-4)


def test_averaged_bags_have_mean_zero_and_unit_spread_in_training() -> None:
    train = bags(1)
    pooled = BagScaler.fit(train, 4).pooled(train)
    present = [i for i, b in enumerate(train) if b is not None]
    assert not pooled[3].any()
    assert pooled[present].mean(axis=0) == pytest.approx(np.zeros(8), abs=1e-5)
    assert pooled[present].std(axis=0) == pytest.approx(np.ones(8), abs=1e-4)


def test_what_was_not_measured_and_what_never_changes_contribute_nothing() -> None:
    random = np.random.default_rng(2)
    train = [random.normal(size=(4, 3)).astype(np.float32) for _ in range(6)]
    for i, bag in enumerate(train):
        bag[:, 1] = np.nan if i % 2 else bag[:, 1]
        bag[:, 2] = 7.0
    scaler = BagScaler.fit(train, 3)
    known = np.mean([b[:, 1].mean() for b in train[::2]])
    assert scaler.mean[1] == pytest.approx(known, rel=1e-5)
    scaled = scaler.transform(train[1])
    assert np.isfinite(scaled).all()
    assert not scaled[:, 1:].any()
    assert np.isnan(train[1][:, 1]).all()  # the bag itself is left as it was
    nobody = BagScaler.fit([None, None], 5)
    assert nobody.pooled([None, train[0][:, :1].repeat(5, axis=1)]).shape == (2, 10)
