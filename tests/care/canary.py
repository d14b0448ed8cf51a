"""A workspace in which one patient has left traces wherever the program leaves any."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from safetensors.numpy import save_file

from core.cohort.cohort import Cohort
from core.cohort.importing import import_into
from core.cohort.media_index import load_media, save_media
from core.cohort.own_folds import folds_folder
from core.cohort.storage import load_cohort, load_original_ids
from core.jobs.queue import JobQueue
from core.results.board_store import Verdict, add_patients, new_board, note_opinion
from core.results.explained import Kind, explained_folder
from core.results.feature_records import EncodedModality, FeatureRecord, save_record
from core.results.files import new_folder, write_json
from core.results.prediction_set import save_prediction_set
from core.results.run_store import save_run
from core.results.views import save_view
from core.results.workspace import Workspace
from tests.analysis.test_deletion import estimates
from tests.pages.builders import make_predictions, make_run

PATIENTS = 40
SKIPPED = ("uploads", "desktop", "incoming", "backups")
GONE, OTHER = "canary-case7", "canary-case8"


@dataclass(frozen=True)
class Planted:
    """The workspace, and the erased patient's and another's pseudonym."""

    workspace: Workspace
    pseudonym: str
    other: str


def study(folder: Path) -> Path:
    root = folder / "study"
    rows = ["id,time,event,age,stage"]
    random = np.random.default_rng(1)
    for i in range(PATIENTS):
        name = f"canary-case{i}"
        rows.append(f"{name},{random.integers(3, 90)},{int(random.random() < 0.6)},{50 + i % 30},{'I' * (1 + i % 3)}")
        (root / name / "reports").mkdir(parents=True)
        (root / name / "reports" / "ct.txt").write_text(f"Patient {name}: a lesion of {i} cm. Compare {GONE}.")
    (root / "patients.csv").write_text("\n".join(rows) + "\n")
    return root


def planted(workspace: Workspace, tmp_path: Path) -> Planted:
    """Import, a run, and one trace of every kind of :data:`GONE`."""
    import_into(workspace, study(tmp_path), "clinic")
    originals = {o: p for p, o in load_original_ids("clinic", workspace).items()}
    gone, other = originals[GONE], originals[OTHER]
    cohort = load_cohort("clinic", workspace)
    predictions = make_predictions(cohort)
    save_run(make_run(cohort, predictions, "hdmoe-clinic"), predictions, workspace)
    _results(workspace, cohort, gone, other)
    _traces(workspace, gone, other)
    return Planted(workspace, gone, other)


def _results(workspace: Workspace, cohort: Cohort, gone: str, other: str) -> None:
    own, shared = "a" * 64, "b" * 64
    encoded = EncodedModality("lexicon", 1, {}, 1, ("x",), {gone: own, other: shared}, ((gone, "unreadable"),))
    save_record(FeatureRecord("clinic", {"reports": encoded}, {"reports": (encoded,)}), workspace)
    for key in (own, shared):
        save_file({"features": np.ones((1, 1), np.float32)}, workspace.features / f"{key}.safetensors")
    found = estimates("set-1", "hdmoe-clinic", "clinic")
    table = pd.concat([found.table.assign(id=i) for i in (gone, other)], ignore_index=True)
    curve = np.full((2, 1), 0.8)
    values = {**vars(found), "table": table, "survival": curve, "low": curve, "high": curve}
    save_prediction_set(type(found)(**values), workspace)
    for patient in (gone, other):
        with new_folder(explained_folder(Kind.REPORT, "hdmoe-clinic", patient, None, workspace)) as folder:
            write_json(folder / "evidence.json", {"patient": patient})
    with new_folder(workspace.cells / "000") as folder:
        pd.DataFrame({"id": [gone, other], "risk": [0.1, 0.2]}).to_parquet(folder / "predictions.parquet")
    write_json(workspace.cells / "maps-1.json", {"patients": [gone]})
    index = load_media("clinic", workspace)
    home = workspace.media_of("clinic") / "unpacked" / GONE / "slides"
    home.mkdir(parents=True)
    (home / "scan.gz").write_bytes(gzip.compress(GONE.encode()))
    first = index.of(gone)[0]
    extra = type(first)(gone, first.modality, first.kind, str(home / "scan.gz"), "second")
    save_media("clinic", type(index)((*index.files, extra)), workspace)
    folds = folds_folder("clinic", workspace)
    folds.mkdir(parents=True)
    pd.DataFrame({"id": cohort.ids, "fold": 0}).to_csv(folds / "own-12345678.csv", index=False)


def _traces(workspace: Workspace, gone: str, other: str) -> None:
    board = new_board("Monday", "IRB 1", "clinic", "hdmoe-clinic", 12.0, workspace)
    add_patients(board.id, (gone, other), workspace)
    note_opinion(board.id, gone, Verdict.AGREE, "a thought", workspace)
    note_opinion(board.id, other, Verdict.UNSURE, f"as {gone}", workspace)
    save_view({"patient": gone}, workspace)
    save_view({"patient": other}, workspace)
    queue = JobQueue(workspace)
    for patient in (gone, other):
        queue.submit("explain", {"run": "hdmoe-clinic", "patient": patient}, "Explain a patient")
    (workspace.root / "desktop").mkdir()
    write_json(workspace.root / "desktop" / "hdmoe-clinic-1.json", {"patient": gone})
    (workspace.root / "jobs" / "resident.log").write_text(f"KeyError: '{gone}'\nanother line\n")
    upload = workspace.root / "uploads" / "f00"
    upload.mkdir(parents=True)
    with zipfile.ZipFile(upload / "study.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("patients.csv", f"id\n{GONE}\n")
    (workspace.root / ".half.0f.tmp").write_text(gone)


def every_kind(name: str) -> dict[str, bytes]:
    """Files of every kind that is opened, each with a name inside that does not stand in its bytes (or does)."""
    words = f"before {name} after"
    table, arrays, packed, inner = io.BytesIO(), io.BytesIO(), io.BytesIO(), io.BytesIO()
    pd.DataFrame({"a": [words] * 50}).to_parquet(table, compression="zstd")
    np.savez_compressed(arrays, names=np.array([name, "x"]))
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("deep.txt", words * 20)
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inner.zip", inner.getvalue())
    import zlib

    return {
        "table.parquet": table.getvalue(),
        "arrays.npz": arrays.getvalue(),
        "packed.zip": packed.getvalue(),
        "volume.nii.gz": gzip.compress(words.encode() * 20),
        "page.pdf": b"%PDF-1.4\nstream\n" + zlib.compress(words.encode() * 20) + b"\nendstream",
        "plain.json": json.dumps({"x": name}).encode(),
        "border.bin": bytes(131072 - 5) + name.encode() + bytes(100),
    }


def contents(root: Path) -> dict[str, bytes]:
    found = {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}
    ignored = ("-media.parquet", "outside-media.json", ".lock", "-wal", "-shm", "queue.sqlite", "backups.json")
    return {k: v for k, v in found.items() if not k.startswith((*SKIPPED, ".")) and not k.endswith(ignored)}
