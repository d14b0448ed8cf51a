"""Faster ways to run a training: what they may change, and that without them nothing changed."""

from __future__ import annotations

import logging
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch
from torch import nn

from core.cohort.modality import Modality
from core.features.batch import Batch, Tensors
from core.features.preparation import Preparation
from core.models.hdmoe.model import HDMoE
from core.models.layers.dropout import AlphaDropout, Dropout
from core.models.network import SurvivalNetwork
from core.models.output import SurvivalOutput
from core.training.bins import make_bins
from core.training.buckets import bucket, bucketed
from core.training.compiled import compiled, why_not
from core.training.config import AcceleratedTraining, TrainingConfig, training_config
from core.training.estimators import training_from
from core.training.fit import Fitter
from core.training.neural import FittedNeural
from core.training.resident import make_resident
from tests.training.planted import HORIZONS, planted_dataset, small_estimator

CPU = torch.device("cpu")
PLAIN_KEYS = {
    "epochs", "pretrain_epochs", "learning_rate", "weight_decay", "decay", "batch_size", "balanced", "gene_scale",
    "censoring", "patch_sample", "bfloat16", "protocol",
}  # fmt: skip


def fitted(config: TrainingConfig, bags: bool = True, name: str = "hdmoe") -> FittedNeural:
    dataset = planted_dataset(40, missing=0.2, bags=bags)
    found = small_estimator(name, config).fit(dataset.inputs, dataset.outcome, HORIZONS, 3)
    assert isinstance(found, FittedNeural)
    return found


def weights(found: FittedNeural) -> dict[str, np.ndarray]:
    return {k: v.numpy() for k, v in found.network.state_dict().items()}


def test_a_training_without_them_is_told_apart_as_before() -> None:
    assert set(asdict(TrainingConfig())) == PLAIN_KEYS
    for given in ({}, {"training.compile": False}, {"training.epochs": 3, "training.resident": False}):
        assert type(training_from(given)[1]) is TrainingConfig
    asked = training_from({"training.compile": True, "training.epochs": 3})[1]
    assert isinstance(asked, AcceleratedTraining)
    assert asked.acceleration.compile
    assert training_config(asdict(asked)) == asked
    assert training_config(asdict(TrainingConfig(epochs=4))) == TrainingConfig(epochs=4)


def test_resident_features_make_the_same_batches_and_the_same_training() -> None:
    inputs = planted_dataset(30, missing=0.3, bags=True).inputs
    slides = tuple(None if i in (4, 9) else bag for i, bag in enumerate(inputs.bags[Modality.SLIDES]))
    inputs = replace(inputs, bags={Modality.SLIDES: slides})
    tensors: Tensors = Preparation.fit(inputs).tensors(inputs)
    resident = make_resident(tensors, CPU, bfloat16=False)
    for rows in (np.arange(30), np.array([4]), np.array([7, 7, 2])):
        for sample in (None, 3, 1000):
            ours, theirs = (t.batch(rows, sample, torch.Generator().manual_seed(5)) for t in (resident, tensors))
            for modality in theirs.bags:
                assert torch.equal(ours.bags[modality], theirs.bags[modality])
                assert torch.equal(ours.masks[modality], theirs.masks[modality])
            assert all(torch.equal(ours.present[m], theirs.present[m]) for m in theirs.present)
    config = TrainingConfig(epochs=2, batch_size=10, patch_sample=4)
    plain, kept = fitted(config), fitted(AcceleratedTraining(**asdict(config), resident=True))
    assert all(np.array_equal(v, weights(kept)[k]) for k, v in weights(plain).items())


def test_lengths_fall_into_few_buckets() -> None:
    lengths = np.arange(1, 20_000)
    found = np.array([bucket(int(n)) for n in lengths])
    assert (found >= lengths).all()
    assert (found[lengths > 16] <= 1.34 * lengths[lengths > 16]).all()
    assert bucket(10_000) == 10_000
    assert bucket(2_048) == 2_500
    assert bucket(2_040, (2_048,)) == 2_048
    assert len(set(found.tolist())) < 40


