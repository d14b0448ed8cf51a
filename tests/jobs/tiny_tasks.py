"""Tasks of a few milliseconds, run by real workers in real child processes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from typing import Any

from core.errors import PrognoscopeError
from core.jobs.arguments import Argument
from core.jobs.task import JobContext, Task
from core.results.workspace import Workspace

NAME = "tests.jobs.tiny_tasks:TASKS"
SECRET = "/home/somebody/patient-4711.svs"


def _units(arguments: Mapping[str, Any], workspace: Workspace, context: JobContext) -> Mapping[str, Any]:
    """``count`` units; each is a file once it is finished, and records the attempt that made it."""
    done = context.folder / "done"
    done.mkdir(exist_ok=True)
    count, pause = int(arguments["count"]), float(arguments.get("pause", 0.0))
    for unit in range(count):
        path = done / f"{unit}"
        if not path.exists():
            time.sleep(pause)
            path.write_text(str(os.getpid()))
        context.progress((unit + 1) / count, f"unit {unit + 1} of {count}")
    return {"units": count, "label": arguments.get("label", "")}


def _family(arguments: Mapping[str, Any], workspace: Workspace, context: JobContext) -> Mapping[str, Any]:
    """A child with a helper of its own; both would go on for an hour, and the helper ignores the polite signal."""
    stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(3600)"
    helper = subprocess.Popen([sys.executable, "-c", stubborn])
    (context.folder / "pids").write_text(f"{os.getpid()} {helper.pid}")
    context.progress(0.5, "working")
    time.sleep(3600)
    return {}


def _refuse(arguments: Mapping[str, Any], workspace: Workspace, context: JobContext) -> Mapping[str, Any]:
    raise PrognoscopeError("3 patients without a time", "column time", "give each a time")


def _break(arguments: Mapping[str, Any], workspace: Workspace, context: JobContext) -> Mapping[str, Any]:
    raise RuntimeError(SECRET)


def _die(arguments: Mapping[str, Any], workspace: Workspace, context: JobContext) -> Mapping[str, Any]:
    os.kill(os.getpid(), 9)
    return {}


TASKS = {
    "units": Task(
        _units,
        {"count": Argument("whole number", required=True), "pause": Argument("number"), "label": Argument("text")},
    ),
    "family": Task(_family),
    "refuse": Task(_refuse),
    "break": Task(_break),
    "die": Task(_die),
}
