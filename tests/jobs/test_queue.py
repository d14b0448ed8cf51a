"""The queue alone: submissions, order, cancelling, arguments; no worker is needed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from core.errors import PrognoscopeError
from core.jobs.job import JobState
from core.jobs.ledger import Ledger
from core.jobs.process import ROOT
from core.jobs.queue import JobQueue

SUBMIT = """
import sys
from pathlib import Path
from core.jobs.queue import JobQueue
from core.results.workspace import Workspace
queue = JobQueue(Workspace(Path(sys.argv[1])), "tests.jobs.tiny_tasks:TASKS")
for number in range(40):
    queue.submit("units", {"count": 1, "label": f"{sys.argv[2]}-{number}"}, "x")
"""


def test_two_processes_that_submit_at_once_lose_nothing(queue: JobQueue) -> None:
    """Also the file itself is made by whichever comes first."""
    command = [sys.executable, "-c", SUBMIT, str(queue.root.parent)]
    processes = [subprocess.Popen([*command, name], cwd=ROOT) for name in ("a", "b")]
    assert [process.wait(timeout=30) for process in processes] == [0, 0]
    jobs = queue.jobs(200)
    assert {str(job.arguments["label"]) for job in jobs} == {f"{name}-{n}" for name in "ab" for n in range(40)}
    assert [job.position for job in jobs] == list(range(1, 81))
    for name in "ab":  # each process's own jobs keep their order
        own = [str(job.arguments["label"]) for job in jobs if str(job.arguments["label"]).startswith(name)]
        assert own == [f"{name}-{n}" for n in range(40)]


def test_cancelled_job_leaves_the_queue_and_the_others_move_up(queue: JobQueue) -> None:
    first, second, third = (queue.submit("units", {"count": n}, "x") for n in (1, 2, 3))
    gone = queue.cancel(second.id)
    assert (gone.state, gone.position, gone.error) == (JobState.CANCELLED, None, "")
    assert (queue.get(first.id).position, queue.get(third.id).position) == (1, 2)
    ledger = Ledger(queue.path)
    taken = [ledger.take_next() for _ in range(3)]
    assert [job.id for job in taken if job is not None] == [first.id, third.id]
    assert taken[2] is None
    ledger.finish(first.id, JobState.DONE, {"units": 1})
    assert queue.cancel(first.id).state is JobState.DONE  # what is finished stays as it is


def test_interrupted_job_goes_back_to_the_front(queue: JobQueue) -> None:
    first, second = (queue.submit("units", {"count": n}, "x") for n in (1, 2))
    ledger = Ledger(queue.path)
    ledger.take_next()
    ledger.give_back(first.id, counted=True)
    assert [job.id for job in queue.jobs()] == [first.id, second.id]
    assert queue.get(first.id).position == 1


def test_same_unfinished_work_is_one_job(queue: JobQueue) -> None:
    first = queue.submit("units", {"count": 1, "pause": 0.5}, "x")
    assert queue.submit("units", {"pause": 0.5, "count": 1}, "sent twice").id == first.id
    assert queue.submit("units", {"count": 2, "pause": 0.5}, "other").id != first.id
    queue.cancel(first.id)
    assert queue.submit("units", {"count": 1, "pause": 0.5}, "again").id != first.id


@pytest.mark.parametrize(
    ("task", "arguments", "words"),
    [
        ("nothing", {}, "no task named 'nothing'"),
        ("units", {"count": 1, "speed": 2}, "unknown argument 'speed'"),
        ("units", {}, "no argument 'count'"),
        ("units", {"count": "3"}, "argument 'count' of another kind"),
        ("units", {"count": True}, "argument 'count' of another kind"),
        ("units", {"count": 1, "label": None}, "argument 'label' of another kind"),
    ],
)
def test_wrong_arguments_are_refused_before_anything_waits(
    queue: JobQueue, task: str, arguments: dict[str, object], words: str
) -> None:
    with pytest.raises(PrognoscopeError, match=words):
        queue.submit(task, arguments, "x")
    assert queue.unfinished() == ()


def test_time_left_is_the_pace_of_this_attempt(queue: JobQueue) -> None:
    """A job taken up at 60 % does not count what an earlier attempt did as its own speed."""
    job = queue.submit("units", {"count": 1}, "x")
    ledger = Ledger(queue.path)
    ledger.take_next()
    assert queue.get(job.id).eta_seconds is None
    ledger.tell(job.id, 0.6, "found again")
    assert queue.get(job.id).eta_seconds is None
    time.sleep(0.5)
    ledger.tell(job.id, 0.8, "on")
    left = queue.get(job.id).eta_seconds
    assert left is not None
    assert 0.35 < left < 0.75


def test_unknown_ids_say_so_and_reach_no_file(queue: JobQueue) -> None:
    queue.submit("units", {"count": 1}, "x")
    for call in (queue.get, queue.log, queue.folder, queue.cancel):
        with pytest.raises(PrognoscopeError, match="no job of this id"):
            call("../../etc")


def test_old_jobs_are_forgotten_with_care(queue: JobQueue) -> None:
    jobs = [queue.submit("units", {"count": n}, "x") for n in range(1, 6)]
    for job in jobs[:4]:
        queue.cancel(job.id)
    gone = Ledger(queue.path).forget_old(keep=2)
    assert len(gone) == 2
    assert jobs[4].id in {job.id for job in queue.jobs()}


def test_folder_is_for_its_owner_alone(queue: JobQueue) -> None:
    job = queue.submit("units", {"count": 1}, "x")
    assert [Path(p).stat().st_mode & 0o077 for p in (queue.root, queue.path, queue.folder(job.id))] == [0, 0, 0]


def test_an_unreadable_queue_is_named(queue: JobQueue) -> None:
    queue.root.mkdir(parents=True)
    queue.path.write_bytes(os.urandom(4096))
    with pytest.raises(PrognoscopeError, match=r"a queue of jobs that cannot be used .* in queue\.sqlite"):
        queue.jobs()


def test_application_table_loads_without_torch() -> None:
    """Submitting checks the arguments in the web process, which must never pay for torch."""
    script = (
        "import sys\nfrom core.jobs.task import check_task\n"
        "check_task('train', {'cohort': 'x', 'settings': {'training.epochs': 2}})\nsys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False).returncode == 0
