"""The studies of MICE on a small cohort of three cancers: what is left out stays out, and nothing is computed twice."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from core.cohort.combining import combine_into
from core.cohort.folds import Folds
from core.cohort.modality import Modality
from core.cohort.storage import save_cohort
from core.models.mice.config import MICEConfig
from core.results.workspace import Workspace
from core.statistics.discrimination import harrell_c
from core.tasks import bench_mice_data, bench_mice_left_out, bench_mice_missing, bench_mice_sweeps, mice_pretraining
from core.tasks.bench import BenchResult
from core.tasks.mice_pretraining import Pan, left_out_folder, model_of, predicted, share_of, unseen
from core.tasks.mice_study import COHORT, expected_words, mice_training, pan_cohort
from core.tasks.train import silent
from tests.tasks.scoring_cohort import make_cohort

NAMES = ("blca", "kirc", "lihc")
SMALL = partial(MICEConfig, width=32, gene_hidden=16, clinical_hidden=16, rank=8, overlapping=4, keep=2)
G, C = Modality.GENOMICS, Modality.CLINICAL


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    workspace = Workspace(tmp_path_factory.mktemp("studies"))
    for i, name in enumerate(NAMES):
        cohort = make_cohort(60, f"tcga-{name}", i, name[0].upper(), f"TCGA-{name.upper()}")
        folds = {"published": Folds("published", np.arange(60) % 5)}
        save_cohort(replace(cohort, folds=folds), None, workspace)
    combine_into(workspace, [f"tcga-{n}" for n in NAMES], COHORT)
    return workspace


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (mice_pretraining, bench_mice_sweeps):
        monkeypatch.setattr(module, "MICEConfig", SMALL)
        monkeypatch.setattr(module, "pan_training", lambda: mice_training(epochs=1))
    monkeypatch.setattr(mice_pretraining, "mice_training", lambda: mice_training(epochs=1))
    for module in (bench_mice_left_out, bench_mice_data, bench_mice_missing, bench_mice_sweeps):
        monkeypatch.setattr(module, "PROCESSES", 1)
    for module in (bench_mice_left_out, bench_mice_data):
        monkeypatch.setattr(module, "QUICK_CANCERS", ("lihc",))
    monkeypatch.setattr("core.tasks.mice_study.write_svg", lambda figures, folder: [])


def by_name(result: BenchResult) -> dict[str, float]:
    return {row.name: row.value for row in result.rows}


def test_a_cancer_left_out_is_never_trained_on(workspace: Workspace, tmp_path: Path) -> None:
    said: list[str] = []
    evidence = tmp_path / "EVIDENCE.md"
    result = bench_mice_left_out.bench_left_out(workspace, False, lambda s, m: said.append(m), evidence)
    assert "4 trainings, 0 finished before: about 2 min" in said[0]
    pan = Pan.of(pan_cohort(workspace), workspace)
    folder = left_out_folder(pan, "tcga-lihc", 2, 1)
    assert model_of(folder, 0, 0).preparation.groups == ("tcga-blca", "tcga-kirc")
    cs = [0.0, 0.0]
    for fold in (0, 1):
        rows = pan.rows("tcga-lihc", fold, test=True)
        assert {pan.dataset.inputs.groups[i] for i in rows} == {"tcga-lihc"}
        outcome = pan.dataset.outcome.take(rows)
        found = predicted(pan, unseen(folder, "tcga-lihc", fold, 0), rows, fold, 0).table["risk"].to_numpy()
        cs[fold] = harrell_c(outcome.time, outcome.event, found)
    value = by_name(result)["LIHC, never saw the cancer"]
    assert min(cs) - 1e-4 <= value <= max(cs) + 1e-4  # pairs of both folds together
    text = evidence.read_text(encoding="utf-8")
    assert "<!-- mice-left-out: begin" in text
    assert "| LIHC | never saw the cancer |" in text


def test_shares_lie_within_each_other_and_a_second_run_trains_nothing(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = np.arange(100)
    quarter, half = (set(share_of(rows, s, 0, 0).tolist()) for s in (0.25, 0.5))
    assert (len(quarter), len(half), quarter < half) == (25, 50, True)
    evidence = tmp_path / "EVIDENCE.md"
    first = bench_mice_data.bench_data(workspace, False, silent, evidence)
    assert len(first.rows) == 1 + 4 * 3
    monkeypatch.setattr(bench_mice_data, "_fit", pytest.fail)
    again = bench_mice_data.bench_data(workspace, False, silent, evidence)
    assert by_name(again) == by_name(first)


def test_hidden_modalities_are_nested_and_never_a_patients_last(workspace: Workspace) -> None:
    inputs = Pan.of(pan_cohort(workspace), workspace).dataset.inputs
    few, many = (bench_mice_missing.hide(inputs, C, share, 0).present[C] for share in (0.2, 0.8))
    assert not (many & ~few).any()
    assert many[~inputs.present[G]].all()
    could = int((inputs.present[C] & inputs.present[G]).sum())
    assert int((~many).sum()) == round(0.8 * could)
    assert inputs.present[C].all()


def test_the_expected_time_counts_what_is_left() -> None:
    assert expected_words(14, 14).endswith("about 0 min on 2 cores; stop and start again at any time")
    assert "about 5 min" in expected_words(14, 12, 5.0)
    assert "about 7.5 h" in expected_words(180, 0, 5.0)
