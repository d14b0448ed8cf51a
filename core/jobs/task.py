"""Tasks by name: the table is found by its own name, so that this layer needs to import none of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from core.errors import PrognoscopeError
from core.jobs.arguments import Argument, check_arguments
from core.results.workspace import Workspace

TASKS = "core.tasks.jobs:TASKS"
"""Where the application's table of tasks is."""
UNITS = "units"
"""Folder in a job's folder for finished units of work; kept through a crash, removed when the job has ended."""


@dataclass(frozen=True)
class JobContext:
    """What a running task is given.

    ``progress(share, text)`` tells how far it is (share 0 to 1; the text without patient data or paths) ·
    ``folder`` the job's own folder: finished units kept there are found again when the job is taken up after a crash.
    """

    progress: Callable[[float, str], None]
    folder: Path


Run = Callable[[Mapping[str, Any], Workspace, JobContext], Mapping[str, Any]]


@dataclass(frozen=True)
class Task:
    """A function with the arguments it takes; it returns plain JSON values."""

    run: Run
    arguments: Mapping[str, Argument] = field(default_factory=dict)

    def __call__(self, arguments: Mapping[str, Any], workspace: Workspace, context: JobContext) -> Mapping[str, Any]:
        """Do the work."""
        return self.run(arguments, workspace, context)


def find_task(name: str, table: str = TASKS) -> Task:
    """The task called ``name`` of a table ``module:NAME``. Importing a table must cost nothing: tasks load late."""
    module, _, attribute = table.partition(":")
    tasks: Mapping[str, Task] = getattr(import_module(module), attribute)
    if name not in tasks:
        raise PrognoscopeError(f"no task named {name!r}", "the table of tasks", f"use one of {', '.join(tasks)}")
    return tasks[name]


def check_task(name: str, arguments: Mapping[str, Any], table: str = TASKS) -> None:
    """Raise when there is no such task or it does not take these arguments."""
    check_arguments(name, find_task(name, table).arguments, arguments)
