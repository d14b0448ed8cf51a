"""Fitted models and interrupted trainings on disk: equal bit for bit, whole or absent, never executing."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from core.errors import PrognoscopeError
from core.features.preparation import Preparation
from core.models.estimator import State
from core.models.registry import make_config, model_spec
from core.training import state_files
from core.training.bins import make_bins
from core.training.checkpoint import load_checkpoint, save_checkpoint
from core.training.config import TrainingConfig
from core.training.fit import EpochRecord, Fitter, predict_logits
from core.training.state_files import read_state, write_state
from tests.training.planted import HORIZONS, SMALL, planted_dataset

CONFIG = TrainingConfig(epochs=5, learning_rate=3e-3, balanced=True, patch_sample=8)


class Interrupted(Exception):
    """Somebody pulled the plug."""


def fitter(model: str, seed: int = 1, config: TrainingConfig = CONFIG, data_seed: int = 0) -> Fitter:
    """A fresh fitter on slides, genes and clinic for HDMoE, on genes and clinic for the SNN."""
    dataset = planted_dataset(60, data_seed, missing=0.2, bags=model == "hdmoe")
    preparation = Preparation.fit(dataset.inputs)
    bins = make_bins(dataset.outcome, HORIZONS)
    spec = model_spec(model)
    torch.manual_seed(seed)
    built = spec.build(preparation.shape, preparation.modalities, len(bins), make_config(spec, SMALL[model]))
    return Fitter(built, preparation.tensors(dataset.inputs), dataset.outcome, bins, config, seed)


def weights(trained: Fitter) -> dict[str, torch.Tensor]:
    return trained.model.state_dict()


@pytest.mark.parametrize(("model", "stop"), [("hdmoe", 2), ("snn", 1), ("snn", 4), ("snn", 5)])
def test_an_interrupted_training_ends_like_an_uninterrupted_one(model: str, stop: int, tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.safetensors"
    whole = fitter(model)
    records = whole.run()
    first = fitter(model)

    def save_and_die(record: EpochRecord) -> None:
        save_checkpoint(first, path)
        if record.epoch + 1 == stop:
            raise Interrupted

    with pytest.raises(Interrupted):
        first.run(save_and_die)
    torch.manual_seed(99)  # the resuming process is another one
    second = fitter(model)
    load_checkpoint(second, path)
    assert second.epoch == stop
    assert second.run() == records[stop:]
    assert all(torch.equal(v, weights(second)[k]) for k, v in weights(whole).items())
    logits = [predict_logits(f.model, f.tensors, 60) for f in (whole, second)]
    assert torch.equal(*logits)
    moments = [f.optimizer.state_dict()["state"] for f in (whole, second)]
    for number, values in moments[0].items():
        assert all(torch.equal(v, moments[1][number][k]) for k, v in values.items())


def test_training_really_moves_between_the_epochs(tmp_path: Path) -> None:
    """Without the optimizer's moments the resumed training would differ: the test above can fail."""
    path = tmp_path / "checkpoint.safetensors"
    whole, first, second = fitter("snn"), fitter("snn"), fitter("snn")
    whole.run()

    def save_second(record: EpochRecord) -> None:
        if record.epoch == 1:
            save_checkpoint(first, path)

    first.run(save_second)
    load_checkpoint(second, path)
    second.optimizer.state.clear()
    second.run()
    assert not all(torch.equal(v, weights(second)[k]) for k, v in weights(whole).items())


@pytest.mark.parametrize(
    ("other", "named"),
    [
        ({"seed": 2}, "seed"),
        ({"config": replace(CONFIG, learning_rate=1e-3)}, "config"),
        ({"data_seed": 5}, "outcomes"),
    ],
)
def test_a_checkpoint_of_another_training_is_refused(other: dict, named: str, tmp_path: Path) -> None:
    save_checkpoint(fitter("snn"), tmp_path / "a.safetensors")
    with pytest.raises(PrognoscopeError, match=f"another training \\({named} differs\\)"):
        load_checkpoint(fitter("snn", **other), tmp_path / "a.safetensors")


def test_a_kill_while_writing_leaves_the_old_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "model.safetensors"
    write_state(State({"version": 1}, {"x": np.arange(3.0)}), path)

    def half_written(arrays: dict, where: Path, metadata: dict) -> None:
        Path(where).write_bytes(b"half")
        raise Interrupted

    monkeypatch.setattr(state_files, "save_file", half_written)
    with pytest.raises(Interrupted):
        write_state(State({"version": 2}, {"x": np.arange(4.0)}), path)
    assert read_state(path).settings == {"version": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["model.safetensors"]


def test_arrays_come_back_with_shape_type_and_every_bit(tmp_path: Path) -> None:
    arrays = {
        "scalar": np.asarray(3.5, dtype=np.float32),
        "transposed": np.arange(12.0).reshape(3, 4).T,
        "empty": np.zeros((0, 4), dtype=np.float32),
        "whole numbers": np.array([-1, 2**40]),
        "truth": np.array([True, False]),
        "odd": np.array([np.nan, np.inf, -0.0, 5e-324]),
    }
    settings = {"text": "σ – α", "list": [1, 2.5, None], "deep": {"a": [True]}}
    write_state(State(settings, {k: v for k, v in arrays.items() if k != "empty"}), tmp_path / "a.safetensors")
    found = read_state(tmp_path / "a.safetensors")
    assert found.settings == settings
    for name, array in found.arrays.items():
        assert array.dtype == arrays[name].dtype
        assert array.shape == arrays[name].shape
        assert array.tobytes() == np.asarray(arrays[name], order="C").tobytes()
    write_state(State({"only": "settings"}), tmp_path / "b.safetensors")
    assert not read_state(tmp_path / "b.safetensors").arrays


class Bomb:
    """Unpickling this would write a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return (Path.touch, (self.path,))


def test_files_that_are_not_ours_are_refused_and_never_run(tmp_path: Path) -> None:
    trap = tmp_path / "executed"
    bad = tmp_path / "bad.safetensors"
    for content in (pickle.dumps(Bomb(trap)), b"", b"\x00" * 100, b"version https://git-lfs.github.com/spec/v1\n"):
        bad.write_bytes(content)
        with pytest.raises(PrognoscopeError, match="unreadable checkpoint"):
            read_state(bad)
    assert not trap.exists()
    with pytest.raises(PrognoscopeError, match="unreadable checkpoint"):
        read_state(tmp_path / "absent.safetensors")
    save_file({"x": np.zeros(2)}, bad)
    with pytest.raises(PrognoscopeError, match="without settings"):
        read_state(bad)
    save_file({"x": np.zeros(2)}, bad, metadata={"settings": "{not json"})
    with pytest.raises(PrognoscopeError, match="unreadable checkpoint"):
        read_state(bad)
    save_file({"x": np.zeros(2)}, bad, metadata={"settings": json.dumps([1])})
    with pytest.raises(PrognoscopeError, match="without settings"):
        read_state(bad)
