"""Alarms while training: what is measured is what happened, and they sound only after three epochs of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from core.cohort.modality import Modality
from core.models.mice.model import MICE
from core.results.training_alarms import alarms
from core.results.training_curve import CurvePoint, LevelLoad, collapses, read_curves
from core.training.bins import make_bins
from core.training.config import TrainingConfig
from core.training.neural import FittedNeural, NeuralEstimator
from core.training.watch import CurveWriter, drift_of
from tests.training.planted import HORIZONS, SMALL, planted_dataset

POINT = CurvePoint(0, 0, 0, 1.0, 1.0, 0.6, 0.6, 0.2, {}, {}, 0.3, 0.2, {"genomics": 0.4})


def fit(count: int = 3, **changes: object) -> list[CurvePoint]:
    return [replace(POINT, epoch=e, **changes) for e in range(count)]  # type: ignore[arg-type]


def test_nothing_sounds_for_a_training_as_it_should_be() -> None:
    assert alarms(fit()) == ()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"risk_spread": 0.002}, "nearly the same risk"),
        ({"embedding_spread": 0.003}, "nearly at one point"),
        ({"drift": {"genomics": 2.5}}, "up to 2.5 times"),
    ],
)
def test_an_alarm_needs_three_epochs(changes: dict[str, object], words: str) -> None:
    assert alarms(fit(2, **changes)) == ()
    (alarm,) = alarms([*fit(3, **changes), *[replace(p, seed=1) for p in fit(3)]])
    assert words in alarm.words
    assert (alarm.fits, alarm.of) == (1, 2)
    assert alarms([*fit(3, **changes), replace(POINT, epoch=3)]) == ()


def test_a_router_that_keeps_several_collapses_in_its_gate_mass() -> None:
    """Nine of fifteen are always picked; all the weight goes to one."""
    load, gate = [1.0] * 9 + [0.0] * 6, [0.97] + [0.03 / 14] * 14
    points = fit(levels={"overlapping experts": LevelLoad.of(load, gate)})
    assert points[0].levels["overlapping experts"].entropy > 0.8
    (found,) = collapses(points)
    assert found.share == pytest.approx(0.97)
    assert collapses(fit(levels={"overlapping experts": LevelLoad.of(load, [1.0] * 15)})) == ()


def test_drift_is_the_distance_of_the_centres() -> None:
    draw = np.random.default_rng(0)
    real = draw.normal(size=(4000, 3))
    assert drift_of(real, real[::-1]) == pytest.approx(0.0)
    assert drift_of(real, real + np.array([3.0, 0, 0])) == pytest.approx(3 / np.sqrt(3), rel=0.03)


def watched(path: Path, groups: tuple[str, ...]) -> tuple[FittedNeural, CurveWriter]:
    dataset = planted_dataset(80, missing=0.2)
    inputs = replace(dataset.inputs, groups=groups)
    writer = CurveWriter(path, 0, 0, (inputs, dataset.outcome), (inputs, dataset.outcome), np.array([12.0, 24.0]))
    estimator = NeuralEstimator("mice", dict(SMALL["mice"]), TrainingConfig(epochs=1))
    bins = make_bins(dataset.outcome, HORIZONS)
    return estimator.fit_watched(inputs, dataset.outcome, bins, 0, writer), writer


def test_the_numbers_of_an_epoch_are_those_of_its_model(tmp_path: Path) -> None:
    groups = tuple("ab"[i % 2] for i in range(80))
    fitted, writer = watched(tmp_path / "curves.jsonl", groups)
    (point,) = read_curves(tmp_path / "curves.jsonl")
    risk = fitted.predict(writer.train, np.array([12.0])).risk
    of = np.array(writer.train.groups)
    centred = risk - np.where(of == "a", risk[of == "a"].mean(), risk[of == "b"].mean())
    assert point.risk_spread == pytest.approx(centred.std(), rel=1e-5)
    batch = fitted.preparation.tensors(writer.train).batch(np.arange(len(writer.train)))
    with torch.no_grad():
        real, made = fitted.network.stand_ins(batch)["genomics"]
        embedding = fitted.network.embedding(batch)
    has = writer.train.present[Modality.GENOMICS]
    assert point.drift["genomics"] == pytest.approx(drift_of(real.numpy()[has], made.numpy()[has]), rel=1e-4)
    assert embedding is not None
    network = fitted.network
    assert isinstance(network, MICE)
    assert network.hazard_shift is not None
    assert torch.allclose(
        network.head(embedding) + network.hazard_shift[batch.groups], network(batch).logits, atol=1e-6
    )


def test_a_model_that_answers_alike_for_all_has_no_spread(tmp_path: Path) -> None:
    fitted, writer = watched(tmp_path / "first.jsonl", ("a",) * 80)
    with torch.no_grad():
        for parameter in fitted.network.head.parameters():  # type: ignore[union-attr]
            parameter.zero_()
    writer.path = tmp_path / "second.jsonl"
    writer(fitted, fitted.history[0])
    (point,) = read_curves(tmp_path / "second.jsonl")
    assert point.risk_spread == pytest.approx(0.0, abs=1e-9)
    assert point.embedding_spread is not None
    assert point.embedding_spread > 0
