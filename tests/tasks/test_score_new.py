"""A new patient goes through the same pipeline as everybody: the numbers of a copy are the numbers of the original,
what does not match is masked with its reason, and a failure leaves nothing behind."""

from __future__ import annotations

import csv
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from core.analysis.deletion import cohort_deletion, remove_cohort
from core.cli.__main__ import main
from core.cohort.cohort import Cohort
from core.cohort.new_patient_form import GivenFile, form_fields, stage_form
from core.cohort.storage import list_cohorts, load_cohort, load_original_ids, save_cohort
from core.cohort.uploads import keep_upload
from core.errors import PrognoscopeError
from core.results.evaluation import Repeats
from core.results.explained import Kind, has_explanation
from core.results.explanation import load_explanation
from core.results.prediction_set import list_prediction_sets
from core.results.workspace import Workspace
from core.tasks.explain import ExplainRequest, explain
from core.tasks.predict import PredictRequest, predict
from core.tasks.score_new import ScoreNewRequest, score_new
from core.tasks.train import TrainRequest, train
from tests.tasks.scoring_cohort import make_cohort

SMALL = {"family_hidden": 8, "width": 16, "training.epochs": 2}
FEW = Repeats(harrell=20, other=5, calibration=2)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, str]:
    workspace = Workspace(tmp_path_factory.mktemp("new"))
    save_cohort(make_cohort(), None, workspace)
    request = TrainRequest("one", "snn", seeds=2, settings=SMALL, horizons=(12.0, 24.0), references=False, processes=1)
    return workspace, train(request, workspace).id


def stranger() -> Cohort:
    """One patient of another cohort, with genes."""
    two = make_cohort(40, "two", seed=5, prefix="Q")
    return two.take(np.flatnonzero(two.availability["genomics"])[:1])


def gene_file(patient: Cohort, factor: float = 1.0) -> GivenFile:
    assert patient.genomics is not None
    values = [f"{factor * v:.9g}" for v in patient.genomics.values[0]]
    text = f"{','.join(patient.genomics.columns)}\n{','.join(values)}\n"
    return GivenFile("genes.csv", text.encode())


def test_a_patient_typed_in_gets_the_number_of_the_same_patient_imported(trained: tuple[Workspace, str]) -> None:
    workspace, run = trained
    patient = stranger()
    save_cohort(patient, None, workspace)
    expected = predict(PredictRequest(run, "two", FEW), workspace)
    base = load_cohort("one", workspace)
    fields = form_fields(base, ("genomics", "clinical"))
    answers = {f.column: patient.patients[f.column].iloc[0] for f in fields}
    folder = stage_form(answers, fields, workspace, genes=gene_file(patient))
    found = score_new(ScoreNewRequest(run, str(folder), "new-1", "New patient"), workspace)
    assert found.members == 10
    assert (found.table["members"] == 10).all()
    np.testing.assert_allclose(found.survival, expected.survival, atol=1e-6)
    np.testing.assert_allclose(found.low, expected.low, atol=1e-6)
    assert found.table["supported"].tolist() == expected.table["supported"].tolist()
    assert not folder.exists()
    stored = load_cohort("new-1", workspace)
    assert stored.ids[0].startswith("P-")
    assert len(load_original_ids("new-1", workspace)) == 1
    assert not stored.endpoint("OS").known.any()


def test_genes_in_another_unit_are_masked_with_the_reason(trained: tuple[Workspace, str]) -> None:
    workspace, run = trained
    patient = stranger()
    fields = form_fields(load_cohort("one", workspace), ("genomics", "clinical"))
    folder = stage_form({"age": 61.0, "sex": "male"}, fields, workspace, genes=gene_file(patient))
    request = ScoreNewRequest(run, str(folder), "new-2", gene_units={"rnaseq": "TPM"})
    found = score_new(request, workspace)
    assert "rnaseq in 'TPM', the run was trained on 'z-score'" in found.masked["genomics"]
    folder = stage_form({"age": 61.0}, fields, workspace, genes=gene_file(patient, 40.0))
    found = score_new(ScoreNewRequest(run, str(folder), "new-3"), workspace)
    assert "on another scale" in found.masked["genomics"]


