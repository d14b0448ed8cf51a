"""An older workspace is brought up to date, all of a step or nothing; a newer one is refused."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from core.care import version
from core.care.version import CURRENT, FILE, STAGE, make_ready, version_of
from core.cohort.storage import list_cohorts, load_cohort
from core.errors import PrognoscopeError
from core.results.feature_records import EncodedModality, FeatureRecord, load_record, save_record
from core.results.files import MANIFEST, read_json, write_json
from core.results.workspace import Workspace
from tests.tasks.scoring_cohort import make_cohort


def old_form(workspace: Workspace) -> Workspace:
    """Two cohorts, a record of features and an audit as the first program wrote them: without a stamp."""
    from core.cohort.storage import save_cohort

    for name in ("one", "two"):
        save_cohort(make_cohort(20, name), None, workspace)
        folder = workspace.cohort(name)
        facts = read_json(folder / "cohort.json")
        del facts["content_hash"]
        write_json(folder / "cohort.json", facts)
        hashes = read_json(folder / MANIFEST)
        hashes["cohort.json"] = hashlib.sha256((folder / "cohort.json").read_bytes()).hexdigest()
        write_json(folder / MANIFEST, hashes)
    encoded = EncodedModality("lexicon", 1, {}, 1, ("x",), {"P0001": "a" * 64})
    save_record(FeatureRecord("one", {"reports": encoded}), workspace)
    path = workspace.features / "one.json"
    write_json(path, {k: v for k, v in read_json(path).items() if k != "earlier"})
    write_json(workspace.audits / "run-1.json", {"run": "run-1", "gate": {"correlation": 0.5}, "controls": []})
    return workspace


def contents(workspace: Workspace) -> dict[str, bytes]:
    files = (p for p in workspace.root.rglob("*") if p.is_file() and not p.name.endswith(".lock"))
    return {str(p.relative_to(workspace.root)): p.read_bytes() for p in files}


def test_an_old_workspace_is_upgraded_step_by_step(workspace: Workspace) -> None:
    old_form(workspace)
    assert version_of(workspace) == 0
    assert [c.content_hash for c in list_cohorts(workspace)] == ["", ""]
    assert len(make_ready(workspace)) == CURRENT
    assert version_of(workspace) == CURRENT
    for cohort in list_cohorts(workspace):
        assert cohort.content_hash == load_cohort(cohort.name, workspace).content_hash  # and its manifest holds
    assert load_record("one", workspace).modalities["reports"].keys == {"P0001": "a" * 64}
    assert read_json(workspace.features / "one.json")["earlier"] == {}
    assert read_json(workspace.audits / "run-1.json")["gate"] == {"correlation": 0.5, "bins": []}
    before = contents(workspace)
    assert make_ready(workspace) == ()
    assert contents(workspace) == before


def test_stopped_anywhere_it_is_old_or_new_and_ends_the_same(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = old_form(Workspace(tmp_path / "whole"))
    make_ready(whole)
    old_form(workspace)
    replaced, stops = Path.replace, 0

    class Killed(BaseException):
        pass

    while True:
        left = stops  # one more move than the time before may happen

        def counted(self: Path, target: Path) -> Path:
            nonlocal left
            if left == 0:
                raise Killed
            left -= 1
            return replaced(self, target)

        try:
            with monkeypatch.context() as patch:
                patch.setattr(Path, "replace", counted)
                make_ready(workspace)
            break
        except Killed:
            stops += 1
        if not (workspace.root / STAGE / version.JOURNAL).exists():
            for name in ("one", "two"):
                load_cohort(name, workspace)  # every byte checked
    assert stops > 5
    assert contents(workspace) == contents(whole)


def test_a_newer_workspace_is_refused_in_one_sentence(workspace: Workspace) -> None:
    write_json(workspace.root / FILE, {"version": CURRENT + 4, "program": "9.9"})
    with pytest.raises(PrognoscopeError) as refused:
        make_ready(workspace)
    assert f"form {CURRENT + 4}" in str(refused.value)
    assert "made by Prognoscope 9.9" in str(refused.value)
    assert "use the newer program" in str(refused.value)
    (workspace.root / FILE).write_text(json.dumps({"version": "x"}))
    with pytest.raises(PrognoscopeError, match="unreadable stamp"):
        make_ready(workspace)


def test_an_empty_workspace_is_left_alone(workspace: Workspace) -> None:
    assert make_ready(workspace) == ()
    assert not workspace.root.exists()


def test_one_that_cannot_be_written_is_read_when_nothing_needs_to_change(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    from core.cohort.storage import save_cohort

    save_cohort(make_cohort(20, "one"), None, workspace)

    def refused(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("core.care.version.alone", refused)
    assert make_ready(workspace) == ()
    old_form(workspace)
    with pytest.raises(PrognoscopeError, match="cannot be written"):
        make_ready(workspace)
