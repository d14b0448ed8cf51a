"""Kill a process with everything it started, at a moment in its work, as ``kill -9`` or the loss of power does.

The processes come from a server that has loaded the libraries once, so that a kill meets the work and not Python's
start. The moment is a share of the time an uninterrupted run took; or, to meet the windows between two renames that no
clock ever hits, the n-th time that the work is about to change a file.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from multiprocessing.connection import Connection
from pathlib import Path

from core.errors import PrognoscopeError
from core.results.workspace import Workspace

PATIENCE_S = 300.0
_PRELOADED = (
    "core.tasks.fault_checks", "core.tasks.encode", "core.tasks.train", "core.tasks.explain_values", "core.tasks.jobs",
    "core.board.bundle", "core.board.report_pdf", "core.cohort.importing", "h5py", "torch._dynamo",
)  # fmt: skip
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_CHANGES = ("os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.link", "os.truncate")


@dataclass(frozen=True)
class Ended:
    """How a process ended: ``killed`` before it was through, else after ``seconds`` and ``steps`` changes of files,
    of which ``renames`` put something in its place."""

    killed: bool
    seconds: float
    steps: int = 0
    renames: tuple[int, ...] = ()


def run_act(act: str, workspace: Workspace, study: Path, after: float | None = None, step: int = 0) -> Ended:
    """Do ``act`` (``module:function``) in a process of its own.

    Parameters
    ----------
    after : float, optional
        Seconds of work after which it is killed.
    step : int
        Which change of a file it is killed before, from 1; 0 = none.

    Raises
    ------
    PrognoscopeError
        When it fails by itself.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(_PRELOADED))
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(act, str(workspace.root), str(study), theirs, step))
    process.start()
    theirs.close()
    said = _heard(ours, PATIENCE_S)
    started = time.monotonic()
    if said == "begun":
        said = _heard(ours, PATIENCE_S if after is None else after)
        if said == "" and after is not None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid or 0, signal.SIGKILL)
    seconds = time.monotonic() - started
    process.join(PATIENCE_S)
    ours.close()
    if said.startswith("done "):
        steps, *renames = map(int, said.split()[1:])
        return Ended(False, seconds, steps, tuple(renames))
    if process.exitcode == -signal.SIGKILL:
        return Ended(True, seconds)
    raise PrognoscopeError(f"work that ended by itself ({said or process.exitcode})", act, "see what it wrote")


def _heard(pipe: Connection, seconds: float) -> str:
    """The next word of the process; empty when none came in time, or it ended without one."""
    try:
        return str(pipe.recv()) if pipe.poll(seconds) else ""
    except EOFError:
        return "ended"


def _work(act: str, root: str, study: str, pipe: Connection, step: int) -> None:
    os.setsid()  # what it starts ends with it
    os.environ["PROGNOSCOPE_WORKSPACE"] = root
    module, _, function = act.partition(":")
    work = getattr(import_module(module), function)
    steps = _Steps(root, step)
    sys.addaudithook(steps)
    pipe.send("begun")
    try:
        work(Workspace(Path(root)), Path(study))
    except Exception as error:  # noqa: BLE001  told to whoever started it
        pipe.send(f"failed: {error}")
        return
    pipe.send(" ".join(map(str, ("done", steps.count, *steps.renames))))


class _Steps:
    """Counts changes of files below a folder, and kills this process before one of them."""

    def __init__(self, root: str, fatal: int) -> None:
        self.root, self.fatal, self.count = root, fatal, 0
        self.renames: list[int] = []

    def __call__(self, event: str, arguments: tuple[object, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            if not (isinstance(flags, int) and flags & _WRITES):
                return
        elif event in _CHANGES:
            path = arguments[0]
        else:
            return
        if isinstance(path, str | os.PathLike) and str(path).startswith(self.root):
            self.count += 1
            if event == "os.rename":
                self.renames.append(self.count)
            if self.count == self.fatal:
                os.killpg(0, signal.SIGKILL)
