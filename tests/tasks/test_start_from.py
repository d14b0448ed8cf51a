"""A training that goes on from another run's models: the same patients in the same folds, inputs by name."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from core.cli.__main__ import main
from core.cohort.cohort import Cohort
from core.cohort.combining import combine_into
from core.cohort.folds import Folds
from core.cohort.storage import load_cohort, save_cohort
from core.errors import PrognoscopeError
from core.results.run_store import load_predictions
from core.results.workspace import Workspace
from core.tasks.predict import PredictRequest, predict
from core.tasks.train import TrainRequest, train
from tests.tasks.scoring_cohort import GENES, make_cohort

SMALL = {"width": 32, "gene_hidden": 16, "clinical_hidden": 16, "rank": 8, "overlapping": 4, "keep": 2,
         "training.epochs": 2, "training.learning_rate": 3e-3}  # fmt: skip
NOTHING = {"training.epochs": 1, "training.learning_rate": 0.0}


def folded(cohort: Cohort, turn: int = 0) -> Cohort:
    return replace(cohort, folds={"published": Folds("published", (np.arange(len(cohort)) + turn) % 2)})


def one(name: str, prefix: str, seed: int) -> Cohort:
    return folded(make_cohort(90, name, seed, prefix, f"TCGA-{name.upper()}"))


def request(cohort: str, start: str = "", **settings: object) -> TrainRequest:
    return TrainRequest(cohort, "mice", folds="published", seeds=1, settings=settings, horizons=(12.0, 24.0),
                        references=False, processes=1, start_from=start)  # fmt: skip


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, str]:
    """Two cancers, the two together, and a run on them together."""
    workspace = Workspace(tmp_path_factory.mktemp("start"))
    for cohort in (one("lihc", "L", 1), one("blca", "B", 2)):
        save_cohort(cohort, None, workspace)
    combine_into(workspace, ("lihc", "blca"), "pan")
    return workspace, train(request("pan", **SMALL), workspace).id


def risks(workspace: Workspace, run: str) -> pd.Series:
    return load_predictions(run, workspace).table.set_index("id")["risk"]


def test_without_a_step_it_is_the_run_it_started_from(trained: tuple[Workspace, str]) -> None:
    workspace, pan = trained
    run = train(request("lihc", pan, **NOTHING), workspace)
    started = risks(workspace, run.id)
    assert len(started) == 90
    assert started.to_numpy() == pytest.approx(risks(workspace, pan).loc[started.index].to_numpy(), abs=1e-6)
    assert run.config["start_from"] == pan


def test_inputs_are_taken_by_name(trained: tuple[Workspace, str]) -> None:
    workspace, pan = trained
    cohort = load_cohort("lihc", workspace)
    order = np.random.default_rng(0).permutation(GENES)
    place = np.argsort(order)
    genes = cohort.genomics
    assert genes is not None
    families = {name: tuple(int(place[c]) for c in members) for name, members in genes.families.items()}
    other = replace(genes, values=genes.values[:, order], columns=tuple(genes.columns[i] for i in order),
                    families=families)  # fmt: skip
    save_cohort(replace(cohort, name="shuffled", genomics=other), None, workspace)
    started = risks(workspace, train(request("shuffled", pan, **NOTHING), workspace).id)
    assert started.to_numpy() == pytest.approx(risks(workspace, pan).loc[started.index].to_numpy(), abs=1e-6)


def test_it_learns_further_and_predicts_new_patients(trained: tuple[Workspace, str]) -> None:
    workspace, pan = trained
    run = train(request("lihc", pan, **{"training.epochs": 1, "alpha": 0.0}), workspace)
    assert np.abs(risks(workspace, run.id) - risks(workspace, pan)).dropna().max() > 1e-4
    save_cohort(make_cohort(20, "new", 7, "N", "TCGA-LIHC"), None, workspace)
    assert np.isfinite(predict(PredictRequest(run.id, "new"), workspace).table["risk"]).any()


def test_a_patient_the_first_model_saw_is_refused_by_pseudonym(trained: tuple[Workspace, str]) -> None:
    workspace, pan = trained
    cohort = load_cohort("lihc", workspace)
    turned = cohort.folds["published"].test_fold.copy()
    turned[5] = 1 - turned[5]
    save_cohort(replace(cohort, name="turned", folds={"published": Folds("published", turned)}), None, workspace)
    with pytest.raises(PrognoscopeError, match=f"1 patient tested here .* {cohort.ids[5]}"):
        train(request("turned", pan), workspace)


def test_what_cannot_go_on_is_refused(trained: tuple[Workspace, str]) -> None:
    workspace, pan = trained
    with pytest.raises(PrognoscopeError, match="another shape"):
        train(request("lihc", pan, width=16), workspace)
    save_cohort(folded(make_cohort(40, "luad", 3, "U", "TCGA-LUAD")), None, workspace)
    with pytest.raises(PrognoscopeError, match="40 patients of a cancer the run does not know"):
        train(request("luad", pan), workspace)
    with pytest.raises(PrognoscopeError, match="a run of mice, to start snn"):
        train(replace(request("lihc", pan), model="snn"), workspace)
    with pytest.raises(PrognoscopeError, match="3 seeds, the run has 1"):
        train(replace(request("lihc", pan), seeds=3), workspace)


def test_a_run_on_several_cancers_is_evaluated_within_each(
    trained: tuple[Workspace, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace, pan = trained
    monkeypatch.setenv("PROGNOSCOPE_WORKSPACE", str(workspace.root))
    assert main(["evaluate", pan, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out.splitlines()[-1])
    rows = answer["by_cancer"]["cancers"]
    assert [(r["cancer"], r["patients"]) for r in rows] == [("blca", 90), ("lihc", 90)]
    mean = np.mean([r["harrell_c"]["mean"] for r in rows])
    assert answer["by_cancer"]["mean"]["mean"] == pytest.approx(mean)
    assert main(["evaluate", pan]) == 0
    assert "mean of the cancers" in capsys.readouterr().out