def test_a_zip_with_units_in_brackets_and_an_own_id(trained: tuple[Workspace, str], tmp_path: Path) -> None:
    workspace, run = trained
    path = tmp_path / "case.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("case/patients.csv", "id,Age [years],SEX,time\nHOSP-4711,70,M,12\n")
        archive.writestr("case/notes/readme.txt", "nothing")
    given = keep_upload(path.name, path.read_bytes(), workspace)
    score_new(ScoreNewRequest(run, str(given), "new-4"), workspace)
    stored = load_cohort("new-4", workspace)
    assert stored.patients["age"].tolist() == [70.0]
    assert stored.patients["sex"].tolist() == ["male"]
    assert stored.units["age"] == "years"
    assert "HOSP" not in "".join(p.name for p in workspace.root.rglob("*"))
    assert list(load_original_ids("new-4", workspace).values()) == ["HOSP-4711"]


def test_a_failure_leaves_nothing_of_the_patient(trained: tuple[Workspace, str], tmp_path: Path) -> None:
    workspace, run = trained
    before = {c.name for c in list_cohorts(workspace)}
    sets = len(list_prediction_sets(None, workspace))
    bad = keep_upload("patients.csv", b"id,age\n1,60\n", workspace)  # a table where a folder is asked for
    with pytest.raises(PrognoscopeError, match=r"no patients\.csv"):
        score_new(ScoreNewRequest(run, str(bad), "new-5"), workspace)
    fields = form_fields(load_cohort("one", workspace), ("clinical",))
    folder = stage_form({"age": 60.0}, fields, workspace)
    (workspace.run(run) / "predictions.parquet").rename(tmp_path / "aside")
    try:
        with pytest.raises(PrognoscopeError):
            score_new(ScoreNewRequest(run, str(folder), "new-6"), workspace)
    finally:
        (tmp_path / "aside").rename(workspace.run(run) / "predictions.parquet")
    assert {c.name for c in list_cohorts(workspace)} == before
    assert len(list_prediction_sets(None, workspace)) == sets
    assert not workspace.media_of("new-6").exists()
    assert not folder.exists()


def test_an_attempt_that_was_stopped_goes_on(trained: tuple[Workspace, str]) -> None:
    workspace, run = trained
    fields = form_fields(load_cohort("one", workspace), ("clinical",))
    request = ScoreNewRequest(run, str(stage_form({"age": 60.0}, fields, workspace)), "new-7")
    first = score_new(request, workspace)
    again = score_new(request, workspace)
    np.testing.assert_array_equal(first.survival, again.survival)
    taken = stage_form({"age": 60.0}, fields, workspace)
    with pytest.raises(PrognoscopeError, match="exists"):
        score_new(ScoreNewRequest(run, str(taken), "new-7"), workspace)
    assert load_cohort("new-7", workspace).ids == tuple(again.table["id"])


@pytest.mark.parametrize(
    ("answers", "words"),
    [({"age": 140.0}, "cannot be"), ({"age": -1.0}, "cannot be"), ({}, "nothing about the patient")],
)
def test_impossible_answers_are_refused(answers: dict[str, object], words: str, trained: tuple[Workspace, str]) -> None:
    workspace, _ = trained
    fields = form_fields(load_cohort("one", workspace), ("clinical",))
    with pytest.raises(PrognoscopeError, match=words):
        stage_form(answers, fields, workspace)


def test_the_form_asks_for_the_runs_fields_with_units_and_ranges(trained: tuple[Workspace, str]) -> None:
    workspace, _ = trained
    base = load_cohort("one", workspace)
    age, sex = form_fields(base, ("clinical",))
    assert (age.words, age.used, age.least, age.most) == ("Age (years)", True, 0.0, 120.0)
    assert age.low == base.patients["age"].min()
    assert age.outside(float(base.patients["age"].max()) + 1)
    assert sex.levels == ("female", "male")
    assert not form_fields(base, ("genomics",))[0].used


