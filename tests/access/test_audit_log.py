"""Whatever is done to the audit log in the workspace is found, and the last good entry named."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.access import audit_log
from core.access.actor import Actor, acting
from core.access.audit_anchor import Anchor, state_folder
from core.access.audit_check import audit_state, verify
from core.access.audit_entry import Action, Outcome, line_of, now, parse_line, seal
from core.access.audit_log import LOG, AuditError, append, audit_folder, blank, read_id
from core.access.audit_search import Wanted, entries, latest
from core.access.record import record
from core.access.roles import Role
from core.cli.__main__ import main
from core.results.workspace import Workspace

ROOT = Path(__file__).resolve().parents[2]


def fill(workspace: Workspace, count: int = 8) -> Path:
    for number in range(count):
        record(Action.PATIENT_OPENED, workspace, cohort="sample", patient=f"P-{number:08d}")
    return audit_folder(workspace) / LOG


def test_an_untouched_log_is_good(workspace: Workspace) -> None:
    assert audit_state(workspace).good
    assert audit_state(workspace).entries == 0
    fill(workspace)
    found = verify(workspace)
    assert (found.good, found.entries, found.checked) == (True, 8, True)
    assert found.last is not None
    assert found.last.patient == "P-00000007"
    assert audit_state(workspace).good


Tampering = Callable[[list[bytes]], list[bytes]]


@pytest.mark.parametrize(
    ("change", "last_good", "words"),
    [
        (lambda lines: lines[:5], 5, "entries 6 to 8 are missing at the end"),
        (lambda lines: lines[:7], 7, "entry 8 is missing at the end"),
        (lambda lines: lines[:3] + lines[4:], 3, "after entry 3 comes 5"),
        (lambda x: [*x[:2], x[2].replace(b"P-00000002", b"P-00000009"), *x[3:]], 2, "entry 3 was altered"),
        (lambda lines: [*lines[:2], lines[3], lines[2], *lines[4:]], 2, "after entry 2 comes 4"),
        (lambda lines: [*lines[:4], b"no entry", *lines[4:]], 4, "line 5 is no entry"),
        (lambda lines: [*lines, lines[7]], 8, "after entry 8 comes 8"),
        (lambda lines: [], None, "entries 1 to 8 are missing at the end"),
    ],
)  # fmt: skip
def test_edits_and_a_cut_off_end_are_found(
    workspace: Workspace, change: Tampering, last_good: int | None, words: str
) -> None:
    path = fill(workspace)
    lines = path.read_bytes().splitlines()
    path.write_bytes(b"".join(line + b"\n" for line in change(lines)))
    found = verify(workspace)
    assert words in found.problem
    assert (None if found.last is None else found.last.number) == last_good


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(0, 1, exclude_max=True), value=st.integers(0, 255))
def test_no_byte_can_be_changed(workspace: Workspace, place: float, value: int) -> None:
    path = audit_folder(workspace) / LOG
    if not path.is_file():
        fill(workspace)
        shutil.copy(path, path.with_name("whole"))
    whole = path.with_name("whole").read_bytes()
    number = int(place * len(whole))
    altered = whole[:number] + bytes([value]) + whole[number + 1 :]
    path.write_bytes(altered)
    assert verify(workspace).good == (altered == whole)


def test_entries_added_after_a_cut_do_not_cover_it_up(workspace: Workspace) -> None:
    path = fill(workspace)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:5]))
    assert not audit_state(workspace).good  # also by the quick look
    fill(workspace, 6)
    found = verify(workspace)
    assert "after entry 5 comes 9" in found.problem
    assert found.last is not None
    assert found.last.number == 5


def test_an_entry_cannot_be_forged_without_the_key_outside(workspace: Workspace) -> None:
    path = fill(workspace)
    entry, mac = parse_line(path.read_bytes().splitlines()[-1])
    forged = replace(entry, number=9, patient="P-FORGED00", at=now())
    for key in (b"", b"0" * 32, bytes.fromhex(mac)):
        with path.open("ab") as stream:
            stream.write(line_of(forged, seal(key, mac, forged)))
        assert verify(workspace).last == entry
        path.write_bytes(path.read_bytes().rsplit(b"\n", 2)[0] + b"\n")
    assert verify(workspace).good


@pytest.mark.parametrize("begin_anew", [False, True])
def test_a_log_that_was_taken_away_is_missed(workspace: Workspace, begin_anew: bool) -> None:
    fill(workspace)
    shutil.rmtree(audit_folder(workspace))
    if begin_anew:
        fill(workspace, 2)
        assert next(entries(workspace)).action is Action.LOG_CONTINUED
    words = "took the place of an earlier one" if begin_anew else "is gone"
    assert words in verify(workspace).problem
    assert words in audit_state(workspace).problem


def test_a_workspace_put_back_elsewhere_goes_on(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Moved on the same machine it is checked as before; on another machine its log is kept and a new one begins."""
    fill(workspace)
    moved = Workspace(tmp_path / "moved")
    shutil.copytree(workspace.root, moved.root)
    fill(moved, 1)
    assert verify(moved).good
    monkeypatch.setenv("PROGNOSCOPE_STATE", str(tmp_path / "other machine"))
    assert "written on another machine" in verify(moved).problem
    fill(moved, 3)
    assert verify(moved).last is not None
    assert "cannot be checked here" in verify(moved).problem
    kept = [p for p in audit_folder(moved).iterdir() if p.name.startswith("log-")]
    assert len(kept) == 1
    assert len(kept[0].read_bytes().splitlines()) == 9


