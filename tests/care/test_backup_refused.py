"""Backups that cannot be trusted are refused in one sentence; nothing of them is left, nothing outside is touched."""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest

from core.care.archive import MANIFEST, OPEN, verify_archive
from core.care.backup import How, backup
from core.care.restore import restore
from core.care.version import CURRENT
from core.errors import PrognoscopeError
from core.results.workspace import Workspace
from tests.care.canary import Planted, contents


def sentence_of(path: Path, target: Path) -> str:
    """Why it is refused, or nothing."""
    try:
        restore(path, target)
    except PrognoscopeError as error:
        return str(error)
    return ""


def test_a_cut_or_damaged_archive_is_refused_in_one_sentence(full: Planted, tmp_path: Path) -> None:
    made = backup(tmp_path / "b.zip", full.workspace)
    whole = made.path.read_bytes()
    random = np.random.default_rng(5)
    places = [int(p) for p in random.integers(0, len(whole), 40)]
    bad = [whole[: len(whole) // 2], whole[:-1], b"", b"no zip at all"]
    bad += [whole[:p] + bytes([whole[p] ^ 0x55]) + whole[p + 1 :] for p in places]
    refused = 0
    for number, data in enumerate(bad):
        path = tmp_path / f"bad-{number}.zip"
        path.write_bytes(data)
        os.link(f"{made.path}.key", f"{path}.key")
        target = tmp_path / f"out-{number}"
        words = sentence_of(path, target)
        if words:
            refused += 1
            assert "\n" not in words
            assert not target.exists()
        else:  # a byte of the zip's own that says nothing (a time of day): what was restored is whole all the same
            assert contents(target) == contents(full.workspace.root)
    assert refused >= 30
    assert not list(tmp_path.glob(".*.tmp"))


def unsafe(made: Path, target: Path, name: str) -> Path:
    """The same archive with one more file, named in a manifest with the right hashes."""
    with zipfile.ZipFile(made) as old, zipfile.ZipFile(target, "w") as new:
        manifest = json.loads(old.read(MANIFEST))
        for entry in old.namelist():
            if entry != MANIFEST:
                new.writestr(entry, old.read(entry))
        data = b"owned"
        manifest["files"][name] = {"sha256": hashlib.sha256(data).hexdigest(), "size": 5, "mode": 0o600}
        new.writestr(OPEN + name, data)
        text = json.dumps(manifest).encode()
        new.writestr(MANIFEST, text)
        new.comment = hashlib.sha256(text).hexdigest().encode()
    return target


@pytest.mark.parametrize("name", ["../out", "a/../../out", "/etc/out", "a\\..\\out", "C:/out", "./a", "a//b", ""])
def test_no_path_leads_out_of_the_workspace(full: Planted, tmp_path: Path, name: str) -> None:
    made = backup(tmp_path / "b.zip", full.workspace, How(leave_out=True))
    before = {str(p) for p in tmp_path.rglob("*")}
    with pytest.raises(PrognoscopeError, match="cannot be trusted"):
        restore(unsafe(made.path, tmp_path / "evil.zip", name), tmp_path / "target")
    assert {str(p) for p in tmp_path.rglob("*")} - before == {str(tmp_path / "evil.zip")}


def test_an_entry_beside_the_list_or_larger_than_it_is_refused(full: Planted, tmp_path: Path) -> None:
    made = backup(tmp_path / "b.zip", full.workspace, How(leave_out=True))
    with zipfile.ZipFile(made.path, "a") as archive:
        comment = archive.comment
        archive.writestr("files/more", b"x")
        archive.comment = comment
    with pytest.raises(PrognoscopeError, match="does not name"):
        verify_archive(made.path)


def test_newer_archives_taken_places_and_missing_workspaces_are_refused(
    full: Planted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = backup(tmp_path / "b.zip", full.workspace)
    with pytest.raises(PrognoscopeError, match="a file of that name"):
        backup(tmp_path / "b.zip", full.workspace)
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "x").touch()
    with pytest.raises(PrognoscopeError, match="taken"):
        restore(made.path, tmp_path / "taken")
    with pytest.raises(PrognoscopeError, match="nothing to back up"):
        backup(tmp_path / "c.zip", Workspace(tmp_path / "nowhere"))
    monkeypatch.setattr("core.care.version.CURRENT", CURRENT - 1)
    with pytest.raises(PrognoscopeError, match="newer than form"):
        restore(made.path, tmp_path / "newer")


def test_a_full_disk_leaves_no_half_of_a_backup(full: Planted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full_disk(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("core.care.backup.put", full_disk)
    (tmp_path / "to").mkdir()
    with pytest.raises(PrognoscopeError, match="no room left on the disk"):
        backup(tmp_path / "to" / "b.zip", full.workspace)
    assert list((tmp_path / "to").iterdir()) == []
    assert not list(full.workspace.root.glob(".snapshot*"))
