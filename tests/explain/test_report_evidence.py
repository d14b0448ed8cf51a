"""Sentences left out: the very estimate without them; experts and weights of the sentences."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from core.cohort.modality import Modality
from core.explain.report_evidence import leave_out, sentence_evidence
from core.explain.run_models import RunModels, UnseenModel
from core.explain.survival_at import survival_at
from core.features.inputs import Inputs
from core.features.preparation import Preparation
from core.models.registry import make_config, model_spec
from core.training.bins import TimeBins
from core.training.neural import FittedNeural
from tests.explain.slide_models import SMALL, STEEP, make_inputs

REPORTS, SLIDES = Modality.REPORTS, Modality.SLIDES
SENTENCES, MONTH = 6, 20.0


def inputs_with_reports(slides: bool) -> Inputs:
    """Eight patients with six sentences each (four flags of the part, then features), and slides where asked."""
    rng = np.random.default_rng(1)
    plain = make_inputs(8, 5)
    flags = np.tile(np.array([[1, 0, 0, 1], [0, 1, 0, 1], [0, 0, 1, 0]], dtype=np.float32), (2, 1))
    bags = tuple(np.hstack([flags, rng.standard_normal((SENTENCES, 4))]).astype(np.float32) for _ in range(8))
    there = np.ones(8, dtype=bool)
    if not slides:
        return replace(plain, modalities=(REPORTS,), present={REPORTS: there}, bags={REPORTS: bags})
    return replace(
        plain, modalities=(SLIDES, REPORTS), present={SLIDES: there, REPORTS: there},
        bags={**plain.bags, REPORTS: bags},
    )  # fmt: skip


def network_of(model: str, inputs: Inputs, seed: int = 0) -> FittedNeural:
    preparation = Preparation.fit(inputs)
    torch.manual_seed(seed)
    bins = TimeBins((0.0, 10.0, 20.0, 40.0))
    config = make_config(model_spec(model), {"width": 32} if model == "snn" else SMALL[model])
    network = model_spec(model).build(preparation.shape, preparation.modalities, len(bins), config).eval()
    head = network.get_submodule("head")
    with torch.no_grad():
        head.weight.mul_(STEEP)
        head.bias.sub_(network(preparation.tensors(inputs).batch(np.array([0]))).logits[0] + 1.0)
    return FittedNeural(model, config, preparation, bins, network)


@dataclass(frozen=True, eq=False)
class HeldModels(RunModels):
    held: tuple[FittedNeural, ...] = ()

    def of_fold(self, fold: int) -> tuple[UnseenModel, ...]:
        return tuple(UnseenModel(fold, seed, m, np.zeros(0, np.int64)) for seed, m in enumerate(self.held))


def run_of(inputs: Inputs, *held: FittedNeural) -> HeldModels:
    run: Any = SimpleNamespace(id="a-run", seeds=tuple(range(len(held))))
    return HeldModels(run, inputs, np.zeros(len(inputs), np.int64), Path(), held)


def estimate(fitted: FittedNeural, inputs: Inputs) -> float:
    with torch.no_grad():
        logits = fitted.network(fitted.preparation.tensors(inputs).batch(np.array([0]))).logits.double()
    return 100 * float(survival_at(fitted, logits, MONTH)[0])


@pytest.mark.parametrize(("model", "slides"), [("hdmoe", True), ("mice", True), ("biofact", False), ("snn", True)])
def test_effect_is_the_estimate_of_the_report_without_the_sentence(model: str, slides: bool) -> None:
    inputs = inputs_with_reports(slides)
    fitted = network_of(model, inputs)
    row = inputs.take(np.array([0]))
    batch = fitted.preparation.tensors(row).batch(np.array([0]))
    found = leave_out(UnseenModel(0, 0, fitted, np.zeros(0, np.int64)), batch, MONTH)
    # the steep head makes .01 points of what single precision leaves open between batches of other sizes
    assert found.whole == pytest.approx(estimate(fitted, row), abs=1e-2)
    bag = inputs.bags[REPORTS][0]
    assert bag is not None
    for i in range(SENTENCES):
        shorter = replace(row, bags={**row.bags, REPORTS: (np.delete(bag, i, axis=0),)})
        assert found.without[i] == pytest.approx(estimate(fitted, shorter), abs=1e-2)
    nothing = {**row.present, REPORTS: np.array([False])}
    without = replace(row, present=nothing, bags={**row.bags, REPORTS: (None,)})
    assert found.masked == pytest.approx(estimate(fitted, without), abs=1e-2)
    assert np.ptp(found.without) > 0


def test_weights_experts_and_spread_over_the_models() -> None:
    inputs = inputs_with_reports(slides=True)
    held = [network_of("hdmoe", inputs, seed) for seed in (0, 1)]
    found = sentence_evidence(run_of(inputs, *held), "P0", MONTH)
    assert found.read
    assert found.effect.shape == (2, SENTENCES)
    assert found.weight is not None
    assert found.weight.sum() == pytest.approx(1.0, abs=1e-5)
    assert all("(level 2, first model)" in e for e in found.experts)
    assert found.prediction == pytest.approx(np.mean([estimate(m, inputs.take(np.array([0]))) for m in held]), abs=1e-2)


def test_a_model_that_learns_from_reports_but_does_not_read_them_says_so() -> None:
    inputs = inputs_with_reports(slides=True)
    found = sentence_evidence(run_of(inputs, network_of("biofact", inputs)), "P0", MONTH)
    assert not found.read
    assert not found.effect.any()
    assert found.weight is None
    assert set(found.experts) == {""}


def test_what_batches_of_other_sizes_round_otherwise_is_no_effect(monkeypatch: pytest.MonkeyPatch) -> None:
    """In single precision an estimate differs in its last digits with the patients it is computed beside."""
    random = torch.Generator().manual_seed(0)

    def rounded(fitted: FittedNeural, logits: torch.Tensor, month: float) -> torch.Tensor:
        exact = survival_at(fitted, logits, month)
        return exact + 2e-7 * torch.randn(exact.shape, generator=random, dtype=exact.dtype)

    monkeypatch.setattr("core.explain.report_evidence.survival_at", rounded)
    inputs = inputs_with_reports(slides=True)
    found = sentence_evidence(run_of(inputs, network_of("biofact", inputs)), "P0", MONTH)
    assert not found.read
    assert not found.effect.any()
    assert not found.masked.any()
    assert sentence_evidence(run_of(inputs, network_of("hdmoe", inputs)), "P0", MONTH).effect.all()


def test_named_experts_are_judged_over_all_models() -> None:
    inputs = inputs_with_reports(slides=False)
    found = sentence_evidence(run_of(inputs, *(network_of("biofact", inputs, s) for s in (0, 1))), "P0", MONTH)
    assert found.read
    assert {e.split(" ")[0] for e in found.experts} <= {"liver", "tumour"}
