"""A zipped study folder: unpacked into the cohort's own folder, and nowhere else, or refused and gone."""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path

import pytest

from core.cohort.importers import reading
from core.cohort.importers.archive import is_study_archive, unpack_study
from core.cohort.importers.reading import open_lines
from core.cohort.importing import import_cohort, import_into
from core.cohort.media_index import load_media, report_folder
from core.cohort.storage import delete_cohort, list_cohorts
from core.errors import PrognoscopeError
from core.results.workspace import Workspace
from tests.cohort.studies import put, write_patients, zip_of


@pytest.fixture
def study(tmp_path: Path) -> Path:
    folder = write_patients(tmp_path / "liver")
    put(folder, "HOSP-0001/slides/a.svs", b"slide a")
    put(folder, "HOSP-0001/reports/r.txt", b"HOSP-0001 is well.")
    put(folder, "__MACOSX/._x")
    return folder


def link() -> zipfile.ZipInfo:
    member = zipfile.ZipInfo("liver/HOSP-0002/slides/b.svs")
    member.external_attr = (stat.S_IFLNK | 0o777) << 16
    return member


def test_a_zip_is_unpacked_into_the_cohorts_folder_and_goes_with_it(
    study: Path, tmp_path: Path, workspace: Workspace
) -> None:
    archive = zip_of(study, tmp_path / "upload.zip")
    for _ in range(2):  # the second import replaces the first, files and all
        cohort = import_into(workspace, archive, "liver")
        [slide] = [f for f in load_media("liver", workspace).files if f.path.endswith(".svs")]
        assert Path(slide.path).read_bytes() == b"slide a"
        assert Path(slide.path).is_relative_to(workspace.media_of("liver"))
        unpacked = [p.name for p in workspace.media_of("liver").rglob("*") if p.is_file()]
        assert unpacked == ["a.svs"]  # the table and the texts live on under pseudonyms alone
        assert [p.read_text()[:2] for p in report_folder("liver", workspace).iterdir()] == ["P-"]
    assert cohort.title == "upload"
    assert {p.stat().st_mode & 0o777 for p in workspace.media_of("liver").iterdir()} == {0o700}
    assert "upload.zip" in cohort.provenance.files
    delete_cohort("liver", workspace)
    assert not workspace.media_of("liver").exists()


@pytest.mark.parametrize(
    ("extra", "found"),
    [
        ([("../../evil.txt", b"x")], "an archive with file names that lead out"),
        ([("/tmp/evil.txt", b"x")], "an archive with file names that lead out"),
        ([("C:\\evil.txt", b"x")], "an archive with file names that lead out"),
        ([(link(), b"/etc/passwd")], "an archive with links"),
        ([("liver/HOSP-0001/slides/a.svs", b"again")], "an archive with two files of one name"),
        ([("liver/HOSP-0001/slides", b"a file where a folder is")], "an archive that cannot be unpacked"),
    ],
    ids=["up", "root", "drive", "link", "twice", "file for folder"],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_an_unsafe_archive_leaves_nothing(
    extra: list[tuple[zipfile.ZipInfo | str, bytes]], found: str, study: Path, tmp_path: Path, workspace: Workspace
) -> None:
    archive = zip_of(study, tmp_path / "upload.zip", extra)
    with pytest.raises(PrognoscopeError) as caught:
        import_into(workspace, archive, "liver")
    assert caught.value.found.startswith(found)
    assert caught.value.where == "upload.zip"
    assert list_cohorts(workspace) == ()
    assert not [p for p in workspace.root.rglob("*") if p.is_file()]
    assert not workspace.media.exists()
    assert not list(tmp_path.rglob("evil*"))


def test_size_is_limited_by_what_comes_out_not_by_what_is_claimed(study: Path, tmp_path: Path) -> None:
    put(study, "HOSP-0002/slides/b.svs", bytes(1 << 20))
    archive = zip_of(study, tmp_path / "upload.zip")
    with pytest.raises(PrognoscopeError, match=r"more than .* unpacked"):
        unpack_study(archive, tmp_path / "out", limit=1 << 19)
    content = archive.read_bytes()
    lying = content.replace((1 << 20).to_bytes(4, "little"), (1000).to_bytes(4, "little"))
    assert lying != content
    (tmp_path / "lying.zip").write_bytes(lying)
    with pytest.raises(PrognoscopeError, match=r"damaged archive|unpacked"):
        unpack_study(tmp_path / "lying.zip", tmp_path / "out", limit=1 << 19)
    assert not (tmp_path / "out").exists()


def test_a_failure_after_unpacking_keeps_the_earlier_cohort_and_its_files(
    study: Path, tmp_path: Path, workspace: Workspace
) -> None:
    import_into(workspace, zip_of(study, tmp_path / "good.zip"), "liver")
    before = sorted(p for p in workspace.root.rglob("*") if p.is_file())
    (study / "patients.csv").write_text("id,time,event\nHOSP-0001,-1,1\nHOSP-0002,3,0\n")
    with pytest.raises(PrognoscopeError, match="negative"):
        import_into(workspace, zip_of(study, tmp_path / "bad.zip"), "liver")
    assert sorted(p for p in workspace.root.rglob("*") if p.is_file()) == before


def test_without_a_place_to_unpack_a_zip_is_refused(study: Path, tmp_path: Path) -> None:
    archive = zip_of(study, tmp_path / "upload.zip")
    assert is_study_archive(archive)
    with pytest.raises(PrognoscopeError, match="a zipped study folder"):
        import_cohort(archive, "liver", secret=b"1" * 32)


def test_a_zipped_table_has_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "t.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("t.csv", "id,time,event\n" + "a,1,1\n" * 5000)
    monkeypatch.setattr(reading, "MAX_TABLE_BYTES", 10_000)
    with pytest.raises(PrognoscopeError, match=r"more than .* of text"), open_lines(path):
        pass
    path.write_bytes(path.read_bytes().replace((30_014).to_bytes(4, "little"), (900).to_bytes(4, "little")))
    with pytest.raises(PrognoscopeError, match=r"of text|damaged"), open_lines(path) as lines:
        list(lines)
    plain = tmp_path / "t.csv"
    plain.write_text("id,time,event\n" + "a,1,1\n" * 5000)
    with open_lines(plain) as lines:
        assert len(list(lines)) == 5001
    monkeypatch.setattr(reading, "MAX_LINE_BYTES", 1000)
    plain.write_text("x" * 1500)
    with pytest.raises(PrognoscopeError, match="a line of more than"), open_lines(plain) as lines:
        list(lines)
