"""What goes wrong with a disk, a file or a second server is said in one sentence, and the command fails."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from core.results.run_store import list_runs
from core.results.workspace import Workspace
from core.tasks.fault_study import NAME
from core.tasks.provenance import ROOT

PATIENCE_S = 240.0
_SMALL_DISK = 1 << 12
"""Bytes a file may have in place of a full disk: less than a table of the patients."""


@dataclass(frozen=True)
class Message:
    """A command that was to fail: its exit code, what it said, and what is wrong about that ("" = nothing)."""

    name: str
    code: int
    said: str
    wrong: str


def messages(workspace: Workspace, study: Path) -> tuple[Message, ...]:
    """Every trouble in turn, in a workspace that holds a trained run; it is left as it was but for one checkpoint."""
    return (
        _disk_full(workspace, study), _read_only(workspace), _two_servers(workspace), _altered_checkpoint(workspace)
    )  # fmt: skip


def _disk_full(workspace: Workspace, study: Path) -> Message:
    return _asked(
        "disk_full", workspace, ("import", str(study), "--name", "another"),
        ("no room left on the disk", "the audit log cannot be written"), before=_small_files,
    )  # fmt: skip


def _read_only(workspace: Workspace) -> Message:
    words = ("a workspace that cannot be written", "the audit log cannot be written")
    with _unwritable(workspace):
        return _asked("read_only", workspace, ("encode", NAME), words)


def _two_servers(workspace: Workspace) -> Message:
    from core.care.server_lock import hold_workspace

    held = hold_workspace(workspace)
    try:
        return _asked("two_servers", workspace, (), ("another Prognoscope server",), module="core.cli.first_start")
    finally:
        if held is not None:
            held.release()


def _altered_checkpoint(workspace: Workspace) -> Message:
    run = list_runs(workspace)[0]
    path = sorted((workspace.run(run.id) / "checkpoints").glob("fold*.safetensors"))[0]
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    return _asked(
        "altered_checkpoint",
        workspace,
        ("predict", "--run", run.id, "--cohort", NAME),
        ("was altered after it was written",),
    )


def _asked(
    name: str, workspace: Workspace, words: Sequence[str], wanted: Sequence[str],
    before: Callable[[], None] | None = None, module: str = "core.cli",
) -> Message:  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", module, *(["--json"] if module == "core.cli" else []), *words], cwd=ROOT,
        env=_environment(workspace), capture_output=True, text=True, timeout=PATIENCE_S, check=False,
        preexec_fn=before,
    )  # fmt: skip
    said = _sentence(done.stdout, done.stderr)
    return Message(name, done.returncode, said, wrong_with(done.returncode, done.stdout + done.stderr, said, wanted))


def wrong_with(code: int, printed: str, said: str, wanted: Sequence[str]) -> str:
    """What is wrong with how a command failed; "" when it is one clear sentence."""
    if code == 0:
        return "it ended well"
    if code < 0:
        return f"signal {-code}"
    if "Traceback" in printed:
        return "a traceback"
    if not any(words in said for words in wanted):
        return "another sentence"
    return "" if ":" in said else "no advice"


def _sentence(printed: str, errors: str) -> str:
    """The error as JSON says it, else the last line that was printed."""
    lines = [line for line in printed.splitlines() if line.startswith("{")]
    if lines:
        told = json.loads(lines[-1])
        return f"{told.get('error', '')} in {told.get('where', '')}: {told.get('fix', '')}."
    return next((line for line in reversed(errors.splitlines()) if line.strip()), "")


def _environment(workspace: Workspace) -> Mapping[str, str]:
    return {**os.environ, "PROGNOSCOPE_WORKSPACE": str(workspace.root), "OMP_NUM_THREADS": "1",
            "PYTHONDONTWRITEBYTECODE": "1"}  # fmt: skip


def _small_files() -> None:
    """No file of the process may grow: a write fails as on a full disk."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (_SMALL_DISK, _SMALL_DISK))


@contextmanager
def _unwritable(workspace: Workspace) -> Iterator[None]:
    """The workspace mounted read-only onto itself; where that is not allowed, without the right to write."""
    place = str(workspace.root)
    mounted = os.getuid() == 0 and _ran("mount", "--bind", place, place)
    try:
        if mounted:
            _ran("mount", "-o", "remount,ro,bind", place)
        else:
            _without_writing(workspace.root, taken=True)
        yield
    finally:
        if mounted:
            _ran("umount", place)
        else:
            _without_writing(workspace.root, taken=False)


def _ran(*words: str) -> bool:
    return subprocess.run(words, check=False, capture_output=True).returncode == 0


def _without_writing(root: Path, taken: bool) -> None:
    for path in (root, *(p for p in root.rglob("*") if p.is_dir())):
        mode = path.stat().st_mode & 0o777
        path.chmod(mode & ~0o222 if taken else mode | 0o200)
