"""What can go wrong with a disk: one clear sentence each, and nothing half-written."""

from __future__ import annotations

import json
import os
import resource
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from safetensors.numpy import save_file
from streamlit.testing.v1 import AppTest

import core.results.files as files
from core.care.server_lock import check_free, hold_workspace
from core.cli.__main__ import main
from core.cohort.sample import save_sample
from core.errors import PrognoscopeError
from core.jobs.child import run_job
from core.jobs.ledger import Ledger
from core.jobs.queue import JobQueue
from core.results.files import write_json
from core.results.run_store import save_run
from core.results.trouble import disk_trouble
from core.results.workspace import Workspace
from tests.pages.builders import make_predictions, make_run, page, save_sample_run
from tests.pages.test_page_states import html

ROOT = Path(__file__).resolve().parents[2]


def cli(workspace: Workspace, *words: str, before: Callable[[], None] | None = None) -> dict[str, str]:
    """A command in a process of its own; the sentence it fails with."""
    environment = {**os.environ, "PROGNOSCOPE_WORKSPACE": str(workspace.root), "OMP_NUM_THREADS": "1",
                   "XDG_STATE_HOME": str(workspace.root.parent / "state"), "PYTHONDONTWRITEBYTECODE": "1"}  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "core.cli", "--json", *words], cwd=ROOT, env=environment, capture_output=True,
        text=True, timeout=120, check=False, preexec_fn=before,
    )  # fmt: skip
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    return dict(json.loads(done.stdout.splitlines()[-1]))


def small_files() -> None:
    """No file of this process may grow beyond 64 kB: a write fails as on a full disk."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, 1 << 16))


def leftovers(root: Path) -> list[str]:
    found = (p for p in root.rglob("*") if p.name.endswith((".tmp", ".old")))
    return [str(p) for p in found if p.parent.name != "audit"]


def test_a_full_disk_during_an_import_is_one_sentence_and_leaves_no_half(workspace: Workspace) -> None:
    told = cli(workspace, "import", "sample", before=small_files)
    assert told["error"] == "no room left on the disk"
    assert "free some space" in told["fix"]
    assert workspace.names(workspace.cohorts) == ()
    assert leftovers(workspace.root) == []


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[Path]:
    """A file system of 400 kB, where this machine lets one be mounted."""
    place = tmp_path / "tiny"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(place)]
    if os.getuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        pytest.skip("no file system may be mounted here")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_tiny_disk_fills_for_real(tiny: Path) -> None:
    told = cli(Workspace(tiny / "workspace"), "import", "sample")
    # that it failed could not be recorded either: both sentences name the same cause
    assert told["error"] in (
        "no room left on the disk", "the audit log cannot be written (No space left on device)"
    )  # fmt: skip
    assert leftovers(tiny) == []


def test_a_disk_mounted_read_only_is_one_sentence(tiny: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(tiny)], check=True)
    told = cli(Workspace(tiny / "workspace"), "encode", "sample")
    assert told["error"] in (
        "a workspace that cannot be written", "the audit log cannot be written (Read-only file system)"
    )  # fmt: skip
    assert hold_workspace(Workspace(tiny)) is None  # a server still starts, and reads


def test_pages_say_so_too_and_go_on_reading(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    save_sample_run(workspace)

    def refused(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system", "/secret/path")

    monkeypatch.setattr("core.results.views.write_json", refused)
    test = AppTest.from_file(str(page("survival")), default_timeout=30).run()
    shown = html(test)
    assert "A workspace that cannot be written" in shown
    assert "/secret" not in shown
    assert test.get("plotly_chart")  # what is stored is still shown


def test_a_job_on_a_full_disk_fails_with_the_sentence(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    queue = JobQueue(workspace)
    job = queue.submit("verify-erased", {}, "Search")
    monkeypatch.setattr("core.care.erasure.verify_erased", full)
    taken = Ledger(queue.path).take_next()
    assert taken is not None
    assert taken.id == job.id
    assert "no room left on the disk" in run_job(taken, queue, workspace).error


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (sqlite3.OperationalError("database or disk is full"), "no room"),
        (sqlite3.OperationalError("attempt to write a readonly database"), "cannot be written"),
        (RuntimeError("I/O error: No space left on device (os error 28)"), "no room"),
        (OSError(122, "Disk quota exceeded"), "no room"),
        (OSError("32768 requested and 1024 written"), "no room"),
        (PermissionError(13, "Permission denied"), "cannot be written"),
        (FileNotFoundError(2, "No such file"), ""),
        (ValueError("a full sentence"), ""),
    ],
)
def test_libraries_say_it_in_their_own_words(error: Exception, words: str) -> None:
    found = disk_trouble(error)
    assert (words in str(found)) if words else found is None
    outer = ValueError("outer")
    outer.__cause__ = error
    assert (disk_trouble(outer) is None) == (not words)


def test_a_json_that_could_not_be_written_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.json"
    write_json(path, {"old": 1})

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_json(path, {"new": 2})
    assert json.loads(path.read_text()) == {"old": 1}
    assert leftovers(tmp_path) == []


def test_an_altered_model_is_named_and_never_used(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    import numpy as np

    cohort = save_sample(workspace)
    predictions = make_predictions(cohort)

    def models(folder: Path) -> None:
        (folder / "checkpoints").mkdir()
        save_file({"w": np.zeros(3)}, folder / "checkpoints" / "fold0-seed0.safetensors")

    save_run(make_run(cohort, predictions), predictions, workspace, models)
    path = workspace.run("hdmoe-1") / "checkpoints" / "fold0-seed0.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    assert main(["--json", "card", "hdmoe-1", "--to", str(workspace.root / "card.html")]) == 1
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert told["error"] == "checkpoints/fold0-seed0.safetensors was altered after it was written"
    assert "restore it from a backup" in told["fix"]


def test_a_second_server_is_told_so(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.care.server_lock.PATIENCE", 0.1)
    workspace.root.mkdir(parents=True)
    check_free(workspace)
    first = hold_workspace(workspace)
    assert first is not None
    for ask in (check_free, hold_workspace):
        with pytest.raises(PrognoscopeError, match=rf"another Prognoscope server \(process {os.getpid()}\)"):
            ask(workspace)
    first.release()
    check_free(workspace)
