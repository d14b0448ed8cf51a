"""Whatever a study's files hold, an import ends in a cohort or in one sentence. See :mod:`tests.fuzz.effort` for how
many inputs are tried."""

from __future__ import annotations

import io
import shutil
import zipfile
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from core.cohort.checking import check_import
from core.cohort.importing import import_into
from core.cohort.preview import preview
from core.cohort.splits import folds_from_file
from core.cohort.storage import load_cohort
from core.errors import PrognoscopeError
from core.results.workspace import Workspace
from tests.fuzz.effort import tried, tries
from tests.fuzz.mutations import mutated_bytes, nasty, words, written
from tests.fuzz.studies import STUDIES, Study
from tests.fuzz.watch import Watch
from tests.pages.builders import make_large_cohort


def one_sentence(error: PrognoscopeError) -> None:
    """What a person reads is one line of words, without a trace and without signs that turn a line around."""
    text = str(error)
    assert error.found, "nothing was found"
    assert error.fix, "nothing to do"
    assert text.isprintable() or all(c.isprintable() or c in " \u00a0" for c in text), f"{text!r}"
    assert len(text) < 2000, f"{len(text)} letters"
    assert "Traceback" not in text


@st.composite
def given_studies(draw: st.DrawFn) -> tuple[Study, dict[str, bytes], dict[str, Any]]:
    """A study with one or two of its files mutated, and options that may be odd."""
    study = STUDIES[draw(st.sampled_from(sorted(STUDIES)))]
    odd = draw(st.sets(st.sampled_from(sorted(study.tables)), min_size=1, max_size=2))
    files = {name: draw(written(rows, sign)) if name in odd else plain(rows, sign)
             for name, (rows, sign) in study.tables.items()}  # fmt: skip
    for name, text in study.texts.items():
        data = text.encode()
        files[name] = draw(mutated_bytes(data)) if not draw(st.integers(0, 7)) else data
    options: dict[str, Any] = {name: dict(value) for name, value in study.options.items()}
    if not draw(st.integers(0, 4)):
        options["events"] = draw(st.dictionaries(words, st.sampled_from(["event", "censored", "competing", "?"])))
    if "columns" in options and not draw(st.integers(0, 4)):
        roles = ["entry", "time_unit", "site", "input", "marker", "drop", "time:X", "event:X", "event_label", "x"]
        options["columns"] |= draw(st.dictionaries(st.sampled_from(roles), words, max_size=3))
    return study, files, options


def plain(rows: Any, sign: str) -> bytes:
    quoted = [[f'"{c}"' if sign == "," and "," in c else c for c in row] for row in rows]
    return ("\n".join(sign.join(row) for row in quoted) + "\n").encode()


def put(folder: Path, files: dict[str, bytes]) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


@tries(0.27, 170)
@given(given_studies())
def test_studies_of_every_format(tmp_path: Path, watch: Watch, case: tuple[Study, dict[str, bytes], Any]) -> None:
    study, files, options = case
    folder = put(tmp_path / "study", files)
    path = folder / study.path
    for option, name in study.beside.items():
        options[option] = folder / name if option == "families" else [folder / name]
    tried("importers")
    try:
        preview(path)
    except PrognoscopeError as error:
        one_sentence(error)
    try:
        checked = check_import(path, **options)
    except PrognoscopeError as error:
        one_sentence(error)
        return
    assert checked.patients >= 2
    assert checked.as_json()


@tries(0.02, 20)
@given(given_studies(), words | st.sampled_from(["a", "cohort-1"]))
def test_what_is_stored_reads_back(tmp_path: Path, watch: Watch, case: Any, name: str) -> None:
    study, files, options = case
    folder, workspace = put(tmp_path / "study", files), Workspace(tmp_path / "workspace")
    for option, beside in study.beside.items():
        options[option] = folder / beside if option == "families" else [folder / beside]
    tried("importers")
    try:
        cohort = import_into(workspace, folder / study.path, name, **options)
    except PrognoscopeError as error:
        one_sentence(error)
        assert workspace.names(workspace.cohorts) == ()
        return
    assert load_cohort(name, workspace).content_hash == cohort.content_hash
    shutil.rmtree(workspace.root)


@st.composite
def archives(draw: st.DrawFn) -> bytes:
    """A zipped study whose members are called oddly or whose bytes are changed."""
    study = STUDIES["folder"]
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", draw(st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]))) as archive:
        for name, (rows, sign) in study.tables.items():
            archive.writestr(f"study/{name}", draw(written(rows, sign)) if draw(st.booleans()) else plain(rows, sign))
        for name in draw(st.lists(nasty, max_size=3)):
            places = ["study/slides/", "../", "/", "study/../../", "study/", ""]
            odd = zipfile.ZipInfo((draw(st.sampled_from(places)) + name.replace("\x00", "") or "x")[:200])
            odd.external_attr = draw(st.sampled_from([0, 0o120777 << 16, 0o100644 << 16, 0o040755 << 16]))
            archive.writestr(odd, draw(st.binary(max_size=40)))
    data = stream.getvalue()
    return draw(mutated_bytes(data)) if draw(st.booleans()) else data


@tries(0.02, 30)
@given(archives())
def test_archives(tmp_path: Path, watch: Watch, data: bytes) -> None:
    path, workspace = put(tmp_path / "in", {"study.zip": data}) / "study.zip", Workspace(tmp_path / "workspace")
    tried("archives")
    for work in (lambda: preview(path), lambda: import_into(workspace, path, "zipped")):
        try:
            work()
        except PrognoscopeError as error:
            one_sentence(error)
    shutil.rmtree(workspace.root, ignore_errors=True)


@tries(0.02, 20)
@given(st.sampled_from(["own.xlsx", "own.csv", "own.txt", "meta_study.txt", "x.zip", "x.csv.gz", "x.pkl"]), st.data())
def test_files_that_are_no_tables(tmp_path: Path, watch: Watch, name: str, data: st.DataObject) -> None:
    path = put(tmp_path / "in", {name: data.draw(st.binary(max_size=400) | _spreadsheets())}) / name
    tried("importers")
    for look in (preview, check_import):
        try:
            look(path)
        except PrognoscopeError as error:
            one_sentence(error)


@st.composite
def _spreadsheets(draw: st.DrawFn) -> bytes:
    """An .xlsx by its parts."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for part in draw(st.lists(st.sampled_from(["[Content_Types].xml", "xl/workbook.xml", "a.pkl"]), unique=True)):
            archive.writestr(part, draw(st.binary(max_size=30)))
    return draw(mutated_bytes(stream.getvalue())) if draw(st.booleans()) else stream.getvalue()


COHORT = make_large_cohort(24)


@tries(0.02, 30)
@given(written([("id", "fold"), *((p, str(i % 3)) for i, p in enumerate(COHORT.ids))]), st.booleans())
def test_folds(tmp_path: Path, watch: Watch, data: bytes, several: bool) -> None:
    folder = put(tmp_path / "in", {"splits_0.csv" if several else "folds.csv": data})
    tried("importers")
    try:
        folds_from_file(folder if several else folder / "folds.csv", COHORT, {})
    except PrognoscopeError as error:
        one_sentence(error)