def test_a_crash_between_the_log_and_its_anchor_is_no_tampering(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(workspace)
    with monkeypatch.context() as patched:
        patched.setattr(Anchor, "move", lambda self, head: None)
        record(Action.EXPORT, workspace)
    assert verify(workspace).good
    fill(workspace, 3)
    found = verify(workspace)
    assert (found.good, found.entries) == (True, 12)


def test_a_line_cut_short_by_a_crash_is_taken_away_and_that_is_recorded(workspace: Workspace) -> None:
    path = fill(workspace)
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"action":"exp')
    fill(workspace, 1)
    assert [e.action for e in latest(workspace, most=2)] == [Action.PATIENT_OPENED, Action.LOG_MENDED]
    assert verify(workspace).good
    path.write_bytes(path.read_bytes()[:-20])  # the same in a line that had been recorded outside is no crash
    assert not verify(workspace).good
    fill(workspace, 1)
    assert not verify(workspace).good


def test_what_cannot_be_recorded_is_not_done(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    path = fill(workspace)
    before = path.read_bytes()

    def full(handle: int, data: bytes) -> int:
        os.pwrite(handle, data[:10], 0)
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(audit_log.os, "write", full)
        with pytest.raises(AuditError, match="No space left"):
            record(Action.EXPORT, workspace)
        assert main(["audit-log", "search"]) == 1
    assert path.read_bytes() == before
    fill(workspace, 1)
    assert verify(workspace).entries == 9


WRITER = """
import sys
from pathlib import Path
from core.access.record import record
from core.access.audit_entry import Action
from core.results.workspace import Workspace
for number in range(60):
    record(Action.COMPUTE, Workspace(Path(sys.argv[1])), cohort="sample", count=number, detail=sys.argv[2])
"""


def test_processes_that_write_at_once_make_one_chain(workspace: Workspace) -> None:
    started = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(workspace.root), f"writer-{n}"], cwd=ROOT) for n in range(4)
    ]
    assert [process.wait(60) for process in started] == [0] * 4
    found = verify(workspace)
    assert (found.good, found.entries) == (True, 240)
    for number in range(4):
        mine = [e.count for e in entries(workspace) if e.detail == f"writer-{number}"]
        assert mine == list(range(60))