def test_a_line_of_the_table_holds_commas_safely(trained: tuple[Workspace, str]) -> None:
    workspace, _ = trained
    base = load_cohort("one", workspace)
    fields = form_fields(base, ("clinical",))
    folder = stage_form({"sex": 'ma,le"'}, fields, workspace)
    with (folder / "patients.csv").open(newline="") as stream:
        assert next(iter(csv.DictReader(stream)))["sex"] == 'ma,le"'


def test_a_new_patients_estimate_is_explained_by_all_models(trained: tuple[Workspace, str]) -> None:
    workspace, run = trained
    fields = form_fields(load_cohort("one", workspace), ("clinical",))
    folder = stage_form({"age": 71.0, "sex": "male"}, fields, workspace, genes=gene_file(stranger()))
    found = score_new(ScoreNewRequest(run, str(folder), "new-8"), workspace)
    patient = str(found.table["id"].iloc[0])
    explain(ExplainRequest(run, patient, 24.0, ("values",), "new-8"), workspace)
    stored = load_explanation(run, patient, 24.0, workspace)
    assert stored.models == 10
    assert stored.prediction == pytest.approx(100 * found.at(24.0)["survival"].iloc[0], abs=1e-4)
    total = stored.baseline + stored.features["value"].sum() + stored.residual
    assert total == pytest.approx(stored.prediction, abs=1e-6)
    assert {"age", "sex"} <= {str(n).partition("=")[0] for n in stored.features["name"]}
    with pytest.raises(PrognoscopeError, match="gives no estimate"):
        explain(ExplainRequest(run, patient, 24.0, ("values",)), workspace)
    assert "the explanations of the estimates of 1 patient" in cohort_deletion("new-8", workspace).goes
    remove_cohort("new-8", workspace)
    assert not has_explanation(Kind.VALUES, run, patient, 24.0, workspace)


def test_the_same_id_is_not_estimated_twice_by_one_run(trained: tuple[Workspace, str], tmp_path: Path) -> None:
    """Explanations are kept under run and pseudonym: those of one set of files must not lie on another."""
    workspace, run = trained
    (tmp_path / "patients.csv").write_text("id,age,sex\nHOSP-9,58,female\n")
    first = score_new(ScoreNewRequest(run, str(tmp_path), "new-10"), workspace)
    (tmp_path / "patients.csv").write_text("id,age,sex\nHOSP-9,78,male\n")
    with pytest.raises(PrognoscopeError, match="has estimated before") as refused:
        score_new(ScoreNewRequest(run, str(tmp_path), "new-11"), workspace)
    assert "new-10" in str(refused.value)
    assert "HOSP-9" not in str(refused.value)
    assert not workspace.cohort("new-11").exists()
    remove_cohort("new-10", workspace)
    again = score_new(ScoreNewRequest(run, str(tmp_path), "new-11"), workspace)
    assert not np.allclose(again.survival, first.survival)


def test_the_command_line_scores_a_folder_and_leaves_it_where_it_is(
    trained: tuple[Workspace, str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace, run = trained
    monkeypatch.setenv("PROGNOSCOPE_WORKSPACE", str(workspace.root))
    (tmp_path / "patients.csv").write_text("id,age,sex\n77,58,female\n")
    assert main(["score-new", str(tmp_path), "--run", run, "--name", "new-9", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out.strip().splitlines()[-1])
    assert answer["cohort"] == "new-9"
    assert len(answer["patients"]) == 1
    assert 0 < answer["patients"][0]["survival"]["12"] < 1
    assert (tmp_path / "patients.csv").is_file()
    assert main(["score-new", str(tmp_path / "nowhere"), "--run", run, "--json"]) == 1
