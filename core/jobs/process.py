"""A child process with everything it starts: begun as a group of its own, ended as one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GRACE_SECONDS = 2.0
"""Between the polite signal and the one that cannot be refused."""


def start_module(module: str, arguments: Sequence[str], output: Path) -> subprocess.Popen[bytes]:
    """Run ``python -m module arguments`` in a session, and so a process group, of its own."""
    with output.open("ab") as stream:
        return subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def has_ended(process: subprocess.Popen[bytes]) -> bool:
    """Whether it has ended, without collecting it: until then nobody else can get its number."""
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def end_group(process: subprocess.Popen[bytes], grace: float = GRACE_SECONDS) -> int:
    """End the process and all of its group, and collect it; returns its exit code.

    The group is signalled before its leader is collected, so the number cannot belong to anybody else by then.
    """
    if not has_ended(process):
        signal_group(process.pid, signal.SIGTERM)
        end = time.monotonic() + grace
        while not has_ended(process) and time.monotonic() < end:
            time.sleep(0.02)
    signal_group(process.pid, signal.SIGKILL)  # also those that a dead leader left behind
    return process.wait()


def signal_group(pid: int, number: int) -> None:
    """Send a signal to a process group; none left is no failure."""
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        return
