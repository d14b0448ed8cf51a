"""The benchmark's plain reference computes the same function, and the same gradients, as the fast model."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from core.cli.bench_command import bench_lines
from core.cohort.modality import Modality
from core.errors import PrognoscopeError
from core.features.batch import Batch, Tensors
from core.features.inputs import Outcome
from core.features.preparation import InputShape
from core.models.hdmoe.config import HDMoEConfig
from core.models.hdmoe.model import HDMoE
from core.results.workspace import Workspace
from core.tasks.bench import BENCHES, BenchResult, run_bench
from core.tasks.bench_cross_validation import tree_memory
from core.tasks.bench_reference import PlainHDMoE, plain_weights
from core.tasks.bench_training import Contest, Variant, contest_rows
from core.training.bins import TimeBins
from core.training.losses import HazardTarget, hazard_nll

G, C, S, V = Modality.GENOMICS, Modality.CLINICAL, Modality.SLIDES, Modality.VOLUMES
SMALL = HDMoEConfig(
    width=64, token_dim=16, n_experts=4, expert_hidden=12, family_hidden=20, alpha=1.0, reorganise_rate=1.0
)
SHAPE = InputShape(((0, 1, 2), (2, 3), (4, 5, 6, 7)), 8, 3, {S: 10, V: 6})
LENGTHS = (1, 140, 23, 300)  # a single patch, more and fewer than the 128 landmarks
CASES = {
    "genomics and clinical": ((G, C), SMALL),
    "reorganised half of the time": ((G, C), replace(SMALL, reorganise_rate=0.5)),
    "slides and genomics": ((G, S), SMALL),
    "all, two experts a token": ((S, G, V, C), replace(SMALL, top_k=2)),
    "one token a modality, as released": ((G, S), replace(SMALL, compat="upstream")),
    "slides, nothing but the head": (
        (S,),
        replace(SMALL, de_redundancy=False, reorganise1=False, reorganise2=False, decoupling=False),
    ),
}


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # small products: a second thread only waits
    yield
    torch.set_num_threads(threads)


def example(modalities: tuple[Modality, ...], missing: bool) -> tuple[Tensors, Outcome]:
    random = np.random.default_rng(3)
    n = len(LENGTHS)
    present = {m: torch.ones(n, dtype=torch.bool) for m in modalities}
    if missing:
        present[modalities[0]][1] = False
    bags = {m: [random.normal(size=(k, SHAPE.bags[m])).astype(np.float32) for k in LENGTHS] for m in (S, V)}
    tensors = Tensors(
        present,
        torch.from_numpy(random.normal(size=(n, SHAPE.genes)).astype(np.float32)),
        torch.from_numpy(random.normal(size=(n, SHAPE.clinical)).astype(np.float32)),
        {m: bags[m] for m in modalities if m in bags},
        SHAPE.bags,
    )
    time, event = np.array([3.0, 30.0, 14.0, 70.0]), np.array([1, 0, 1, 1])
    return tensors, Outcome(np.zeros(n), time, event)


def both(modalities: tuple[Modality, ...], config: HDMoEConfig) -> tuple[HDMoE, PlainHDMoE]:
    torch.manual_seed(5)
    fast = HDMoE(SHAPE, modalities, 4, config)
    for name, parameter in fast.named_parameters():
        if name.endswith(("bias", "b1", "b2", "class_token")):  # zeros would hide a mistake
            nn.init.normal_(parameter, std=0.3)
    plain = PlainHDMoE(fast, SHAPE)
    for module in (*fast.modules(), *plain.modules()):
        if isinstance(module, nn.Dropout | nn.AlphaDropout):
            module.p = 0.0
    return fast, plain


def patients(tensors: Tensors) -> list[Batch]:
    return [tensors.batch(np.array([i])) for i in range(len(LENGTHS))]


@pytest.mark.parametrize("case", CASES)
def test_evaluation_equals_enumeration(case: str) -> None:
    modalities, config = CASES[case]
    fast, plain = both(modalities, config)
    tensors, _ = example(modalities, missing=config.compat == "paper")
    with torch.no_grad():
        logits = fast.eval()(tensors.batch(np.arange(len(LENGTHS)))).logits
        expected = torch.stack([plain.eval().averaged(p) for p in patients(tensors)])
    assert expected.std() > 0.05
    assert (logits - expected).abs().max() < 1e-4


@pytest.mark.filterwarnings("ignore:TF32:UserWarning")
@pytest.mark.parametrize("case", [c for c in CASES if CASES[c][1].reorganise_rate == 1])
def test_training_loss_and_gradients_are_equal(case: str) -> None:
    modalities, config = CASES[case]
    fast, plain = both(modalities, config)
    tensors, outcome = example(modalities, missing=config.compat == "paper")
    bins = TimeBins((0.0, 12.0, 24.0, 60.0, 100.0))
    torch.manual_seed(11)  # without dropout the segment counts are all the model draws
    output = fast.train()(tensors.batch(np.arange(len(LENGTHS))))
    loss = hazard_nll(output.logits, HazardTarget.of(outcome, bins, "published")) + sum(output.auxiliary.values())
    loss.backward()
    torch.manual_seed(11)
    n = len(LENGTHS)
    first, second = ([s[int(i)] for i in torch.randint(len(s), (n,))] for s in (fast.segments1, fast.segments2))
    targets = list(zip(bins.index(outcome.time).tolist(), outcome.event.tolist(), strict=True))
    # oneDNN's gradient of the plain depth-wise kernel is off by percents at some lengths (torch 2.13.0)
    with torch.backends.mkldnn.flags(enabled=False):
        expected = plain.train().loss(patients(tensors), targets, list(zip(first, second, strict=True)))
        expected.backward()
    assert loss.item() == pytest.approx(expected.item(), abs=1e-5)
    gradients = plain_weights(
        {k: torch.zeros_like(p) if p.grad is None else p.grad for k, p in fast.named_parameters()}
    )
    assert gradients.keys() == dict(plain.named_parameters()).keys()
    for name, parameter in plain.named_parameters():
        reference = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
        assert (gradients[name] - reference).abs().max() <= 1e-4 * reference.abs().max() + 1e-7, name


def test_the_benchmark_compares_equal_functions_and_divides_times() -> None:
    variants = (Variant("fp32", 2, 1.0), Variant("bf16, sampled", 3, 1.0, True, 4))
    rows = contest_rows(Contest("tiny", (S, G), 9, 3, 2, 2, variants), 2, SMALL, (3, 2))
    exact, rounded, *timed = rows
    assert exact.value < 1e-4 < 1e-4 + rounded.value < 0.1
    assert [row.name.split(", ")[-1] for row in timed] == ["2 patients a step", "3 patients a step"]
    for row in timed:
        assert row.unit == "ms/patient"
        assert row.reference == timed[0].reference
        assert row.ratio == pytest.approx(row.reference / row.value)
    answer = bench_lines(BenchResult(tuple(rows)))
    assert len(answer) == 2 + len(rows)


def test_memory_of_a_process_includes_its_children() -> None:
    if not Path("/proc/self/smaps_rollup").exists():
        pytest.skip("no /proc/self/smaps_rollup on this system")
    hold = "import sys; x = bytearray(60_000_000); print('ready', flush=True); sys.stdin.read()"
    before = tree_memory(os.getpid())
    with subprocess.Popen([sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout.readline() == b"ready\n"
        grown = tree_memory(os.getpid()) - before
        child.stdin.close()
    assert 55e6 < grown < 120e6


def test_every_benchmark_exists_and_an_unknown_one_is_refused(workspace: Workspace) -> None:
    for place in BENCHES.values():
        module, _, function = place.partition(":")
        assert callable(getattr(import_module(module), function))
    with pytest.raises(PrognoscopeError, match="no benchmark named 'speed'"):
        run_bench("speed", workspace, False, lambda share, message: None)