def test_free_text_never_reaches_the_disk(workspace: Workspace) -> None:
    canaries = ("Zdzisława Canary", "MRN 4711-CANARY", "canary died at home", "/data/Canary.svs", "1951-02-03")
    who = Actor(canaries[0], Role.VIEWER)
    with acting(who):
        for text in canaries:
            record(Action.EXPORT, workspace, cohort=text, run=text, patient=text, detail=text)
            record(Action.EXPORT, workspace, cohort=text, run=text, patient=text, detail=text)
    data = (audit_folder(workspace) / LOG).read_text()
    assert "Canary" not in data
    assert "CANARY" not in data
    assert "1951-02-03" not in data
    found = list(entries(workspace))
    assert found[0].patient == found[1].patient != found[2].patient  # the same thing is still seen to be the same
    assert found[0].patient.startswith("hidden-")


@pytest.mark.alone
def test_an_entry_costs_less_than_five_milliseconds(workspace: Workspace) -> None:
    fill(workspace, 300)
    times = []
    for _ in range(200):
        begun = time.perf_counter()
        record(Action.EXPORT, workspace, cohort="sample", run="hdmoe-1", patient="P-00000001")
        times.append(time.perf_counter() - begun)
    assert sorted(times)[100] < 0.005


def test_search_and_export(workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fill(workspace)
    with acting(Actor("ada@hospital.org", Role.VIEWER, through="page")):
        record(Action.EXPORT, workspace, Outcome.REFUSED, cohort="sample", detail="csv")
    assert [e.number for e in entries(workspace, Wanted(who="ada@hospital.org", outcome="refused"))] == [9]
    day = now()[:10]
    assert len(list(entries(workspace, Wanted(action="patient-opened", since=day, until=day)))) == 8
    assert list(entries(workspace, Wanted(until="2020"))) == []
    assert main(["audit-log", "search", "--patient", "P-00000003", "--json"]) == 0
    assert [e["number"] for e in json.loads(capsys.readouterr().out)["entries"]] == [4]
    target = tmp_path / "siem.jsonl"
    assert main(["audit-log", "export", "--out", str(target)]) == 0
    lines = [json.loads(line) for line in target.read_text().splitlines()]
    assert [line["number"] for line in lines] == list(range(1, 11))  # the search before it is among them
    assert set(lines[8]) == {"number", "at", "who", "role", "through", "action", "outcome", "cohort", "detail"}
    assert target.stat().st_mode & 0o077 == 0
    assert main(["audit-log", "verify"]) == 0
    path = audit_folder(workspace) / LOG
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:4]))
    capsys.readouterr()
    assert main(["audit-log", "verify", "--json"]) == 1
    assert "the last good entry is number 4" in json.loads(capsys.readouterr().out)["error"]


def test_the_key_lies_outside_the_workspace(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(workspace, 1)
    anchor = Anchor.known(read_id(workspace), workspace)
    assert anchor is not None
    assert not anchor.folder.is_relative_to(workspace.root)
    assert anchor.folder.stat().st_mode & 0o077 == 0
    for path in workspace.root.rglob("*"):
        assert not path.is_file() or anchor.key not in path.read_bytes()
    monkeypatch.setenv("PROGNOSCOPE_STATE", str(workspace.root / "state"))
    with pytest.raises(Exception, match="inside the workspace"):
        append(workspace, blank("local:me", "admin", Action.EXPORT))


def test_a_full_disk_leaves_no_temporary_file(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first entry makes the log's id, its anchor and its key: each may be where the disk ends."""

    def full(*_: object, **__: object) -> int:
        raise OSError(28, "No space left on device")

    def left() -> list[Path]:
        folders = (workspace.root, state_folder(workspace))
        return [p for folder in folders if folder.is_dir() for p in folder.rglob("*.tmp")]

    entry = blank("ada@x.org", "admin", Action.LOGIN)
    for target, name in ((Path, "write_text"), (Path, "chmod"), (os, "fsync")):
        with monkeypatch.context() as broken:
            broken.setattr(target, name, full)
            with pytest.raises((AuditError, OSError)):
                append(workspace, entry)
        assert left() == [], name
    append(workspace, entry)
    assert left() == []
