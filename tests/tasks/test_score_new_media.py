"""A new patient with a slide, a scan, a report and genes in a folder: the same estimate as the same files imported,
encoded and scored as a cohort."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np

from core.cohort.media_index import MediaFile, MediaIndex, MediaKind, load_media, save_media
from core.cohort.modality import Modality
from core.cohort.storage import load_cohort, save_cohort
from core.results.evaluation import Repeats
from core.results.workspace import Workspace
from core.tasks.encode import EncodeRequest, encode
from core.tasks.predict import PredictRequest, predict
from core.tasks.score_new import ScoreNewRequest, score_new
from core.tasks.train import TrainRequest, train
from tests.tasks.media_cohort import MediaCohort, make_media_cohort

SMALL = {"width": 16, "token_dim": 8, "family_hidden": 8, "expert_hidden": 8, "training.epochs": 1}
FEW = Repeats(harrell=20, other=5, calibration=2)


def folder_of(made: MediaCohort, row: int, target: Path) -> Path:
    """The patient as a clinic would hand it in: a table with genes, and the files as they are."""
    cohort, own = made.cohort, "CASE-12345"
    assert cohort.genomics is not None
    inputs = {c: cohort.patients[c].iloc[row] for c in ("age", "sex", "stage", "grade")}
    genes = dict(zip(cohort.genomics.columns, (f"{v:.9g}" for v in cohort.genomics.values[row]), strict=True))
    cells = {"id": own, **{k: v for k, v in inputs.items() if v == v and v is not None}, **genes}
    target.mkdir()
    (target / "patients.csv").write_text(f"{','.join(cells)}\n{','.join(map(str, cells.values()))}\n")
    for file in made.index.of(cohort.ids[row]):
        source = Path(file.path)
        place = {MediaKind.SLIDE: "slides", MediaKind.VOLUME: "volumes", MediaKind.MASK: "masks"}.get(
            file.kind, "reports"
        )
        copy = target / place / f"{own}_{file.label or 'file'}{''.join(source.suffixes)}"
        copy.parent.mkdir(exist_ok=True)
        shutil.copy(source, copy)
    return target


def test_the_same_files_give_the_same_estimate(workspace: Workspace, tmp_path: Path) -> None:
    made = make_media_cohort(workspace, tmp_path, patients=60, slides=56, volumes=56, reports=58)
    encode(EncodeRequest("study", processes=1), workspace)
    request = TrainRequest(
        "study", "hdmoe", folds="2", seeds=1, processes=1, settings=SMALL, references=False, horizons=(12.0,)
    )  # fmt: skip
    run = train(request, workspace)
    assert len(run.modalities) == 5
    row = int(np.flatnonzero(made.cohort.availability.all(axis=1))[0])

    alone = replace(made.cohort.take(np.array([row])), name="alone")
    alone = replace(
        alone, patients=alone.patients.set_axis(["X-1"]), availability=alone.availability.set_axis(["X-1"]), folds={}
    )  # fmt: skip
    save_cohort(alone, None, workspace)
    files = tuple(replace(f, patient="X-1") for f in made.index.of(made.cohort.ids[row]))
    save_media("alone", MediaIndex(files), workspace)
    encode(EncodeRequest("alone", processes=1), workspace)
    expected = predict(PredictRequest(run.id, "alone", FEW), workspace)

    found = score_new(ScoreNewRequest(run.id, str(folder_of(made, row, tmp_path / "case")), "new-1"), workspace)
    assert dict(found.masked) == {}
    assert found.table["members"].tolist() == [2]
    np.testing.assert_allclose(found.survival, expected.survival, atol=1e-6)
    stored = load_cohort("new-1", workspace)
    assert stored.availability.all(axis=None)
    assert set(stored.availability.columns) == {m.value for m in Modality}
    media: tuple[MediaFile, ...] = load_media("new-1", workspace).files
    assert {f.patient for f in media} == set(stored.ids)
    assert not [f for f in media if "CASE-12345" in f.label]
