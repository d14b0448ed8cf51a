"""Slides and reports of one patient explained as a job does it: from files to stored records that pages read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.cohort.media_index import MediaKind, load_media
from core.media.reports import read_report
from core.results.explained import Kind
from core.results.explanation_trust import load_trust
from core.results.report_evidence import load_report_evidence
from core.results.slide_maps import load_slide_maps
from core.results.workspace import Workspace
from core.tasks.encode import EncodeRequest, encode
from core.tasks.explain import ExplainRequest, explain
from core.tasks.train import TrainRequest, train
from tests.tasks.media_cohort import REPORTS, SLIDES, make_media_cohort

SETTINGS = {"width": 16, "training.epochs": 2, "training.batch_size": 16}


@pytest.mark.slow
def test_a_patients_slides_and_reports(workspace: Workspace, tmp_path: Path) -> None:
    made = make_media_cohort(workspace, tmp_path, patients=60, slides=5, reports=60)
    encode(EncodeRequest("study", (SLIDES, REPORTS), processes=1), workspace)
    run = train(
        TrainRequest("study", "mice", (SLIDES, REPORTS), folds="2", seeds=2, settings=SETTINGS, horizons=(2.0,),
                     references=False, processes=1),
        workspace,
    )  # fmt: skip
    patient = made.cohort.ids[0]
    done = explain(ExplainRequest(run.id, patient, 2.0, ("slide", "report")), workspace)
    assert set(done.made) == {Kind.SLIDE, Kind.REPORT}

    maps = load_slide_maps(run.id, patient, workspace)
    assert maps.models == 2
    assert len(maps.coordinates) == len(maps.slides)
    assert maps.sides == {0: 224.0}
    attention = maps.layer("attention")
    assert attention is not None
    assert attention.values.sum() == pytest.approx(1.0, abs=1e-4)
    assert {"expert-expert-groups-consensual", "relevance", "uncertainty"} <= {x.key for x in maps.layers}
    assert len(maps.cohort_quantiles["relevance"]) == 101

    found = load_report_evidence(run.id, patient, workspace)
    text = read_report(load_media("study", workspace).of(patient, REPORTS, MediaKind.REPORT)[0].path)
    words = [text[s.start : s.end] for s in found.sentences]
    assert any("lesion" in w for w in words)
    assert {s.part for s in found.sentences} <= {"liver", "tumour", "other"}
    assert all(np.isfinite(s.effect) for s in found.sentences)
    assert sum(s.weight or 0 for s in found.sentences) == pytest.approx(1.0, abs=1e-4)

    slides, reports = load_trust(run.id, Kind.SLIDE, workspace), load_trust(run.id, Kind.REPORT, workspace)
    assert slides is not None
    assert reports is not None
    assert not slides.planted  # nothing was planted in these files
    assert [n.name for n in slides.numbers] == ["the models agree"]
    assert patient not in "".join(str(p) for p in workspace.explanations.rglob("*"))
