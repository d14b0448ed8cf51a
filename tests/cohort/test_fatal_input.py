"""Input that cannot be trusted: one sentence with what, where and what to do, and nothing half-imported."""

from __future__ import annotations

import io
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from core.cohort.importing import import_into
from core.cohort.storage import list_cohorts
from core.errors import PrognoscopeError
from core.results.workspace import Workspace

MakeInput = Callable[[Path, Callable[..., Path], Callable[..., dict]], Path]


def two_outcomes(tmp: Path, write: Callable[..., Path], patient: Callable[..., dict]) -> Path:
    rows = [patient(i) for i in range(6)]
    return write([*rows, patient(3, survival_months=99.0)])


def text_time(tmp: Path, write: Callable[..., Path], patient: Callable[..., dict]) -> Path:
    return write([patient(0), patient(1, survival_months="two years"), patient(2)])


def negative_time(tmp: Path, write: Callable[..., Path], patient: Callable[..., dict]) -> Path:
    return write([patient(0), patient(1, survival_months=-3), patient(2)])


def unmapped_event(tmp: Path, write: Callable[..., Path], patient: Callable[..., dict]) -> Path:
    return write([patient(0), patient(1, censorship=2), patient(2)])


def one_patient(tmp: Path, write: Callable[..., Path], patient: Callable[..., dict]) -> Path:
    return write([patient(0)])


def no_patient(tmp: Path, write: Callable[..., Path], patient: Callable[..., dict]) -> Path:
    return write([])


def no_events(tmp: Path, write: Callable[..., Path], patient: Callable[..., dict]) -> Path:
    return write([patient(i, censorship=1) for i in range(5)])


def wrong_delimiter(tmp: Path, write: Callable[..., Path], patient: Callable[..., dict]) -> Path:
    return write(delimiter=";")


def tabs_in_a_csv(tmp: Path, write: Callable[..., Path], patient: Callable[..., dict]) -> Path:
    return write(delimiter="\t")


def broken_line(tmp: Path, write: Callable[..., Path], patient: Callable[..., dict]) -> Path:
    path = write()
    path.write_text(path.read_text() + "12,TCGA-02-0099,short\n")
    return path


def no_patient_id(tmp: Path, write: Callable[..., Path], patient: Callable[..., dict]) -> Path:
    return write([patient(0), patient(1, case_id=""), patient(2)])


def empty_file(tmp: Path, write: Callable[..., Path], patient: Callable[..., dict]) -> Path:
    (tmp / "empty.csv").write_bytes(b"")
    return tmp / "empty.csv"


def lfs_pointer(tmp: Path, write: Callable[..., Path], patient: Callable[..., dict]) -> Path:
    path = tmp / "tcga_blca.csv"
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 1597311\n")
    return path


def pickle_named_csv(tmp: Path, write: Callable[..., Path], patient: Callable[..., dict]) -> Path:
    (tmp / "table.csv").write_bytes(pickle.dumps({"case_id": [1, 2]}))
    return tmp / "table.csv"


def pickle_by_name(tmp: Path, write: Callable[..., Path], patient: Callable[..., dict]) -> Path:
    (tmp / "table.pkl").write_bytes(pickle.dumps([1], protocol=0))
    return tmp / "table.pkl"


def pickle_in_zip(tmp: Path, write: Callable[..., Path], patient: Callable[..., dict]) -> Path:
    return zipped(tmp, {"archive/data.pkl": b"\x80\x02"})


def escaping_zip(tmp: Path, write: Callable[..., Path], patient: Callable[..., dict]) -> Path:
    return zipped(tmp, {"table.csv": write().read_bytes(), "../../.bashrc": b"echo owned"})


def crowded_zip(tmp: Path, write: Callable[..., Path], patient: Callable[..., dict]) -> Path:
    return zipped(tmp, {"a.csv": b"a,b\n1,2\n", "b.csv": b"a,b\n1,2\n"})


def damaged_zip(tmp: Path, write: Callable[..., Path], patient: Callable[..., dict]) -> Path:
    path = zipped(tmp, {"table.csv": write().read_bytes()})
    path.write_bytes(path.read_bytes()[:-60])
    return path


def flipped_zip(tmp: Path, write: Callable[..., Path], patient: Callable[..., dict]) -> Path:
    path = zipped(tmp, {"table.csv": write([patient(i) for i in range(400)]).read_bytes()})
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 255
    path.write_bytes(bytes(data))
    return path


