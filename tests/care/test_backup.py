"""A backup while everything is written, and what comes back of it: all bytes, under way or not, and nothing unsafe."""

from __future__ import annotations

import sqlite3
import threading
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from core.care.backup import How, backup
from core.care.backup_list import holding, list_backups
from core.care.erasure import ask_to_erase, erase
from core.care.needles import KnownNames
from core.care.restore import Opening, restore
from core.cohort.media_index import load_media
from core.cohort.pseudonyms import workspace_secret
from core.cohort.storage import load_cohort, load_original_ids, save_cohort
from core.errors import PrognoscopeError
from core.jobs.queue import JobQueue, JobState
from core.results.files import verify_folder
from core.results.run_store import load_predictions, load_run
from core.results.workspace import Workspace
from tests.care.canary import GONE, Planted, contents
from tests.tasks.scoring_cohort import make_cohort


def test_everything_comes_back_and_works(full: Planted, tmp_path: Path) -> None:
    made = backup(tmp_path / "b.zip", full.workspace)
    assert made.key is not None
    assert (made.path.stat().st_mode & 0o777, made.key.stat().st_mode & 0o777) == (0o600, 0o600)
    assert {words for words, _, _ in made.contents.left_out} == {
        "uploads that were not stored", "sessions of the desktop viewer",
    }  # fmt: skip
    again = Workspace(tmp_path / "again")
    done = restore(made.path, again.root)
    assert contents(again.root) == contents(full.workspace.root)
    assert done.closed == 2
    assert [j.state for j in JobQueue(again).jobs()] == [JobState.CANCELLED] * 2
    assert JobQueue(full.workspace).unfinished()  # those of the living workspace go on
    assert workspace_secret(again) == workspace_secret(full.workspace)
    assert load_original_ids("clinic", again) == load_original_ids("clinic", full.workspace)
    inside = [f.path for f in load_media("clinic", again).of(full.pseudonym) if "unpacked" in f.path]
    assert inside
    assert all(Path(p).is_relative_to(again.root) and Path(p).is_file() for p in inside)
    assert load_cohort("clinic", again).content_hash == load_cohort("clinic", full.workspace).content_hash
    before, after = (load_predictions("hdmoe-clinic", w) for w in (full.workspace, again))
    pd.testing.assert_frame_equal(before.as_table(), after.as_table())
    assert load_run("hdmoe-clinic", again).cohort_hash == load_run("hdmoe-clinic", full.workspace).cohort_hash
    assert (again.protected.stat().st_mode & 0o777, (again.root / "jobs").stat().st_mode & 0o777) == (0o700, 0o700)


def test_nothing_of_the_protected_part_can_be_read_without_its_key(full: Planted, tmp_path: Path) -> None:
    made = backup(tmp_path / "b.zip", full.workspace)
    with zipfile.ZipFile(made.path) as archive:
        everything = b"".join(n.encode() + archive.read(n) for n in archive.namelist())
    originals = load_original_ids("clinic", full.workspace)
    assert not any(o.encode() in everything for o in originals.values())
    assert workspace_secret(full.workspace) not in everything
    assert made.key is not None
    made.key.rename(tmp_path / "elsewhere.key")
    with pytest.raises(PrognoscopeError, match="whose key is missing"):
        restore(made.path, tmp_path / "no")
    (tmp_path / "wrong.key").write_text("prognoscope-backup-key " + "A" * 43 + "=\n")
    with pytest.raises(PrognoscopeError, match="does not open the protected part"):
        restore(made.path, tmp_path / "no", Opening(tmp_path / "wrong.key"))
    assert not (tmp_path / "no").exists()
    restore(made.path, tmp_path / "yes", Opening(tmp_path / "elsewhere.key"))
    restore(made.path, tmp_path / "part", Opening(leave_out=True))
    assert not (tmp_path / "part" / "protected").exists()
    assert load_cohort("clinic", Workspace(tmp_path / "part")).ids


@pytest.mark.parametrize("how", [How(passphrase="correct horse battery"), How(plain=True), How(leave_out=True)])
def test_the_other_ways_to_keep_the_protected_part(full: Planted, how: How, tmp_path: Path) -> None:
    made = backup(tmp_path / "b.zip", full.workspace, how)
    assert made.key is None
    if how.passphrase:
        with pytest.raises(PrognoscopeError, match="passphrase"):
            restore(made.path, tmp_path / "no")
    again = Workspace(tmp_path / "again")
    restore(made.path, again.root, Opening(passphrase=how.passphrase))
    assert (again.protected / "pseudonym.key").is_file() != how.leave_out


def test_it_is_whole_while_others_write(workspace: Workspace, tmp_path: Path) -> None:
    """A cohort is written anew again and again, the queue fills: every backup holds one whole writing of each."""
    save_cohort(make_cohort(300, "busy"), None, workspace)
    queue, stop = JobQueue(workspace), threading.Event()
    queue.submit("routing", {"run": "run-0"}, "Reading the routing")

    def write() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            save_cohort(make_cohort(300, "busy", seed=number), None, workspace)
            queue.submit("routing", {"run": f"run-{number}"}, "Reading the routing")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(4):
            made = backup(tmp_path / f"{number}.zip", workspace)
            assert made.altered == ()
            again = Workspace(tmp_path / f"again-{number}")
            restore(made.path, again.root)
            verify_folder(again.cohort("busy"))
            load_cohort("busy", again)
            with sqlite3.connect(again.root / "jobs" / "queue.sqlite") as connection:
                assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    finally:
        stop.set()
        writer.join()
    assert not list(workspace.root.glob(".snapshot*"))


def test_backups_that_still_hold_an_erased_patient_are_named(full: Planted, tmp_path: Path) -> None:
    backup(tmp_path / "old.zip", full.workspace)
    backup(tmp_path / "moved.zip", full.workspace)
    erase(ask_to_erase("clinic", GONE, full.workspace), full.workspace)
    backup(tmp_path / "new.zip", full.workspace)
    (tmp_path / "moved.zip").rename(tmp_path / "away.zip")
    assert [b.name for b in list_backups(full.workspace)] == ["new.zip", "moved.zip", "old.zip"]
    found = holding(KnownNames([full.pseudonym]), ["clinic"], full.workspace)
    assert [(b.name, sure) for b, sure in found] == [("moved.zip", False), ("old.zip", True)]
