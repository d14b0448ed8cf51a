"""``jobs`` and ``train --queue`` on the command line."""

from __future__ import annotations

import json
from typing import Any

import pytest

from core.cli.__main__ import main
from core.jobs import supervise
from core.jobs.job import JobState
from core.jobs.ledger import Ledger
from core.jobs.queue import JobQueue
from core.results.workspace import Workspace


@pytest.fixture(autouse=True)
def _no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervise, "ensure_worker", lambda *given: None)


def answer(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any]]:
    """Exit code and the JSON of the last line."""
    code = main([*words, "--json"])
    return code, json.loads(capsys.readouterr().out.splitlines()[-1])


def test_list_log_and_cancel(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    assert answer(capsys, "jobs") == (0, {"jobs": []})
    queue = JobQueue(workspace)
    first = queue.submit("train", {"cohort": "a"}, "First")
    second = queue.submit("train", {"cohort": "b"}, "Second")
    Ledger(queue.path).take_next()
    code, found = answer(capsys, "jobs")
    assert [(job["job"], job["state"], job["position"]) for job in found["jobs"]] == [
        (first.id, "running", None),
        (second.id, "queued", 1),
    ]
    assert main(["jobs"]) == 0
    assert "1 job running · 0 % · 1 waiting" in capsys.readouterr().out
    code, found = answer(capsys, "jobs", "cancel", second.id[:5])
    assert (code, found["state"]) == (0, "cancelled")
    assert queue.get(second.id).state is JobState.CANCELLED
    assert answer(capsys, "jobs", "log", first.id)[1] == {"job": first.id, "log": []}
    code, found = answer(capsys, "jobs", "cancel", "zzz")
    assert (code, found["error"]) == (1, "no jobs whose id begins with 'zzz'")


def test_queued_training_is_refused_before_it_waits(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    main(["import", "sample"])
    code, found = answer(capsys, "train", "--cohort", "sample", "--set", "widht=3", "--queue")
    assert (code, found["error"]) == (1, "unknown setting 'widht'")
    assert JobQueue(workspace).unfinished() == ()
    code, found = answer(capsys, "train", "--cohort", "sample", "--folds", "4", "--set", "width=64", "--queue")
    assert (code, found["state"], found["position"]) == (0, "queued", 1)
    (job,) = JobQueue(workspace).unfinished()
    assert job.arguments["settings"] == {"width": 64}
    assert (job.arguments["folds"], job.arguments["watch"]) == ("4", True)
    assert job.title == "HDMoE on sample, 4-fold × 3 seeds"
    assert "--queue" not in job.arguments["command"]
