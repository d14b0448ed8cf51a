"""Files joined to a study: what is in them is told before, and an index of media leads nowhere but below its folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.cohort.beside import Join, look_beside
from core.cohort.import_request import ImportRequest, store
from core.cohort.media_index import MediaKind, load_media
from core.cohort.modality import Modality
from core.cohort.storage import load_cohort, load_original_ids
from core.errors import PrognoscopeError
from core.results.workspace import Workspace
from tests.tasks.media_cohort import write_slide

TABLE = "id,time,event,age,TP53_rnaseq,EGFR_rnaseq,AFP_rnaseq\n" + "".join(
    f"case{i},{i + 1},{i % 2},{50 + i},{i / 7:.2f},{-i / 9:.2f},{i % 5}\n" for i in range(30)
)
COLUMNS = {"id": "id", "time": "time", "event": "event", "time_unit": "months"}
EVENTS = {"0": "censored", "1": "event"}


@pytest.fixture
def incoming(workspace: Workspace) -> Path:
    folder = workspace.root / "incoming" / "study"
    (folder / "pictures").mkdir(parents=True)
    (folder / "own.csv").write_text(TABLE)
    write_slide(folder / "pictures" / "a.tif", np.random.default_rng(0))
    (folder / "pictures" / "note.txt").write_text("A lesion of 20 mm in segment IV.")
    (folder / "index.csv").write_text(
        "id,path,modality,label\ncase1,pictures/a.tif,slides,\ncase2,pictures/note.txt,reports,radiology\n"
        "case3,pictures/gone.tif,slides,\nnobody,pictures/a.tif,slides,\n"
    )
    (folder / "families.csv").write_text("one,two\nTP53,AFP\nEGFR,\n,NOSUCH\n")
    return folder


def request(folder: Path, **more: object) -> ImportRequest:
    return ImportRequest(str(folder / "own.csv"), "mine", format="table", columns=COLUMNS, events=EVENTS, **more)  # type: ignore[arg-type]


def test_families_and_an_index_of_media_are_joined(incoming: Path, workspace: Workspace) -> None:
    named = {"families": str(incoming / "families.csv"), "media": (str(incoming / "index.csv"),)}
    cohort = store(request(incoming, **named), workspace)
    assert cohort.genomics is not None
    assert {k: len(v) for k, v in cohort.genomics.families.items()} == {"one": 2, "two": 1}
    words = " ".join(cohort.warnings)
    assert "2 files of 2 patients of 30 named in index.csv" in words
    assert "1 file named in files.csv that is not there" in words
    assert "1 file of a patient who is not in the table" in words
    ids = {original: pseudonym for pseudonym, original in load_original_ids("mine", workspace).items()}
    media = load_media("mine", workspace)
    assert [f.kind for f in media.of(ids["case1"])] == [MediaKind.SLIDE]
    assert [f.label for f in media.of(ids["case2"], Modality.REPORTS)] == ["radiology"]
    assert load_cohort("mine", workspace).availability["slides"].sum() == 1


@pytest.mark.parametrize("path", ["/etc/passwd", "../own.csv"])
def test_an_index_that_leads_elsewhere_is_refused(path: str, incoming: Path, workspace: Workspace) -> None:
    (incoming / "index.csv").write_text(f"id,path,modality\ncase1,{path},slides\n")
    with pytest.raises(PrognoscopeError, match="leads out of the study folder"):
        store(request(incoming, media=(str(incoming / "index.csv"),)), workspace)
    assert not workspace.cohort("mine").exists()


def test_an_index_beside_a_link_or_outside_the_roots_is_refused(
    incoming: Path, workspace: Workspace, tmp_path: Path
) -> None:
    outside = tmp_path / "index.csv"
    outside.write_text("id,path,modality\ncase1,own.csv,slides\n")
    with pytest.raises(PrognoscopeError, match="no such study"):
        store(request(incoming, media=(str(outside),)), workspace)
    with pytest.raises(PrognoscopeError, match="no such study"):
        store(request(incoming, families=str(outside)), workspace)
    (incoming / "pictures" / "b.tif").symlink_to(outside)
    with pytest.raises(PrognoscopeError, match="a link"):
        store(request(incoming, media=(str(incoming / "index.csv"),)), workspace)


def test_what_is_in_a_file_is_told_before_it_is_joined(incoming: Path, shared_data: Path) -> None:
    assert look_beside(Join.FAMILIES, incoming / "families.csv").words == "2 families of 4 genes: one (2), two (2)."
    media = look_beside(Join.MEDIA, incoming / "index.csv").words
    assert media == "4 files named: slides 3, reports 1. 1 of them is not there."
    known = look_beside(Join.FAMILIES, shared_data / "tcga" / "signatures.csv").words
    assert known.startswith("6 families of ")
    assert "biotab" in look_beside(Join.CLINICAL, shared_data / "hcc" / "tcga_lihc_biotab").words
    assert "of the GDC" in look_beside(Join.CLINICAL, shared_data / "hcc" / "tcga_lihc_gdc_clinical.tsv").words
    reports = look_beside(Join.REPORTS, shared_data / "reports" / "tcga_liver_path_reports.csv").words
    assert "pathology" in reports


@pytest.mark.parametrize(
    ("join", "content", "says"),
    [
        (Join.FAMILIES, "one,two\n,\n", "no gene family"),
        (Join.CLINICAL, "a,b\n1,2\n", "no clinical table"),
        (Join.REPORTS, "case_id,age\n1,2\n", "no column of texts"),
        (Join.MEDIA, "id,path\n1,a.svs\n", "no column modality"),
    ],
)
def test_a_file_that_is_something_else_is_refused(join: Join, content: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "other.csv"
    path.write_text(content)
    with pytest.raises(PrognoscopeError, match=says):
        look_beside(join, path)