def spreadsheet(tmp: Path, write: Callable[..., Path], patient: Callable[..., dict]) -> Path:
    return zipped(tmp, {"[Content_Types].xml": b"<x/>", "xl/workbook.xml": b"<x/>"})


def missing_path(tmp: Path, write: Callable[..., Path], patient: Callable[..., dict]) -> Path:
    return tmp / "nowhere.csv"


def folder_without_a_study(tmp: Path, write: Callable[..., Path], patient: Callable[..., dict]) -> Path:
    (tmp / "folder").mkdir()
    (tmp / "folder" / "other.csv").write_text("name,weeks\na,1\nb,2\n")
    return tmp / "folder"


def unknown_table(tmp: Path, write: Callable[..., Path], patient: Callable[..., dict]) -> Path:
    (tmp / "other.csv").write_text("name,weeks\na,1\nb,2\n")
    return tmp / "other.csv"


def zipped(tmp: Path, members: dict[str, bytes]) -> Path:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    path = tmp / "table.zip"
    path.write_bytes(buffer.getvalue())
    return path


CASES: list[tuple[MakeInput, str]] = [
    (two_outcomes, "1 patient with two different OS outcomes"),
    (text_time, "1 time in column 'survival_months' that is not a number"),
    (negative_time, "1 negative time in column 'survival_months'"),
    (unmapped_event, "the event code '2' in column 'censorship' is not mapped"),
    (one_patient, "1 patient"),
    (no_patient, "a header without a single patient"),
    (no_events, "no patient with an event"),
    (wrong_delimiter, "one column only, separated by semicolons"),
    (tabs_in_a_csv, "one column only, separated by tabs"),
    (broken_line, "line 14 has 3 cells instead of 13"),
    (no_patient_id, "line 3 has no patient id"),
    (empty_file, "an empty file"),
    (lfs_pointer, "a Git-LFS pointer"),
    (pickle_named_csv, "a pickle"),
    (pickle_by_name, "a pickle"),
    (pickle_in_zip, "a pickle"),
    (escaping_zip, "an archive with file names that lead out of its folder"),
    (crowded_zip, "an archive of 2 files instead of one table"),
    (damaged_zip, "a damaged archive"),
    (flipped_zip, "a damaged archive"),
    (spreadsheet, "a spreadsheet"),
    (missing_path, "no such file or folder"),
    (folder_without_a_study, "no study of a known format"),
    (unknown_table, "a table of no known study format"),
]


@pytest.mark.parametrize(("make", "found"), CASES, ids=[c[0].__name__ for c in CASES])
def test_one_sentence_and_nothing_half_imported(
    make: MakeInput,
    found: str,
    tmp_path: Path,
    workspace: Workspace,
    write_study: Callable[..., Path],
    make_patient: Callable[..., dict],
) -> None:
    path = make(tmp_path, write_study, make_patient)
    with pytest.raises(PrognoscopeError) as caught:
        import_into(workspace, path, "study")
    error = caught.value
    assert error.found.startswith(found)
    assert path.name in error.where
    assert error.fix
    assert "\n" not in str(error)
    assert "TCGA-" not in str(error)
    assert list_cohorts(workspace) == ()
    assert not any(workspace.cohorts.glob("*")) if workspace.cohorts.exists() else True
    assert not list(workspace.protected.glob("*-ids.parquet"))


def test_a_failed_import_leaves_the_earlier_cohort_of_that_name(
    workspace: Workspace, write_study: Callable[..., Path], make_patient: Callable[..., dict]
) -> None:
    good = import_into(workspace, write_study(), "study")
    bad = write_study([make_patient(0), make_patient(1, survival_months=-1)], name="bad.csv")
    with pytest.raises(PrognoscopeError, match="negative"):
        import_into(workspace, bad, "study")
    assert [(c.name, c.patients) for c in list_cohorts(workspace)] == [("study", len(good))]


def test_a_meta_file_cannot_point_outside_its_study(tmp_path: Path, workspace: Workspace) -> None:
    (tmp_path / "meta_study.txt").write_text("cancer_study_identifier: x\nname: X\n")
    (tmp_path / "meta_clinical.txt").write_text("data_filename: ../secret.txt\ndatatype: PATIENT_ATTRIBUTES\n")
    with pytest.raises(PrognoscopeError, match="outside the study"):
        import_into(workspace, tmp_path, "study")
