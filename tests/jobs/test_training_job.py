"""A training as a job: killed half-way, taken up again, and ending in the numbers of one that nothing disturbed."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.cohort.sample import save_sample
from core.jobs.job import JobState
from core.jobs.ledger import Ledger
from core.jobs.queue import JobQueue
from core.jobs.task import TASKS
from core.results.evaluation import fold_seed_cs
from core.results.prediction import Predictions
from core.results.run_store import list_runs, load_predictions, load_run
from core.results.training_curve import load_curves, read_curves
from core.results.workspace import Workspace
from core.tasks.provenance import code_version
from core.tasks.train import TrainRequest, train
from tests.jobs.conftest import ended, wait_for

SMALL = {
    "width": 32, "token_dim": 8, "family_hidden": 16, "expert_hidden": 16, "n_experts": 4, "training.epochs": 3,
}  # fmt: skip
REQUEST = TrainRequest("sample", folds="2", seeds=2, settings=SMALL, references=False, processes=1, horizons=())


class StoppedError(Exception):
    """What a test throws into a training."""


def assert_same(one: Predictions, other: Predictions) -> None:
    """Bit for bit."""
    pd.testing.assert_frame_equal(one.table, other.table, check_exact=True)
    np.testing.assert_array_equal(one.survival, other.survival)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, str]:
    """The training, unwatched, in one go."""
    workspace = Workspace(tmp_path_factory.mktemp("undisturbed"))
    save_sample(workspace, patients=100)
    return workspace, train(REQUEST, workspace).id


def test_interrupted_and_watched_training_ends_in_the_same_numbers(
    undisturbed: tuple[Workspace, str], tmp_path: Path
) -> None:
    """Two of four fits, then an interruption; the second attempt fits the other two. Watching changes nothing."""
    workspace, scratch = undisturbed[0], tmp_path / "scratch"
    request = replace(REQUEST, watch=True)

    def stop(share: float, message: str) -> None:
        if share >= 0.4:
            raise StoppedError

    with pytest.raises(StoppedError):
        train(request, workspace, stop, scratch)
    first = {path: path.stat().st_mtime_ns for path in scratch.glob("units/*/fold*.safetensors")}
    assert len(first) == 2
    said: list[str] = []
    run = train(request, workspace, lambda share, message: said.append(message), scratch)
    assert said[0] == "training, 2 of 4 fits found finished"
    assert {path: path.stat().st_mtime_ns for path in first} == first
    plain = load_run(undisturbed[1], workspace)
    assert_same(load_predictions(run.id, workspace), load_predictions(plain.id, workspace))
    assert (run.metrics, run.thresholds, run.references) == (plain.metrics, plain.thresholds, plain.references)
    assert run.warnings == ("interrupted and taken up again: the seconds are those of the last attempt",)
    _check_curves(run.id, workspace)
    assert load_curves(plain.id, workspace) == ()
    # stopped once more, after the run was stored: it is found and not stored twice
    before = len(list_runs(workspace))
    assert train(request, workspace, stop, scratch).id == run.id
    assert len(list_runs(workspace)) == before


def _check_curves(run_id: str, workspace: Workspace) -> None:
    """Each epoch of each fit once, with everything the page shows."""
    points = load_curves(run_id, workspace)
    assert [(p.fold, p.seed, p.epoch) for p in points] == [
        (fold, seed, epoch) for fold in range(2) for seed in range(2) for epoch in range(3)
    ]
    for point in points:
        assert set(point.levels) == {"level 1 · genomics", "level 1 · clinical", "level 2"}
        for level in point.levels.values():
            assert sum(level.load) == pytest.approx(1)
            assert sum(level.gate) == pytest.approx(1)
            assert 0 <= level.entropy <= 1
        assert point.c_train is not None
        assert 0 < point.c_train < 1
        assert point.ibs_held_out is not None
        assert 0 < point.ibs_held_out < 1
    losses = [np.mean([p.loss for p in points if p.epoch == epoch]) for epoch in range(3)]
    assert losses[2] < losses[0]
    # the last held-out C of a fit is that of its stored out-of-fold predictions
    for (fold, seed), c in fold_seed_cs(load_predictions(run_id, workspace)).items():
        last = next(p for p in points if (p.fold, p.seed, p.epoch) == (fold, seed, 2))
        assert last.c_held_out == pytest.approx(c, abs=1e-12)


@pytest.mark.slow
def test_killed_training_job_ends_in_the_same_numbers(
    undisturbed: tuple[Workspace, str], workspace: Workspace, start_application_worker: Callable[[], int]
) -> None:
    """kill -9 of the job's process once a fit is finished; the worker takes the job up again."""
    save_sample(workspace, patients=100)
    version = code_version.__wrapped__()
    queue = JobQueue(workspace, TASKS)
    given = {
        "cohort": "sample", "folds": "2", "seeds": 1, "settings": SMALL, "references": False, "processes": 1,
        "horizons": [],
    }  # fmt: skip
    job = queue.submit("train", given, "HDMoE on the sample cohort")
    start_application_worker()
    wait_for(lambda: queue.get(job.id).share > 0, 100)
    child = Ledger(queue.path).running()[0].pid
    assert child is not None
    os.kill(child, signal.SIGKILL)
    after = ended(queue, job, 100)
    assert (after.state, after.attempts, after.error) == (JobState.DONE, 2, "")
    assert after.result is not None
    plain = load_predictions(undisturbed[1], undisturbed[0]).of_seed(0)
    assert_same(load_predictions(after.result["run"], workspace), plain)
    if code_version.__wrapped__() == version:  # fits of another version of the code are rightly made again
        assert "fits found finished" in queue.log(job.id)
    assert len(read_curves(queue.folder(job.id) / "curves.jsonl")) == 6
    assert not (queue.folder(job.id) / "units").exists()
