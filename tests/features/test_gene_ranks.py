"""Rank scaling of genes: only order counts, outliers are harmless, constants say nothing, nothing is relearned."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.cohort.modality import Modality
from core.features.gene_scaling import GeneScaler
from core.features.inputs import Inputs
from core.features.preparation import Preparation


@st.composite
def tables(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Training and new values of three columns: continuous, counts with ties, and 0/1."""
    n, new, seed = draw(st.integers(5, 260)), draw(st.integers(1, 30)), draw(st.integers(0, 10_000))
    random = np.random.default_rng(seed)
    columns = [random.normal(size=n + new), random.integers(0, 6, n + new), random.random(n + new) < 0.2]
    values = np.stack(columns, axis=1).astype(np.float32)
    return values[:n], values[n:]


def stretched(values: np.ndarray) -> np.ndarray:
    """Strictly increasing and strongly curved in every column."""
    return (np.exp(2 * values.astype(np.float64)) * 100 + values).astype(np.float32)


@settings(deadline=None, max_examples=60)
@given(tables())
def test_a_monotone_transform_of_a_column_changes_nothing(table: tuple[np.ndarray, np.ndarray]) -> None:
    train, new = table
    plain, curved = GeneScaler.fit(train), GeneScaler.fit(stretched(train))
    assert np.allclose(plain.transform(train), curved.transform(stretched(train)), atol=1e-5)
    assert np.allclose(plain.transform(new), curved.transform(stretched(new)), atol=1e-5)


@settings(deadline=None, max_examples=30)
@given(tables())
def test_training_values_get_mean_0_and_deviation_1_in_their_order(table: tuple[np.ndarray, np.ndarray]) -> None:
    train, _ = table
    scaled = GeneScaler.fit(train).transform(train)
    for column in range(3):
        if train[:, column].std() == 0:
            assert (scaled[:, column] == 0).all()
            continue
        assert scaled[:, column].mean() == pytest.approx(0, abs=1e-4)
        assert scaled[:, column].std() == pytest.approx(1, abs=1e-3)
        order = np.argsort(train[:, column], kind="stable")
        assert (np.diff(scaled[order, column]) >= 0).all()


def test_an_outlier_moves_nobody_else() -> None:
    random = np.random.default_rng(0)
    values = random.normal(size=(120, 4)).astype(np.float32)
    wild = values.copy()
    wild[values.argmax(axis=0), np.arange(4)] = 36_893.0  # the largest z-score found in TCGA
    assert np.allclose(GeneScaler.fit(values).transform(values), GeneScaler.fit(wild).transform(wild), atol=1e-5)
    assert np.abs(GeneScaler.fit(values).transform(np.full((1, 4), 1e30, dtype=np.float32))).max() < 3
    by_score = GeneScaler.fit(wild, "z-score").transform(wild)
    assert np.abs(by_score).max() > 10  # what ranks are there to prevent


@pytest.mark.parametrize("method", ["rank", "z-score"])
def test_a_constant_column_is_zero_for_everybody(method: str) -> None:
    train = np.column_stack([np.full(50, 7.0), np.arange(50)]).astype(np.float32)
    scaler = GeneScaler.fit(train, method)
    new = np.array([[7.0, 3.0], [-100.0, 3.0], [1e9, 3.0]], dtype=np.float32)
    assert (scaler.transform(new)[:, 0] == 0).all()
    assert (scaler.transform(new)[:, 1] != 0).all()


@pytest.mark.parametrize("method", ["rank", "z-score"])
def test_missing_values_become_the_training_mean_and_teach_nothing(method: str) -> None:
    random = np.random.default_rng(1)
    train = random.normal(3, 2, size=(80, 3)).astype(np.float32)
    with_empty_rows = np.concatenate([train, np.full((40, 3), np.nan, dtype=np.float32)])
    scaler = GeneScaler.fit(train, method)
    assert np.array_equal(GeneScaler.fit(with_empty_rows, method).transform(train), scaler.transform(train))
    holes = np.array([[np.nan, 3.0, np.inf], [-np.inf, 3.0, np.nan]], dtype=np.float32)
    scaled = scaler.transform(holes)
    assert scaled[0, 0] == scaled[0, 2] == scaled[1, 0] == scaled[1, 2] == 0
    assert np.isfinite(scaled).all()
    nothing = GeneScaler.fit(np.full((5, 3), np.nan, dtype=np.float32), method)
    assert (nothing.transform(train) == 0).all()


def test_an_empty_column_among_others_is_zero() -> None:
    train = np.column_stack([np.full(30, np.nan), np.arange(30)]).astype(np.float32)
    scaled = GeneScaler.fit(train).transform(train)
    assert (scaled[:, 0] == 0).all()
    assert scaled[:, 1].std() == pytest.approx(1, abs=1e-3)


def test_a_z_score_is_a_z_score() -> None:
    train = np.random.default_rng(2).normal(5, 3, size=(100, 2)).astype(np.float32)
    scaled = GeneScaler.fit(train, "z-score").transform(train)
    assert np.allclose(scaled, (train - train.mean(axis=0)) / train.std(axis=0), atol=1e-4)


def test_a_restored_preparation_gives_equal_tensors() -> None:
    random = np.random.default_rng(3)
    inputs = Inputs(
        ids=tuple("abcdefghij"),
        modalities=(Modality.GENOMICS,),
        present={Modality.GENOMICS: np.ones(10, dtype=bool)},
        genes=random.normal(size=(10, 6)).astype(np.float32),
        columns=tuple(f"G{i}_rnaseq" for i in range(6)),
        families={"a": (0, 1, 2), "b": (2, 3, 4, 5)},
    )
    fitted = Preparation.fit(inputs)
    restored = Preparation.restore(fitted.as_json(), fitted.arrays())
    assert restored.shape == fitted.shape
    new = inputs.take(np.array([4, 1]))
    found, expected = restored.scaled_genes(new), fitted.scaled_genes(new)
    assert found is not None
    assert expected is not None
    assert found.tobytes() == expected.tobytes()
