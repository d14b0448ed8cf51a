"""A training shared by two processes follows the path of one."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import multiprocessing

from core.cohort.modality import Modality
from core.cohort.storage import save_cohort
from core.features.inputs import build_dataset
from core.results.run_store import list_runs, load_predictions
from core.results.workspace import Workspace
from core.training.bins import make_bins
from core.training.config import TrainingConfig
from core.training.fit import Fitter
from core.training.neural import NeuralEstimator
from core.training.ranks import ALONE, Ranks, shared_by_ranks
from tests.tasks.scoring_cohort import make_cohort

ROOT = Path(__file__).resolve().parents[2]
BOTH = (Modality.GENOMICS, Modality.CLINICAL)
CASES: dict[str, dict[str, Any]] = {
    "biofact": {"width": 16, "hidden": 16, "dropout": 0.0},  # a partial likelihood: its risk sets hold everybody
    "snn": {"width": 16, "family_hidden": 16, "dropout": 0.0},
}


def step(name: str, ranks: Ranks) -> dict[str, torch.Tensor]:
    """The gradients of one step of a small model."""
    cohort = make_cohort(41, "small", 0)
    dataset = build_dataset(cohort, cohort.endpoint(), BOTH)
    estimator = NeuralEstimator(name, CASES[name], TrainingConfig(epochs=1, batch_size=64))
    bins = make_bins(dataset.outcome, (24.0,))
    with shared_by_ranks(ranks):
        fitted = estimator._untrained(dataset.inputs, dataset.outcome, bins, seed=0)
        tensors = fitted.preparation.tensors(dataset.inputs)
        fitter = Fitter(fitted.network, tensors, dataset.outcome, bins, estimator.training, seed=0)
        fitter.run()
        named = dict(fitted.network.named_parameters())
        return {k: p.grad.clone() for k, p in named.items() if p.grad is not None}


def work(rank: int, name: str, world: int, port: int, folder: str) -> None:
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    torch.set_num_threads(1)
    torch.save(step(name, Ranks(rank, world)), Path(folder) / f"{rank}.pt")


@pytest.mark.parametrize("name", CASES)
def test_two_ranks_make_the_step_of_one(name: str, tmp_path: Path) -> None:
    alone = step(name, ALONE)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    multiprocessing.spawn(work, (name, 2, port, str(tmp_path)), nprocs=2)
    both = [torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in (0, 1)]
    assert set(alone) == set(both[0]) == set(both[1])
    whole = torch.cat([alone[k].flatten() for k in alone])
    for shared in both:
        apart = torch.cat([shared[k].flatten() for k in alone]) - whole
        assert float(apart.norm() / whole.norm()) < 1e-5


def test_a_share_of_the_patients_is_worked_on_by_one_rank_alone() -> None:
    rows = np.arange(10, 21)
    shares = [Ranks(rank, 3).share(rows) for rank in range(3)]
    assert sorted(np.concatenate(shares)) == list(range(11))
    assert sum(Ranks(rank, 3).weight(len(s), 11) for rank, s in enumerate(shares)) / 3 == pytest.approx(1)


@pytest.mark.slow
def test_torchrun_trains_and_one_rank_stores(tmp_path: Path) -> None:
    found = []
    for world in (1, 2):
        workspace = Workspace(tmp_path / str(world))
        save_cohort(make_cohort(60, "small", 0), None, workspace)
        command = ["-m", "core.cli", "train", "--cohort", "small", "--model", "snn", "--folds", "2", "--seeds", "1"]
        settings = ["training.epochs=2", "width=16", "family_hidden=16", "dropout=0.0"]
        command += ["--no-references", "--processes", "1", "--horizons", "6"]
        for setting in settings:
            command += ["--set", setting]
        launch = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"] if world == 2 else []
        done = subprocess.run(
            [sys.executable, *launch, *command], cwd=ROOT, check=False, capture_output=True, text=True,
            env={**os.environ, "PROGNOSCOPE_WORKSPACE": str(workspace.root), "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-3000:]
        (run,) = list_runs(workspace)
        found.append(load_predictions(run.id, workspace).table["risk"].to_numpy())
    np.testing.assert_allclose(found[1], found[0], rtol=1e-4, atol=1e-5)
