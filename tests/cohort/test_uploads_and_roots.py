"""What a page may read: uploads that vanish, folders inside the import roots, and nothing behind a link."""

from __future__ import annotations

import os
import stat
import zipfile
from pathlib import Path

import pytest

from core.cohort.import_request import ImportRequest, store
from core.cohort.import_roots import import_roots, offered, path_inside_roots
from core.cohort.media_index import load_media
from core.cohort.modality import Modality
from core.cohort.preview import preview
from core.cohort.storage import load_cohort
from core.cohort.uploads import keep_upload, opened, remove_upload, sweep_uploads
from core.errors import PrognoscopeError
from core.results.workspace import Workspace

TABLE = "id,time,event,age\n" + "".join(f"case{i},{i + 1},{i % 2},{50 + i}\n" for i in range(12))
COLUMNS = {"id": "id", "time": "time", "event": "event"}


def packed(path: Path, members: dict[str, str]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return path


@pytest.fixture
def study(tmp_path: Path) -> Path:
    reports = {f"study/case{i}/reports/ct.txt": f"Lesion of {i} cm in segment 8." for i in range(0, 12, 2)}
    return packed(tmp_path / "study.zip", {"study/patients.csv": TABLE} | reports)


def test_an_upload_is_private_and_goes_whole(workspace: Workspace) -> None:
    path = keep_upload("../../Some table.csv", TABLE.encode(), workspace)
    assert path.name == "Some_table.csv"
    assert path.is_relative_to(workspace.root / "uploads")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert all(stat.S_IMODE(p.stat().st_mode) == 0o700 for p in (path.parent, path.parent.parent))
    remove_upload(path, workspace)
    assert not any((workspace.root / "uploads").iterdir())
    remove_upload(path, workspace)


def test_only_uploads_are_removed(workspace: Workspace, tmp_path: Path) -> None:
    elsewhere = tmp_path / "mine.csv"
    elsewhere.write_text(TABLE)
    remove_upload(elsewhere, workspace)
    remove_upload(workspace.root / "uploads" / ".." / ".." / "mine.csv", workspace)
    assert elsewhere.is_file()


def test_old_uploads_are_swept(workspace: Workspace) -> None:
    old, new = (keep_upload(f"{n}.csv", b"x", workspace) for n in ("old", "new"))
    os.utime(old.parent, (1, 1))
    assert sweep_uploads(workspace) == 1
    assert not old.exists()
    assert new.exists()


def test_an_uploaded_study_is_looked_into_and_stored_with_its_reports(workspace: Workspace, study: Path) -> None:
    kept = keep_upload("study.zip", study.read_bytes(), workspace)
    looked = opened(kept, workspace)
    assert preview(looked).format == "folder"
    cohort = store(ImportRequest(str(kept), "mine", "My study", columns=COLUMNS), workspace)
    assert cohort.title == "My study"
    assert int(load_cohort("mine", workspace).availability["reports"].sum()) == 6
    files = load_media("mine", workspace).files
    assert len(files) == 6
    assert all(f.modality is Modality.REPORTS and Path(f.path).is_file() for f in files)
    assert not any((workspace.root / "uploads").iterdir())


def test_a_refused_study_leaves_the_workspace_and_the_upload_as_they_were(workspace: Workspace) -> None:
    kept = keep_upload("own.csv", TABLE.replace(",0,", ",9,").encode(), workspace)
    with pytest.raises(PrognoscopeError, match="not mapped"):
        store(ImportRequest(str(kept), "mine", columns=COLUMNS), workspace)
    assert kept.is_file()
    assert not workspace.cohort("mine").exists()


def test_a_taken_name_is_refused_before_anything_is_read(workspace: Workspace) -> None:
    kept = keep_upload("own.csv", TABLE.encode(), workspace)
    store(ImportRequest(str(kept), "mine", columns=COLUMNS), workspace)
    again = keep_upload("own.csv", b"nonsense", workspace)
    with pytest.raises(PrognoscopeError, match="a cohort named 'mine' exists"):
        store(ImportRequest(str(again), "mine", columns=COLUMNS), workspace)


def test_an_unsafe_archive_leaves_nothing_unpacked(workspace: Workspace, tmp_path: Path) -> None:
    bad = packed(tmp_path / "bad.zip", {"study/patients.csv": TABLE, "../outside.txt": "x"})
    kept = keep_upload("bad.zip", bad.read_bytes(), workspace)
    with pytest.raises(PrognoscopeError, match="lead out of its folder"):
        opened(kept, workspace)
    assert list(kept.parent.iterdir()) == [kept]
    assert not (workspace.root / "outside.txt").exists()


def test_roots_are_the_incoming_folder_and_what_is_configured(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert import_roots(workspace) == ()
    incoming, other = workspace.root / "incoming", tmp_path / "other"
    for folder in (incoming, other):
        (folder / "study").mkdir(parents=True)
    assert import_roots(workspace) == (incoming.resolve(),)
    monkeypatch.setenv("PROGNOSCOPE_IMPORT_ROOTS", f"{other}::relative:{tmp_path / 'missing'}")
    assert import_roots(workspace) == (incoming.resolve(), other.resolve())
    assert offered(workspace) == (str(incoming / "study"), str(other / "study"))
    assert path_inside_roots(str(other / "study"), workspace) == other / "study"
    assert path_inside_roots("study", workspace) == incoming / "study"


@pytest.mark.parametrize("text", ["/etc", "/etc/passwd", "../secret.csv", "study/../../secret.csv", "nothing", "/"])
def test_nothing_outside_the_roots_can_be_named(text: str, workspace: Workspace) -> None:
    (workspace.root / "incoming" / "study").mkdir(parents=True)
    (workspace.root / "secret.csv").write_text(TABLE)
    with pytest.raises(PrognoscopeError, match="no such study in a folder that may be imported from") as caught:
        path_inside_roots(text, workspace)
    assert "secret" not in str(caught.value)


def test_a_link_is_refused_on_the_way_and_inside(workspace: Workspace, tmp_path: Path) -> None:
    incoming = workspace.root / "incoming"
    (incoming / "study").mkdir(parents=True)
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "patients.csv").write_text(TABLE)
    (incoming / "link").symlink_to(secret)
    (incoming / "study" / "slides").symlink_to(secret)
    for named in ("link", "link/patients.csv", "study"):
        with pytest.raises(PrognoscopeError, match="a link"):
            path_inside_roots(named, workspace)
    with pytest.raises(PrognoscopeError, match="a link"):
        store(ImportRequest(str(incoming / "link" / "patients.csv"), "x", columns=COLUMNS), workspace)
    assert offered(workspace) == (str(incoming / "study"),)
