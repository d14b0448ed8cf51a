"""``backup``, ``restore``, ``erase``, ``upgrade`` from the command line; what comes back opens on all pages alike."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.care.error_log import FILE, latest_errors, note_error
from core.cli.__main__ import main
from core.cohort.storage import save_cohort
from core.results.workspace import Workspace
from tests.care.canary import GONE, planted
from tests.pages.builders import page
from tests.tasks.scoring_cohort import make_cohort

PAGES = ("cohort", "survival", "experts", "patient", "board", "train", "compare", "evidence", "system")


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def call(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> dict[str, Any]:
    assert main(["--json", *words]) == code
    return dict(json.loads(capsys.readouterr().out.splitlines()[-1]))


def test_a_restored_workspace_gives_equal_estimates(
    workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Trained models score new patients the same, number for number."""
    save_cohort(make_cohort(80, "one"), None, workspace)
    save_cohort(make_cohort(15, "new", seed=5, prefix="N"), None, workspace)
    words = ("--model", "cox-penalised", "--folds", "2", "--seeds", "1", "--processes", "1", "--no-references")
    run = call(capsys, "train", "--cohort", "one", *words)["run"]
    made = call(capsys, "backup", str(tmp_path / "b.zip"))
    assert (made["protected"], made["altered"]) == ("key", [])
    before = call(capsys, "predict", "--run", run, "--cohort", "new")["patients"]
    call(capsys, "restore", str(tmp_path / "b.zip"), str(tmp_path / "again"))
    monkeypatch.setenv("PROGNOSCOPE_WORKSPACE", str(tmp_path / "again"))
    assert call(capsys, "predict", "--run", run, "--cohort", "new")["patients"] == before
    assert len(before) == 15


def test_every_page_of_a_restored_workspace_opens(
    workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    planted(workspace, tmp_path)
    call(capsys, "backup", str(tmp_path / "b.zip"))
    call(capsys, "restore", str(tmp_path / "b.zip"), str(tmp_path / "again"))
    monkeypatch.setenv("PROGNOSCOPE_WORKSPACE", str(tmp_path / "again"))
    for name in PAGES:
        test = AppTest.from_file(str(page(name)), default_timeout=60).run()
        shown = " ".join(str(e.value) for e in test.get("html"))
        assert not test.exception, name
        assert 'role="alert"' not in shown, (name, shown)
    assert latest_errors(Workspace.default()) == ()


def test_erase_and_its_proof(workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = planted(workspace, tmp_path)
    backup = str(tmp_path / "b.zip")
    call(capsys, "backup", backup)
    assert call(capsys, "erase", "--verify", code=1)["error"] == "nobody was erased"
    plan = call(capsys, "erase", "clinic", GONE, "--plan")
    assert plan["runs"] == ["hdmoe-clinic"]
    assert found.pseudonym not in json.dumps(plan)
    done = call(capsys, "erase", "clinic", GONE)
    assert (done["left"], done["unread"], done["runs"]) == ([], [], ["hdmoe-clinic"])
    assert done["backups"] == [{"file": backup, "certain": True}]
    proof = call(capsys, "erase", "--verify", "clinic", GONE)
    assert (proof["verified"], proof["found"]) == (True, [])
    assert [b["file"] for b in proof["backups"]] == [backup]
    (workspace.root / "incoming").mkdir()
    (workspace.root / "incoming" / f"{GONE}.txt").write_text("x")
    (workspace.root / "incoming" / "list.txt").write_text(found.pseudonym)
    told = call(capsys, "erase", "--verify", code=1)
    assert told["error"] == "an erased patient in 2 files"
    assert "incoming/list.txt" in told["where"]
    assert GONE not in json.dumps(told)
    assert call(capsys, "erase", "clinic", GONE, code=1)["error"] == "nobody of that pseudonym or id"


def test_wrong_use_is_one_sentence(workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(capsys, "backup", str(tmp_path / "b.zip"), code=1)["error"] == "nothing to back up"
    assert call(capsys, "erase", code=1)["error"] == "no patient"
    assert call(capsys, "restore", str(tmp_path / "no.zip"), str(tmp_path / "x"), code=1)["error"] == "no such file"
    save_cohort(make_cohort(10, "one"), None, workspace)
    two = ("--plain-protected", "--without-protected")
    assert "two ways" in call(capsys, "backup", str(tmp_path / "b.zip"), *two, code=1)["error"]
    (tmp_path / "short").write_text("short\n")
    words = ("--passphrase-file", str(tmp_path / "short"))
    assert "passphrase of 5 signs" in call(capsys, "backup", str(tmp_path / "b.zip"), *words, code=1)["error"]
    assert call(capsys, "upgrade")["version"] >= 3
    assert not (tmp_path / "b.zip").exists()


def test_an_unexpected_failure_leaves_a_trace_that_names_nobody(
    workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = planted(workspace, tmp_path)

    def broken(*_: object) -> None:
        raise KeyError(f"{GONE} alias {found.pseudonym} in {tmp_path}/{GONE}/slide.svs")

    monkeypatch.setattr("core.cli.cohort_commands.list_cohorts", broken)
    told = call(capsys, "cohorts", code=1)
    (entry,) = latest_errors(workspace)
    assert entry.id in told["error"]
    assert (entry.kind, entry.where) == ("KeyError", "command cohorts")
    assert "core/cli/cohort_commands.py" in entry.trace
    assert "run_cohorts" in entry.trace
    text = (workspace.root / FILE).read_text()
    assert GONE not in text
    assert found.pseudonym not in text
    assert str(tmp_path) not in text
    assert (workspace.root / FILE).stat().st_mode & 0o077 == 0
    assert note_error(ValueError("x"), "here", Workspace(Path("/proc/nowhere")))  # it never fails itself
