"""Getting written entries onto the disk itself, a moment after they were handed to the system.

What is handed to the system survives the end of any process; only a power cut can take it, and for that a disk needs
10 ms that nobody should wait for. So one thread a process asks the disk a fifth of a second later, for all entries
written meanwhile, first the log and then its end outside the workspace.
"""

from __future__ import annotations

import atexit
import os
import threading
from dataclasses import dataclass, field
from pathlib import Path

WAIT_SECONDS = 0.2


@dataclass
class _Pending:
    """Files to be brought to disk, in their order, and what went wrong the last time."""

    condition: threading.Condition = field(default_factory=threading.Condition)
    files: dict[Path, None] = field(default_factory=dict)
    failed: OSError | None = None
    thread: threading.Thread | None = None
    pid: int = 0


_pending = _Pending()


def bring_to_disk(*files: Path) -> None:
    """See to it within :data:`WAIT_SECONDS`; raises what kept an earlier call's files from the disk."""
    global _pending
    if _pending.pid != os.getpid():  # a forked process has neither the thread nor a lock in a known state
        _pending = _Pending(pid=os.getpid())
    with _pending.condition:
        failed, _pending.failed = _pending.failed, None
        _pending.files |= dict.fromkeys(files)
        if _pending.thread is None or not _pending.thread.is_alive():
            _pending.thread = threading.Thread(target=_run, args=(_pending,), daemon=True, name="audit-sync")
            _pending.thread.start()
    if failed is not None:
        raise failed


def _run(pending: _Pending) -> None:
    while True:
        with pending.condition:
            pending.condition.wait(WAIT_SECONDS)
            if not pending.files:
                pending.thread = None
                return
        _sync(pending)


def _sync(pending: _Pending) -> None:
    with pending.condition:
        files, pending.files = list(pending.files), {}
    for path in files:
        try:
            handle = os.open(path, os.O_RDONLY)
        except FileNotFoundError:  # the workspace was removed meanwhile
            continue
        try:
            os.fdatasync(handle)
        except OSError as error:
            pending.failed = error
        finally:
            os.close(handle)


@atexit.register
def _at_exit() -> None:
    if _pending.pid == os.getpid():
        _sync(_pending)
