"""Quick questions to the heavy side: asked here, answered by a worker that stays and keeps its models in memory.

A job costs seconds before it begins; a slider needs its answer at once. The web process itself never loads a model.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.errors import PrognoscopeError
from core.jobs.process import ROOT, end_group
from core.results.workspace import Workspace

TABLE = "core.tasks.resident_worker:requests"
IDLE_SECONDS = 600.0
TIMEOUT_SECONDS = 60.0
MOST_WAITING = 16
"""Requests of one process that may wait for their turn; more are refused rather than kept."""


class Resident:
    """A worker of one workspace and this process's connection to it; safe to be asked from several threads.

    The worker is started by the first request, and again when it has ended: by itself after ``idle`` seconds without
    a request, or because somebody killed it. It ends with the process that owns it.
    """

    def __init__(self, workspace: Workspace, table: str = TABLE, idle: float = IDLE_SECONDS) -> None:
        self.workspace, self.table, self.idle = workspace, table, idle
        self._turn = threading.Lock()
        self._waiting = threading.Semaphore(MOST_WAITING)
        self._process: subprocess.Popen[bytes] | None = None
        self._count = 0

    @property
    def pid(self) -> int | None:
        """Process number of the worker; None when there is none."""
        alive = self._process is not None and self._process.poll() is None
        return self._process.pid if alive and self._process is not None else None

    def ask(self, request: str, arguments: Mapping[str, Any], timeout: float = TIMEOUT_SECONDS) -> Mapping[str, Any]:
        """The answer to one request; others wait for their turn meanwhile.

        Raises
        ------
        PrognoscopeError
            The worker's own failure; or that it ended, or took longer than ``timeout`` seconds (it is then stopped).
        """
        end = time.monotonic() + timeout
        if not self._waiting.acquire(blocking=False):
            raise _busy()
        try:
            if not self._turn.acquire(timeout=timeout):
                raise _busy()
            try:
                return self._answered(request, arguments, end)
            finally:
                self._turn.release()
        finally:
            self._waiting.release()

    def close(self) -> None:
        """End the worker."""
        with self._turn:
            self._end()

    def _answered(self, request: str, arguments: Mapping[str, Any], end: float) -> Mapping[str, Any]:
        self._count += 1
        asked = {"id": self._count, "request": request, "arguments": dict(arguments)}
        line = json.dumps(asked, allow_nan=False).encode() + b"\n"
        found = self._exchanged(line, end)
        if found is None and self._ended_by_itself():  # it was idle too long, in the very moment it was asked
            found = self._exchanged(line, end)
        if found is None:
            self._end()
            raise PrognoscopeError(
                "a worker that was stopped before it could answer", "the resident worker", "ask again: a new one starts"
            )
        answer = json.loads(found)
        if answer["id"] != self._count:
            self._end()
            raise PrognoscopeError("an answer to another request", "the resident worker", "ask again")
        if "error" in answer:
            raise PrognoscopeError(answer["error"], answer["where"], answer["fix"])
        result: Mapping[str, Any] = answer["result"]
        return result

    def _exchanged(self, line: bytes, end: float) -> bytes | None:
        """Send a line and wait for one; None when the worker ended without it."""
        process = self._started()
        assert process.stdin is not None  # noqa: S101  both are pipes
        assert process.stdout is not None  # noqa: S101
        try:
            process.stdin.write(line)
            process.stdin.flush()
        except BrokenPipeError:
            return None
        found = b""
        while not found.endswith(b"\n"):
            left = end - time.monotonic()
            if left <= 0 or not _readable(process.stdout.fileno(), left):
                self._end()
                raise PrognoscopeError(
                    "no answer in time", "the resident worker", "ask again; a long question is better put as a job"
                )
            piece = os.read(process.stdout.fileno(), 1 << 16)
            if not piece:
                return None
            found += piece
        return found

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is None:
            return self._process
        self._end()
        folder = self.workspace.root / "jobs"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        log = os.open(folder / "resident.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        arguments = [str(self.workspace.root.resolve()), "--table", self.table, "--idle", str(self.idle)]
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "core.jobs.resident_loop", *arguments],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )
        finally:
            os.close(log)
        return self._process

    def _ended_by_itself(self) -> bool:
        return self._process is not None and self._process.wait() == 0

    def _end(self) -> None:
        """End what is left of the worker and close its pipes."""
        if self._process is None:
            return
        if self._process.returncode is None:
            end_group(self._process)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except BrokenPipeError:  # what was written last found nobody
                    continue
        self._process = None


_residents: dict[Path, Resident] = {}
_guard = threading.Lock()


def resident(workspace: Workspace) -> Resident:
    """This process's resident worker for a workspace; it is ended with the process."""
    root = workspace.root.resolve()
    with _guard:
        if root not in _residents:
            _residents[root] = Resident(workspace)
            atexit.register(_residents[root].close)
        return _residents[root]


def ask(
    workspace: Workspace, request: str, arguments: Mapping[str, Any], timeout: float = TIMEOUT_SECONDS
) -> Mapping[str, Any]:
    """:meth:`Resident.ask` of the workspace's worker."""
    return resident(workspace).ask(request, arguments, timeout)


def _readable(descriptor: int, seconds: float) -> bool:
    """Whether there is something to read, or an end, within ``seconds``; a server may have thousands of files open."""
    poller = select.poll()
    poller.register(descriptor, select.POLLIN | select.POLLHUP)
    return bool(poller.poll(1000 * seconds))


def _busy() -> PrognoscopeError:
    return PrognoscopeError("too many questions at once", "the resident worker", "wait a moment and ask again")
