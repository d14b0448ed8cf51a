"""Patients who cannot be overlooked: their names, numbers and dates go in through the pages, and are searched for in
everything that comes out, and in everything that is kept outside the protected part."""

from __future__ import annotations

import io
import logging
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pydicom
import pytest
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid
from streamlit.testing.v1 import AppTest

from core.access.audit_log import LOG, audit_folder
from core.access.audit_search import entries
from core.board.report_content import report_content
from core.board.report_html import report_html
from core.board.report_pdf import report_pdf
from core.board.sources import read_sources
from core.cli.__main__ import main
from core.cohort.modality import Modality
from core.cohort.storage import load_cohort, load_original_ids
from core.jobs.child import run_job
from core.jobs.job import JobState
from core.jobs.ledger import Ledger
from core.jobs.queue import JobQueue
from core.results.run_store import load_predictions, save_run
from core.results.workspace import Workspace
from core.serving.exports import predictions_csv, predictions_url
from core.serving.volumes import scan_files, scan_path
from tests.pages.builders import make_predictions, make_run, page

N = 40
CANARY = re.compile(rb"canaryson|zebulon|mrn-canary|canaryno|1951[-_./]?02|(?<!\d)02[./]1951", re.IGNORECASE)


def canaries(where: str, data: bytes | str) -> list[str]:
    """Each thing found, with where."""
    raw = data.encode("utf-8", "replace") if isinstance(data, str) else data
    return [f"{where}: …{raw[max(0, m.start() - 30) : m.end() + 20]!r}…" for m in CANARY.finditer(raw)]


def original(number: int) -> str:
    return f"MRN-CANARY-{4700 + number}"


