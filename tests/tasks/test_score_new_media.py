"""A new patient with a slide, a scan, a report and genes in a folder: the same estimate as the same files imported,
encoded and scored as a cohort, and the same explanations as all models together give of them."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.cohort.media_index import MediaFile, MediaIndex, MediaKind, load_media, save_media
from core.cohort.modality import Modality
from core.cohort.storage import load_cohort, save_cohort
from core.explain.patch_evidence import patch_evidence
from core.results.evaluation import Repeats
from core.results.explained import Kind
from core.results.explanation import load_explanation
from core.results.explanation_trust import load_trust
from core.results.report_evidence import load_report_evidence
from core.results.scan_maps import load_scan_maps
from core.results.slide_maps import load_slide_maps
from core.results.workspace import Workspace
from core.tasks.encode import EncodeRequest, encode
from core.tasks.explain import ExplainRequest, explain
from core.tasks.predict import PredictRequest, predict
from core.tasks.run_models import open_run
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


def test_the_same_files_give_the_same_estimate(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.explain.scan_ablation.MOST_SECONDS", 2.0)
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
    _explained_by_all_models(
        workspace, run.id, stored.ids[0], made.cohort.ids[row], float(found.at(12.0)["survival"][0])
    )


def _explained_by_all_models(workspace: Workspace, run: str, patient: str, original: str, survival: float) -> None:
    """``original`` is the patient of the run's cohort whose files were handed in."""
    done = explain(ExplainRequest(run, patient, 12.0, cohort="new-1"), workspace)
    assert set(done.made) == set(Kind)
    own, every = open_run(run, workspace), [0, 1]

    maps = load_slide_maps(run, patient, workspace)
    assert maps.models == len(every)
    row = np.array([own.row(original)])
    expected = []
    for fold in every:
        fitted = own.model(fold, 0)
        batch = fitted.preparation.tensors(own.inputs.take(row)).batch(np.array([0]))
        expected.append(patch_evidence(fitted, batch, 12.0, ()).relevance)
    relevance = maps.layer("relevance")
    assert relevance is not None
    np.testing.assert_allclose(relevance.values, np.mean(expected, axis=0), atol=1e-5)
    assert len(maps.cohort_quantiles["relevance"]) == 101

    scan = load_scan_maps(run, patient, workspace)
    assert scan.models == len(every)
    assert scan.prediction == pytest.approx(100 * survival, abs=1e-3)
    painted = next(x for x in scan.layers if x.key == "shared")
    assert np.any(painted.values)

    report = load_report_evidence(run, patient, workspace)
    assert report.prediction == pytest.approx(100 * survival, abs=1e-3)
    assert any(s.effect for s in report.sentences)

    values = load_explanation(run, patient, 12.0, workspace)
    assert values.models == len(every)
    assert values.prediction == pytest.approx(100 * survival, abs=1e-3)
    assert set(values.features["group"]) == {m.value for m in Modality}
    for kind in (Kind.SLIDE, Kind.REPORT):  # measured on the run's own patients, never on the new one
        trust = load_trust(run, kind, workspace)
        assert trust is not None
        assert trust.patients > 1