def test_a_bucketed_batch_has_the_same_loss_and_gradients() -> None:
    dataset = planted_dataset(40, missing=0.2, bags=True)
    bins = make_bins(dataset.outcome, HORIZONS)
    found = fitted(TrainingConfig(epochs=1))
    model = found.network
    assert isinstance(model, HDMoE)
    for module in model.modules():
        if isinstance(module, Dropout | AlphaDropout | nn.Dropout):
            module.p = 0.0
    tensors = found.preparation.tensors(dataset.inputs)
    fitter = Fitter(model, tensors, dataset.outcome, bins, TrainingConfig(), 0)
    losses, gradients = [], []
    for change in (lambda batch: batch, bucketed):
        batch: Batch = change(tensors.batch(np.arange(40)))
        torch.manual_seed(0)
        output = model.train()(batch)
        loss = fitter.objective.loss(output.logits, np.arange(40)) + sum(output.auxiliary.values())
        model.zero_grad()
        torch.autograd.backward(loss)
        losses.append(float(loss.detach()))
        gradients.append(torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None]))
    longest = max(len(bag) for bag in dataset.inputs.bags[Modality.SLIDES] if bag is not None)
    padded = bucketed(tensors.batch(np.arange(40)))
    assert padded.bags[Modality.SLIDES].shape[1] == bucket(longest) > longest
    assert int(padded.masks[Modality.SLIDES].sum(dim=1).max()) == longest
    assert losses[1] == pytest.approx(losses[0], abs=1e-5)
    assert (gradients[1] - gradients[0]).abs().max() < 1e-4


def test_half_precision_and_buckets_train_on_a_cpu() -> None:
    exact = fitted(TrainingConfig(epochs=3))
    fast = fitted(AcceleratedTraining(epochs=3, bfloat16=True, length_buckets=True, resident=True))
    first, last = fast.history[0].survival_loss, fast.history[-1].survival_loss
    assert last < first
    assert last == pytest.approx(exact.history[-1].survival_loss, rel=0.2)


class OneLayer(SurvivalNetwork):
    """As little to compile as there can be."""

    def __init__(self, genes: int, bins: int) -> None:
        super().__init__()
        self.layer = nn.Linear(genes, bins)

    def forward(self, batch: Batch) -> SurvivalOutput:
        assert batch.genes is not None
        return SurvivalOutput(self.layer(torch.nan_to_num(batch.genes)))


@pytest.mark.slow
@pytest.mark.skipif(bool(why_not(CPU)), reason="no C++ compiler")
def test_a_compiled_training_is_the_same_within_rounding() -> None:
    dataset = planted_dataset(40)
    bins = make_bins(dataset.outcome, HORIZONS)
    tensors = Preparation.fit(dataset.inputs).tensors(dataset.inputs)
    config = TrainingConfig(epochs=3, batch_size=20)
    losses = []
    for each in (config, AcceleratedTraining(**asdict(config), compile=True, length_buckets=True)):
        torch.manual_seed(0)
        fitter = Fitter(OneLayer(14, len(bins)), tensors, dataset.outcome, bins, each, 0)
        losses.append([record.survival_loss for record in fitter.run()])
        assert not fitter.network.note
    assert losses[1] == pytest.approx(losses[0], abs=1e-5)
    assert losses[0][2] < losses[0][0]


def test_without_a_compiler_it_is_said_and_the_training_runs(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("CXX", "/nowhere/c++")
    network = nn.Linear(2, 2)
    with caplog.at_level(logging.WARNING):
        found = compiled(network, CPU)
    assert found.call is network
    assert "no C++ compiler" in found.note
    assert "run as it is" in caplog.text
    config = TrainingConfig(epochs=1)
    plain, asked = fitted(config), fitted(AcceleratedTraining(**asdict(config), compile=True))
    assert all(np.array_equal(v, weights(asked)[k]) for k, v in weights(plain).items())
    assert replace(plain.history[-1]) == asked.history[-1]
