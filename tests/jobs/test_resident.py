"""The resident worker: answers in turn, remembers, ends with its owner, and is replaced when it is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from core.errors import PrognoscopeError
from core.jobs import resident as module
from core.jobs.resident import Resident
from core.results.workspace import Workspace
from tests.jobs.conftest import gone, wait_for
from tests.jobs.resident_table import NAME


@pytest.fixture
def worker(workspace: Workspace) -> Iterator[Resident]:
    found = Resident(workspace, NAME)
    yield found
    found.close()


def test_answers_and_remembers_without_a_second_start(worker: Resident) -> None:
    assert worker.pid is None  # nothing is started before it is needed
    first, second = worker.ask("count", {"text": "größer\n"}), worker.ask("count", {})
    assert (first["asked"], second["asked"]) == (1, 2)
    assert first["pid"] == second["pid"] == worker.pid
    assert first["text"] == "größer\n"


def test_failures_are_sentences_and_do_not_end_it(worker: Resident, workspace: Workspace) -> None:
    with pytest.raises(PrognoscopeError, match="age = 300 in the change: use less"):
        worker.ask("refuse", {})
    with pytest.raises(PrognoscopeError, match="something unexpected") as unexpected:
        worker.ask("fall", {})
    assert "secret" not in str(unexpected.value)
    log = workspace.root / "jobs" / "resident.log"
    assert "ZeroDivisionError" in log.read_text()
    assert log.stat().st_mode & 0o077 == 0
    with pytest.raises(PrognoscopeError, match="no request named 'sing'"):
        worker.ask("sing", {})
    assert worker.ask("count", {})["asked"] == 1


def test_killed_in_the_middle_of_a_request(worker: Resident, workspace: Workspace) -> None:
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(worker.ask, "wait", {"seconds": 60})
        mark = workspace.root / "waiting"
        wait_for(lambda: mark.is_file() and mark.read_text() != "")
        os.kill(int(mark.read_text()), signal.SIGKILL)
        with pytest.raises(PrognoscopeError, match="stopped before it could answer"):
            asked.result(timeout=10)
    assert worker.ask("count", {})["asked"] == 1  # a new one


def test_killed_between_two_requests_nobody_notices(worker: Resident) -> None:
    before = worker.ask("count", {})["pid"]
    os.kill(before, signal.SIGKILL)
    wait_for(lambda: worker.pid is None)
    assert worker.ask("count", {})["pid"] != before


def test_a_request_that_takes_too_long_is_stopped(worker: Resident) -> None:
    pid = worker.ask("count", {})["pid"]
    with pytest.raises(PrognoscopeError, match="no answer in time"):
        worker.ask("wait", {"seconds": 60}, timeout=0.5)
    wait_for(lambda: gone(pid), 5.0)
    assert worker.ask("count", {})["asked"] == 1


def test_threads_wait_for_their_turn(worker: Resident) -> None:
    worker.ask("count", {})
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda i: worker.ask("count", {"text": str(i)}), range(8)))
    assert sorted(f["asked"] for f in found) == list(range(2, 10))
    assert [f["text"] for f in found] == [str(i) for i in range(8)]


def test_more_than_may_wait_are_refused(worker: Resident, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "_waiting", threading.Semaphore(1))
    worker.ask("count", {})
    with ThreadPoolExecutor(1) as pool:
        busy = pool.submit(worker.ask, "wait", {"seconds": 1})
        wait_for(lambda: (worker.workspace.root / "waiting").is_file())
        with pytest.raises(PrognoscopeError, match="too many questions at once"):
            worker.ask("count", {})
        busy.result()


def test_ends_by_itself_and_starts_again(workspace: Workspace) -> None:
    worker = Resident(workspace, NAME, idle=0.3)
    pid = worker.ask("count", {})["pid"]
    wait_for(lambda: worker.pid is None, 5.0)
    assert worker.ask("count", {})["pid"] != pid
    worker.close()


def test_ends_with_the_process_that_owns_it(workspace: Workspace) -> None:
    script = (
        "import sys, os, signal\nfrom pathlib import Path\nfrom core.jobs.resident import Resident\n"
        "from core.results.workspace import Workspace\n"
        f"r = Resident(Workspace(Path({str(workspace.root)!r})), {NAME!r})\n"
        "print(r.ask('count', {})['pid'], flush=True)\nos.kill(os.getpid(), signal.SIGKILL)\n"
    )
    root = Path(module.__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=False)
    pid = int(done.stdout)
    wait_for(lambda: gone(pid), 5.0)


@pytest.mark.alone
def test_the_client_is_light() -> None:
    script = "import core.jobs.resident, core.results.what_if, sys; assert 'torch' not in sys.modules"
    root = Path(module.__file__).parents[2]
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", script], cwd=root, check=True)
    assert time.perf_counter() - started < 20