def scan() -> bytes:
    """A slice whose header says everything a header can say of a person."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = CTImageStorage, generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    found = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)  # type: ignore[arg-type]
    found.SOPClassUID, found.SOPInstanceUID = CTImageStorage, meta.MediaStorageSOPInstanceUID
    found.SeriesInstanceUID, found.Modality = generate_uid(), "CT"
    found.PatientName, found.PatientID, found.PatientBirthDate = "Canaryson^Zebulon", "CANARYNO88000", "19510203"
    found.SeriesDescription, found.AccessionNumber = "Liver of Zebulon Canaryson", "CANARYNO1"
    found.Rows = found.Columns = 8
    found.PixelSpacing, found.ImageOrientationPatient = [1, 1], [1, 0, 0, 0, 1, 0]
    found.ImagePositionPatient, found.SliceThickness = [0, 0, 0], 1
    found.BitsAllocated, found.BitsStored, found.HighBit, found.PixelRepresentation = 16, 16, 15, 1
    found.SamplesPerPixel, found.PhotometricInterpretation = 1, "MONOCHROME2"
    found.RescaleSlope, found.RescaleIntercept = 1, 0
    found.PixelData = np.arange(64, dtype=np.int16).tobytes()
    stream = io.BytesIO()
    pydicom.dcmwrite(stream, found)
    return stream.getvalue()


def study() -> bytes:
    """A zipped study: a table that tells everything, a scan, a slide and reports named after the patient."""
    table = pd.DataFrame(
        {
            "id": [original(i) for i in range(N)], "time": [3.0 + 1.5 * i for i in range(N)],
            "event": [i % 2 for i in range(N)], "age": [40 + i for i in range(N)],
            "stage": ["I", "II", "III", "IV"] * (N // 4), "patient_name": [f"Zebulon Canaryson {i}" for i in range(N)],
            "birth_date": [f"1951-02-{i % 28 + 1:02d}" for i in range(N)],
            "mrn": [f"CANARYNO{88000 + i}" for i in range(N)],
            "remark": [f"Zebulon Canaryson {i} came on 03.02.1951" for i in range(N)],
        }
    )  # fmt: skip
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("study/patients.csv", table.to_csv(index=False))
        archive.writestr(f"study/volumes/{original(0)}_Zebulon Canaryson/001.dcm", scan())
        archive.writestr(f"study/slides/{original(1)}_Canaryson-1951-02-03.svs", b"no slide at all")
        archive.writestr(f"study/reports/{original(2)}_Zebulon.txt", f"Patient {original(2)}: liver with one lesion.")
    return stream.getvalue()


@pytest.fixture
def kept_log(tmp_path: Path) -> Iterator[Path]:
    """Everything that is logged, by whomever."""
    path = tmp_path / "log.txt"
    handler = logging.FileHandler(path)
    logging.getLogger().addHandler(handler)
    level = logging.getLogger().level
    logging.getLogger().setLevel(logging.DEBUG)
    yield path
    logging.getLogger().setLevel(level)
    logging.getLogger().removeHandler(handler)


def open_page(name: str) -> AppTest:
    return AppTest.from_file(str(page(name)), default_timeout=120).run()


def imported(workspace: Workspace) -> list[str]:
    """Import the study through the wizard, as a person does; what the later pages and the jobs said on the way.

    The first step shows the first lines of the table to who brought it, so that columns can be told apart: nothing of
    that is kept, and it is not searched.
    """
    test = open_page("cohort")
    test.file_uploader[0].upload("study.zip", study()).run()
    test.button(key="import_read").click().run()
    said = work_off(workspace)
    test.run()
    test.checkbox(key="import_agreed").check().run()
    test.button(key="import_continue").click().run()
    said.append(str(test.main))
    test.text_input(key="import_title").set_value("Liver study").run()
    test.text_input(key="import_name").set_value("liver").run()
    test.button(key="import_store").click().run()
    said += work_off(workspace)
    test.run()
    assert not test.exception
    said.append(str(test.main))
    return said


def work_off(workspace: Workspace) -> list[str]:
    """Do the waiting job here instead of in a process of its own; its log."""
    queue = JobQueue(workspace)
    ledger = Ledger(queue.path)
    waiting = ledger.take_next()
    assert waiting is not None
    taken = ledger.begin(waiting.id)
    assert taken is not None
    outcome = run_job(taken, queue, workspace)
    assert not outcome.error
    ledger.finish(taken.id, JobState.DONE, outcome.result)
    return [(queue.root / taken.id / "log.txt").read_text()]


def on_disk(folder: Path, but: tuple[Path, ...]) -> list[str]:
    """What stands in the name or in the content of any file; tables are opened."""
    found = []
    for path in sorted(folder.rglob("*")):
        if any(path.is_relative_to(place) for place in but):
            continue
        found += canaries("a name", str(path.relative_to(folder)))
        if path.suffix == ".parquet":
            found += canaries(path.name, pd.read_parquet(path).reset_index().to_csv())
        elif path.is_file():
            found += canaries(path.name, path.read_bytes())
    return found


def test_no_identifier_leaves_the_protected_part(
    workspace: Workspace, kept_log: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.jobs.supervise.ensure_worker", lambda *_: None)
    found = [x for text in imported(workspace) for x in canaries("the import", text)]
    ids = {o: p for p, o in load_original_ids("liver", workspace).items()}
    assert set(ids) == {original(i) for i in range(N)}  # they did come in, and are known in the protected part alone
    cohort = load_cohort("liver", workspace)
    predictions = make_predictions(cohort)
    save_run(make_run(cohort, predictions), predictions, workspace)
    for name in ("cohort", "survival", "patient", "board", "train", "compare", "evidence"):
        found += canaries(f"the page {name}", str(open_page(name)._tree))
    found += exports(workspace, ids)
    damaged = workspace.root.parent / "table.csv"
    damaged.write_text("".join(f"{line}\n" for line in ("id,time,event", *[f"{original(0)},3,{n}" for n in range(9)])))
    for words in (
        ["import", str(damaged), "--name", "damaged"], ["explain", "hdmoe-1", ids[original(0)]],
        ["report", "hdmoe-1", ids[original(0)], "--to", "/nowhere/x.pdf"],
        ["export-features", "liver", "--to", "/nowhere"],
    ):  # fmt: skip
        assert main(words) == 1  # each fails, and says so without saying of whom
        captured = capsys.readouterr()
        found += canaries(f"the command {words[0]}", captured.out + captured.err)
    files = scan_files("liver", ids[original(0)], workspace)
    assert len(files) == 1
    assert files[0].modality is Modality.VOLUMES
    found += canaries("an address", scan_path("liver", ids[original(0)], 0) + predictions_url("hdmoe-1", "v" * 32))
    for private in (workspace.protected, workspace.media):  # the media lie there as they were brought
        assert private.stat().st_mode & 0o077 == 0
    found += on_disk(workspace.root, (workspace.protected, workspace.media))
    found += canaries("the log", kept_log.read_bytes())
    found += canaries("the audit log", (audit_folder(workspace) / LOG).read_bytes())
    assert not found, "\n".join(found)
    actions = {str(e.action) for e in entries(workspace)}
    assert {"import", "cohort-opened", "export", "explanation"} <= actions


def exports(workspace: Workspace, ids: dict[str, str]) -> list[str]:
    """Files that people take along."""
    found = canaries("predictions", predictions_csv(load_predictions("hdmoe-1", workspace)))
    content = report_content(read_sources("hdmoe-1", "liver", workspace), ids[original(0)], 36.0)
    found += canaries("report", report_html(content)) + canaries("report", report_pdf(content))
    card, log = workspace.root.parent / "card.html", workspace.root.parent / "audit.jsonl"
    assert main(["card", "hdmoe-1", "--to", str(card)]) == 0
    assert main(["audit-log", "export", "--out", str(log)]) == 0
    return found + canaries("card", card.read_bytes()) + canaries("audit export", log.read_bytes())
