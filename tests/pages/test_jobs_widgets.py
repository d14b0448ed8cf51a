"""The jobs on the pages: what is shown in each state, and what its buttons do."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.cli.first_start import MEDIA_TASK, submit_sample_media
from core.jobs import supervise
from core.jobs.database import transaction
from core.jobs.job import JobState
from core.jobs.ledger import Ledger
from core.jobs.lock import ProcessLock
from core.jobs.queue import JobQueue
from core.jobs.worker import WORKER_LOCK
from core.results.workspace import Workspace


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Workspace]:
    """Workspaces for which a worker was asked; none is started."""
    asked: list[Workspace] = []
    monkeypatch.setattr(supervise, "ensure_worker", lambda workspace, *more: asked.append(workspace))
    return asked


def panel(workspace: Workspace) -> AppTest:
    """The panel alone."""

    def script() -> None:
        from core.results.workspace import Workspace
        from pages.widgets.jobs import jobs_panel

        jobs_panel(Workspace.default())

    return AppTest.from_function(script).run()


def html_of(test: AppTest) -> str:
    """All of a page's own HTML."""
    return " ".join(str(element.proto.body) for element in test.get("html"))


def test_panel_without_jobs_says_what_it_is_for(workspace: Workspace) -> None:
    assert "No jobs yet" in html_of(panel(workspace))
    assert not JobQueue(workspace).path.exists()  # looking makes nothing


def test_panel_shows_each_state_and_cancels(workspace: Workspace, started: list[Workspace]) -> None:
    queue, ledger = JobQueue(workspace), Ledger(JobQueue(workspace).path)
    names = ("run <1>", "wait", "fail", "done")
    jobs = {name: queue.submit("train", {"cohort": name}, name) for name in names}
    ledger.take_next()
    ledger.tell(jobs["run <1>"].id, 0.1, "training, fold 1, seed 0")
    time.sleep(0.2)
    ledger.tell(jobs["run <1>"].id, 0.43, "training, fold 2, seed 0")
    ledger.finish(jobs["fail"].id, JobState.FAILED, error="no cohort named 'x' in the workspace: import it.")
    ledger.finish(jobs["done"].id, JobState.DONE, {"cohort": "sample", "run": "hdmoe-1"})
    test = panel(workspace)
    text = html_of(test)
    assert "run &lt;1&gt;" in text
    assert [word in text for word in ("running", "waiting, next to run", "failed", "done")] == [True] * 4
    assert "no cohort named &#x27;x&#x27; in the workspace: import it." in text
    progress: Any = test.get("progress")[0].proto
    assert (progress.value, progress.text) == (43, "training, fold 2, seed 0 · about 5 s left")
    assert {b.label for b in test.button} == {"Cancel", "Open"}
    test.button(key=f"cancel_panel_{jobs['wait'].id}").click().run()
    test.button(key=f"cancel_panel_{jobs['run <1>'].id}").click().run()
    assert queue.get(jobs["wait"].id).state is JobState.CANCELLED
    assert queue.get(jobs["run <1>"].id).cancelling
    assert "stopping" in html_of(test)
    assert test.button(key=f"cancel_panel_{jobs['run <1>'].id}").disabled
    assert started == [workspace]  # somebody has to carry the stop out


def test_panel_says_when_the_worker_is_silent(workspace: Workspace) -> None:
    queue = JobQueue(workspace)
    queue.submit("train", {"cohort": "x"}, "Training")
    lock = ProcessLock(queue.root / WORKER_LOCK)
    assert "The worker is being started" in html_of(panel(workspace))
    assert lock.take()
    assert "worker" not in html_of(panel(workspace))
    Ledger(queue.path).beat()
    with_old_beat(queue)
    assert "has not been heard of for a minute" in html_of(panel(workspace))
    lock.release()


def with_old_beat(queue: JobQueue) -> None:
    """As if the worker had last spoken two minutes ago."""
    with transaction(queue.path) as connection:
        connection.execute("UPDATE worker SET heartbeat = heartbeat - 120")


def test_every_page_tells_of_running_jobs(filled: Workspace, open_page: Callable[..., AppTest]) -> None:
    queue, ledger = JobQueue(filled), Ledger(JobQueue(filled).path)
    assert not any("job" in label for label in bar_labels(open_page("cohort")))
    job = queue.submit("train", {"cohort": "sample"}, "Training")
    queue.submit("train", {"cohort": "sample", "seeds": 1}, "Training")
    ledger.take_next()
    ledger.tell(job.id, 0.43, "training")
    for name in ("cohort", "survival"):
        assert "1 job running · 43 % · 1 waiting" in bar_labels(open_page(name))


def bar_labels(test: AppTest) -> list[str]:
    """What the page's popovers are called."""
    return [str(element.proto.popover.label) for element in test.get("popover")]


def test_first_start_leaves_the_sample_media_to_the_worker_once(workspace: Workspace, started: list[Workspace]) -> None:
    queue = JobQueue(workspace)
    submit_sample_media(workspace)
    submit_sample_media(workspace)
    assert [job.task for job in queue.jobs()] == [MEDIA_TASK]
    queue.cancel(queue.jobs()[0].id)
    submit_sample_media(workspace)  # a person said no
    assert [job.state for job in queue.jobs()] == [JobState.CANCELLED]
    assert started == [workspace, workspace]
