"""Real workers and real children: work, cancel, kill, and take up again."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable

import pytest

from core.jobs import supervise
from core.jobs.job import JobState
from core.jobs.ledger import Ledger
from core.jobs.queue import JobQueue
from core.jobs.supervise import WorkerState, ensure_worker, worker_state
from core.jobs.task import UNITS
from core.results.workspace import Workspace
from tests.jobs.conftest import alive, ended, pids_of, running, wait_for
from tests.jobs.tiny_tasks import NAME, SECRET

Start = Callable[[], int]


def test_jobs_run_in_the_order_they_came_and_say_what_they_did(queue: JobQueue, start_worker: Start) -> None:
    jobs = [queue.submit("units", {"count": 2, "label": name}, f"Job {name}") for name in "abc"]
    assert [job.position for job in jobs] == [1, 2, 3]
    start_worker()
    after = [ended(queue, job) for job in jobs]
    assert [job.state for job in after] == [JobState.DONE] * 3
    assert [job.result for job in after] == [{"units": 2, "label": name} for name in "abc"]
    assert [job.started_at for job in after] == sorted(job.started_at for job in after if job.started_at)
    assert all(job.share == 1 and job.attempts == 1 and job.position is None for job in after)
    log = queue.log(jobs[0].id)
    assert [line.split("  ", 1)[1] for line in log.splitlines()] == ["started", " 50 %  unit 1 of 2", "100 %  unit 2 of 2", "done"]  # fmt: skip  # noqa: E501


@pytest.mark.alone
def test_cancel_stops_every_process_of_the_job_and_is_no_failure(queue: JobQueue, start_worker: Start) -> None:
    job = queue.submit("family", {}, "Family")
    waiting = queue.submit("units", {"count": 1}, "After")
    start_worker()
    running(queue, job)
    family = pids_of(queue.folder(job.id) / "pids")
    assert all(alive(pid) for pid in family)
    started = time.monotonic()
    assert queue.cancel(job.id).cancelling
    after = ended(queue, job)
    assert time.monotonic() - started < 5
    assert (after.state, after.error, after.message) == (JobState.CANCELLED, "", "cancelled")
    assert wait_for(lambda: not any(alive(pid) for pid in family), 3.0)
    assert queue.log(job.id).splitlines()[-1].endswith("cancelled")
    assert ended(queue, waiting).state is JobState.DONE  # the worker goes on


def test_killed_child_is_taken_up_from_its_last_finished_unit(queue: JobQueue, start_worker: Start) -> None:
    job = queue.submit("units", {"count": 6, "pause": 0.15}, "Units")
    start_worker()
    running(queue, job)
    child = Ledger(queue.path).running()[0].pid
    assert child is not None
    os.kill(child, signal.SIGKILL)
    after = ended(queue, job)
    assert (after.state, after.attempts) == (JobState.DONE, 2)
    makers = [int((queue.folder(job.id) / "done" / str(unit)).read_text()) for unit in range(6)]
    assert makers[0] == child
    assert makers[-1] != child
    assert makers.index(makers[-1]) == makers.count(child)  # none was made twice, none was lost


def test_killed_worker_is_replaced_and_its_job_taken_up(
    queue: JobQueue, start_worker: Start, workspace: Workspace
) -> None:
    job = queue.submit("units", {"count": 8, "pause": 0.25}, "Units")
    other = queue.submit("units", {"count": 1}, "Next")
    first = start_worker()
    running(queue, job)
    child = Ledger(queue.path).running()[0].pid
    assert child is not None
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: worker_state(workspace) is WorkerState.NONE)
    second = start_worker()
    assert second != first
    assert worker_state(workspace) is WorkerState.ALIVE
    after = ended(queue, job)
    assert (after.state, after.attempts) == (JobState.DONE, 2)
    assert not alive(child)
    makers = {(queue.folder(job.id) / "done" / str(unit)).read_text() for unit in range(8)}
    assert str(child) in makers
    assert len(makers) == 2
    assert ended(queue, other).state is JobState.DONE


def test_child_ends_when_its_worker_is_killed(queue: JobQueue, start_worker: Start) -> None:
    """Nothing computes that nobody looks after, even when no new worker comes."""
    job = queue.submit("family", {}, "Family")
    worker = start_worker()
    running(queue, job)
    family = pids_of(queue.folder(job.id) / "pids")
    os.kill(worker, signal.SIGKILL)
    assert wait_for(lambda: not any(alive(pid) for pid in family), 5.0)
    assert queue.get(job.id).state is JobState.RUNNING  # until somebody notices
    queue.cancel(job.id)
    start_worker()
    assert ended(queue, job).state is JobState.CANCELLED


def test_helpers_of_a_killed_child_end_before_it_is_tried_again(queue: JobQueue, start_worker: Start) -> None:
    job = queue.submit("family", {}, "Family")
    start_worker()
    running(queue, job)
    child, helper = pids_of(queue.folder(job.id) / "pids")
    os.kill(child, signal.SIGKILL)
    wait_for(lambda: queue.get(job.id).attempts == 2)
    assert not alive(helper)
    queue.cancel(job.id)
    assert ended(queue, job).state is JobState.CANCELLED


def test_worker_told_to_stop_gives_the_job_back_uncounted(
    queue: JobQueue, start_worker: Start, workspace: Workspace
) -> None:
    job = queue.submit("units", {"count": 6, "pause": 0.15}, "Units")
    worker = start_worker()
    running(queue, job)
    os.kill(worker, signal.SIGTERM)
    wait_for(lambda: worker_state(workspace) is WorkerState.NONE)
    waiting = queue.get(job.id)
    assert (waiting.state, waiting.position, waiting.attempts) == (JobState.QUEUED, 1, 0)
    start_worker()
    after = ended(queue, job)
    assert (after.state, after.attempts) == (JobState.DONE, 1)


def test_job_that_kills_itself_is_tried_three_times(queue: JobQueue, start_worker: Start) -> None:
    job = queue.submit("die", {}, "Dies")
    start_worker()
    after = ended(queue, job)
    assert (after.state, after.attempts) == (JobState.FAILED, 3)
    assert after.error.startswith("the job was stopped 3 times before it could finish in this machine:")


def test_failures_are_one_sentence_and_the_trace_stays_in_its_file(queue: JobQueue, start_worker: Start) -> None:
    known, unknown = queue.submit("refuse", {}, "Refused"), queue.submit("break", {}, "Broken")
    start_worker()
    refused, broken = ended(queue, known), ended(queue, unknown)
    assert refused.error == "3 patients without a time in column time: give each a time."
    assert broken.error == f"Something unexpected stopped this job; its trace is kept under job {broken.id}."
    assert (refused.state, broken.state, broken.attempts) == (JobState.FAILED, JobState.FAILED, 1)
    assert SECRET not in queue.log(broken.id)
    assert SECRET in (queue.folder(broken.id) / "trace.log").read_text()
    assert not (queue.folder(broken.id) / UNITS).exists()


def test_many_askers_get_one_worker(queue: JobQueue, start_worker: Start, workspace: Workspace) -> None:
    """Two servers on one workspace, each asking several times, share one worker."""
    for server in range(2):
        supervise._starting.clear()  # a server knows nothing of what another has started
        for _ in range(4):
            ensure_worker(workspace, NAME, idle=20.0)
        assert len(supervise._started) == server + 1
    start_worker()
    assert wait_for(lambda: [p.poll() for p in supervise._started].count(None) == 1, 5.0)
    job = queue.submit("units", {"count": 1}, "One")
    assert ended(queue, job).attempts == 1


def test_idle_worker_leaves_and_the_next_submission_brings_one_back(
    queue: JobQueue, start_worker: Start, workspace: Workspace
) -> None:
    start_worker()
    supervise._started[-1].terminate()
    supervise._started[-1].wait(timeout=5)
    ensure_worker(workspace, NAME, idle=0.2)
    supervise._started[-1].wait(timeout=10)
    job = queue.submit("units", {"count": 1}, "Later")
    ensure_worker(workspace, NAME, idle=0.2)
    assert ended(queue, job).state is JobState.DONE
