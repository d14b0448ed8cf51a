"""Clinical columns as numbers: medians, levels and scales of the training patients, and nothing else."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from core.features.clinical import ClinicalEncoder


@pytest.fixture
def train() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "age": [40.0, 50.0, np.nan, 70.0],
            "stage": ["II", "I", "II", None],
            "constant": [3, 3, 3, 3],
            "one level": ["x", "x", None, "x"],
            "transplant": [True, False, False, False],
            "empty": [np.nan] * 4,
        }
    )


def column(encoder: ClinicalEncoder, frame: pd.DataFrame, name: str) -> np.ndarray:
    return encoder.transform(frame)[:, encoder.names.index(name)]


def test_only_columns_that_tell_patients_apart_are_kept(train: pd.DataFrame) -> None:
    assert ClinicalEncoder.fit(train).names == ("age", "stage=I", "transplant=True")


def test_a_missing_number_is_the_training_median(train: pd.DataFrame) -> None:
    encoder = ClinicalEncoder.fit(train)
    filled = np.array([40.0, 50.0, 50.0, 70.0])
    assert column(encoder, train, "age") == pytest.approx((filled - filled.mean()) / filled.std(), abs=1e-6)
    new = train.assign(age=[np.nan, np.inf, 50.0, 50.0])
    assert len(set(column(encoder, new, "age").tolist())) == 1


def test_an_unseen_level_and_a_missing_one_are_the_most_frequent_level(train: pd.DataFrame) -> None:
    encoder = ClinicalEncoder.fit(train)
    new = train.assign(stage=["I", "II", "IV", None])
    assert column(encoder, new, "stage=I").tolist() == [1.0, 0.0, 0.0, 0.0]


def test_whole_numbers_and_nullable_columns_are_numbers() -> None:
    frame = pd.DataFrame({"n": pd.array([1, None, 3, 8], dtype="Int64"), "c": pd.Categorical(["a", "b", "a", None])})
    encoder = ClinicalEncoder.fit(frame)
    assert encoder.names == ("n", "c=b")
    assert np.isfinite(encoder.transform(frame)).all()
    assert column(encoder, frame, "c=b").tolist() == [0.0, 1.0, 0.0, 0.0]


def test_a_new_patient_teaches_nothing(train: pd.DataFrame) -> None:
    encoder = ClinicalEncoder.fit(train)
    before = encoder.transform(train)
    extreme = pd.concat([train, train.assign(age=1e9, stage="XII")], ignore_index=True)
    assert np.array_equal(encoder.transform(extreme)[:4], before)


def test_it_survives_json_and_the_order_of_columns(train: pd.DataFrame) -> None:
    encoder = ClinicalEncoder.fit(train)
    restored = ClinicalEncoder.from_json(json.loads(json.dumps(encoder.as_json())))
    assert restored == encoder
    assert np.array_equal(restored.transform(train[train.columns[::-1]]), encoder.transform(train))


def test_nothing_to_tell_apart_gives_no_columns(train: pd.DataFrame) -> None:
    assert ClinicalEncoder.fit(train[["constant"]]).transform(train).shape == (4, 0)
