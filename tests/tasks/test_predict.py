"""A stored run scores other patients: the same numbers as its own, whatever the order of columns, and no number where
it has no ground to stand on."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.cli.__main__ import main
from core.cohort.cohort import Cohort
from core.cohort.site_cohorts import split_by_site, split_into
from core.cohort.storage import load_cohort, save_cohort
from core.errors import PrognoscopeError
from core.results.evaluation import Repeats
from core.results.prediction_set import Kind, PredictionSet, list_prediction_sets, load_prediction_set
from core.results.run_store import load_predictions
from core.results.workspace import Workspace
from core.serving.exports import estimates_csv
from core.statistics.discrimination import harrell_c
from core.tasks.predict import PredictRequest, predict
from core.tasks.train import TrainRequest, train
from tests.tasks.scoring_cohort import GENES, make_cohort

FEW = Repeats(harrell=20, other=5, calibration=2)
SMALL = {
    "family_hidden": 16,
    "width": 32,
    "training.epochs": 10,
    "training.learning_rate": 6e-3,
    "training.batch_size": 16,
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, str]:
    """A workspace with a cohort and an SNN run of five folds and two seeds."""
    workspace = Workspace(tmp_path_factory.mktemp("predict"))
    save_cohort(make_cohort(), None, workspace)
    request = TrainRequest("one", "snn", seeds=2, settings=SMALL, horizons=(12.0, 24.0), references=False, processes=1)
    return workspace, train(request, workspace).id


def scored(trained: tuple[Workspace, str], cohort: Cohort) -> PredictionSet:
    workspace, run = trained
    save_cohort(cohort, None, workspace)
    return predict(PredictRequest(run, cohort.name, FEW), workspace)


def strangers(n: int = 60) -> Cohort:
    return make_cohort(n, "two", seed=5, prefix="Q")


def with_genes(cohort: Cohort, values: np.ndarray, **changes: object) -> Cohort:
    genomics = replace(cohort.genomics, values=np.asarray(values, dtype=np.float32), **changes)
    return replace(cohort, genomics=genomics)


def test_a_patient_of_the_run_gets_the_stored_out_of_fold_prediction_bit_for_bit(
    trained: tuple[Workspace, str],
) -> None:
    workspace, run = trained
    found = predict(PredictRequest(run, "one", FEW), workspace)
    stored = load_predictions(run, workspace)
    expected = {
        name: stored.survival[np.flatnonzero(stored.table["id"] == name)].sum(axis=0) / 2 for name in found.table["id"]
    }
    shown = found.table["supported"].to_numpy()
    assert found.table["overlap"].all()
    assert (found.table["members"] == 2).all()
    assert shown.mean() > 0.9
    wanted = np.stack([expected[name] for name in found.table["id"]])
    np.testing.assert_array_equal(found.survival[shown], wanted[shown])
    assert found.agreement == ()
    assert "trained on all of these" in found.no_agreement
    assert "200 patients" in found.warnings[0]


def test_overlapping_patients_are_kept_out_of_the_metrics_and_new_ones_are_judged_by_all(
    trained: tuple[Workspace, str],
) -> None:
    workspace, _ = trained
    old = load_cohort("one", workspace).take(np.arange(30))
    new = strangers(60)
    mixed = replace(
        new,
        name="mixed",
        patients=pd.concat([old.patients, new.patients]),
        availability=pd.concat([old.availability, new.availability]),
        genomics=replace(new.genomics, values=np.concatenate([old.genomics.values, new.genomics.values])),
        endpoints={
            "OS": replace(
                new.endpoint(),
                **{
                    k: np.concatenate([getattr(old.endpoint(), k), getattr(new.endpoint(), k)])
                    for k in ("entry", "time", "event", "competing")
                },
            )
        },
    )
    found = scored(trained, mixed)
    assert found.overlap == 30
    assert found.table["members"].tolist() == [2] * 30 + [10] * 60
    everyone, supported = found.agreement
    assert everyone.patients == 60
    assert supported.patients == int(found.table["supported"].to_numpy()[30:].sum())
    alone = scored(trained, replace(new, name="alone"))
    np.testing.assert_allclose(found.survival[30:], alone.survival, rtol=1e-5)
    rows = np.flatnonzero(alone.table["supported"])
    end = new.endpoint()
    by_hand = harrell_c(end.time[rows], end.event[rows], alone.table["risk"].to_numpy()[rows])
    assert alone.agreement[1].metrics is not None
    assert alone.agreement[1].metrics.harrell_c.mean == pytest.approx(by_hand)
    assert by_hand > 0.6


def test_risk_is_the_share_of_time_lost_and_the_spread_surrounds_the_mean(trained: tuple[Workspace, str]) -> None:
    found = scored(trained, strangers())
    shown = found.table["supported"].to_numpy()
    until = found.times <= found.tau
    curves = np.concatenate([np.ones((len(found), 1)), found.survival[:, until]], axis=1)[shown]
    grid = np.concatenate([[0.0], found.times[until]])
    lived = ((curves[:, 1:] + curves[:, :-1]) / 2 * np.diff(grid)).sum(axis=1)
    np.testing.assert_allclose(found.table["risk"][shown], 1 - lived / found.tau)
    at = found.at(12.0)[shown]
    assert (at["low"] <= at["high"]).all()
    assert (at["survival"] <= at["high"] + 0.05).all()


def test_genes_are_aligned_by_name_whatever_their_order_and_company(trained: tuple[Workspace, str]) -> None:
    plain = strangers()
    order = np.random.default_rng(1).permutation(GENES)
    values = np.concatenate([plain.genomics.values[:, order], np.ones((60, 3), dtype=np.float32)], axis=1)
    columns = (*(plain.genomics.columns[i] for i in order), "X1_rnaseq", "X2_rnaseq", "X3_rnaseq")
    moved = with_genes(plain, values, columns=columns, families={"all genes": tuple(range(GENES + 3))})
    first, second = scored(trained, plain), scored(trained, replace(moved, name="moved"))
    np.testing.assert_array_equal(first.survival, second.survival)
    assert first.table["supported"].tolist() == second.table["supported"].tolist()


@pytest.mark.parametrize(
    ("unit", "change", "words"),
    [
        ("log2 counts", lambda v: v, "'log2 counts'"),
        ("as given", lambda v: 2 * v + 9, "another scale"),
        ("z-score", lambda v: np.exp2(v + 8), "another scale"),
    ],
)
def test_genes_in_another_unit_are_masked_with_the_reason(
    trained: tuple[Workspace, str], unit: str, change: object, words: str
) -> None:
    plain = strangers()
    other = with_genes(plain, change(plain.genomics.values), units={"rnaseq": unit})  # type: ignore[operator]
    found = scored(trained, replace(other, name="unit"))
    assert words in found.masked["genomics"]
    without = with_genes(plain, np.full_like(plain.genomics.values, np.nan))
    expected = scored(trained, replace(without, name="without"))
    np.testing.assert_array_equal(found.survival, expected.survival)
    assert found.table["supported"].mean() > 0.9, "a tenth of the training patients had no genes either"


def test_columns_and_categories_the_run_does_not_know_are_counted(trained: tuple[Workspace, str]) -> None:
    plain = strangers()
    patients = plain.patients.assign(sex=["unknown"] * 5 + list(plain.patients["sex"][5:])).rename(
        columns={"age": "Age"}
    )
    roles = {"Age": plain.roles["age"], "sex": plain.roles["sex"], "site": plain.roles["site"]}
    keep = np.arange(GENES) >= 6
    fewer = with_genes(
        plain,
        plain.genomics.values[:, keep],
        columns=tuple(c for c, k in zip(plain.genomics.columns, keep, strict=True) if k),
        families={"all genes": tuple(range(GENES - 6))},
    )
    found = scored(trained, replace(fewer, name="fewer", patients=patients, roles=roles, units={"Age": "Years"}))
    counts = {words.split(" ")[0] + "|" + words: count for words, count in found.notes}
    assert [c for w, c in counts.items() if "sex" in w] == [5]
    assert [c for w, c in counts.items() if "gene columns" in w] == [6]
    assert not found.masked
    in_days = replace(fewer, name="days", patients=patients, roles=roles, units={"Age": "days"})
    assert any("in days" in words for words, _ in scored(trained, in_days).notes)


def test_half_of_the_genes_missing_masks_all_of_them(trained: tuple[Workspace, str]) -> None:
    plain = strangers()
    some = with_genes(
        plain, plain.genomics.values[:, :25], columns=plain.genomics.columns[:25], families={"f": tuple(range(25))}
    )
    found = scored(trained, replace(some, name="half"))
    assert "58%" in found.masked["genomics"]
    assert (found.table["members"] == 10).all()


def test_an_outlier_gets_no_number_and_a_reason(trained: tuple[Workspace, str]) -> None:
    plain = strangers()
    values = plain.genomics.values.copy()
    values[3] = -4.0
    values[4] = np.random.default_rng(3).permutation(plain.genomics.values[4] * 3)
    patients = plain.patients.copy()
    patients.loc[patients.index[7], "age"] = 150.0
    found = scored(trained, replace(with_genes(plain, values), name="odd", patients=patients))
    by_id = {p["id"]: p for p in found.patients_json()}
    for row, block in ((3, "genomics"), (4, "genomics"), (7, "clinical")):
        patient = by_id[plain.ids[row]]
        assert patient["supported"] is False
        assert block in patient["reason"]
        assert "5 of 5 folds" in patient["reason"]
        assert patient["risk"] is None
        assert patient["survival"] == {"12": None, "24": None}
        assert patient["distance"] > 1
    assert found.table["supported"].mean() > 0.85


def test_missing_what_no_training_patient_missed_is_outside_the_support(trained: tuple[Workspace, str]) -> None:
    plain = strangers()
    bare = plain.patients.assign(age=np.nan, sex=None)
    found = scored(trained, replace(plain, name="bare", patients=bare))
    assert not found.table["supported"].any()
    has_genes = plain.genomics.present
    assert "clinical missing" in found.table["reason"][np.flatnonzero(has_genes)[0]]
    assert "nothing the run reads" in found.table["reason"][np.flatnonzero(~has_genes)[0]]


def test_another_cancer_is_transfer_and_a_cancer_without_a_name_is_neither(trained: tuple[Workspace, str]) -> None:
    assert scored(trained, strangers()).kind is Kind.VALIDATION
    assert scored(trained, replace(strangers(), name="lung", title="TCGA-LUAD")).kind is Kind.TRANSFER
    assert scored(trained, replace(strangers(), name="what", title="our patients")).kind is Kind.UNSTATED


def test_another_event_is_not_compared(trained: tuple[Workspace, str]) -> None:
    plain = strangers()
    relapse = replace(plain.endpoint(), event_label="relapse")
    found = scored(trained, replace(plain, name="relapse", endpoints={"OS": relapse}))
    assert found.agreement == ()
    assert "relapse" in found.no_agreement


def test_a_set_comes_back_whole_and_its_export_holds_no_number_without_support(
    trained: tuple[Workspace, str],
) -> None:
    workspace, _ = trained
    plain = strangers()
    values = plain.genomics.values.copy()
    values[0] = 9.0
    found = scored(trained, replace(with_genes(plain, values), name="stored"))
    again = load_prediction_set(found.id, workspace)
    assert again.patients_json() == found.patients_json()
    assert again.agreement == found.agreement
    np.testing.assert_array_equal(again.low, found.low)
    assert [s.id for s in list_prediction_sets("stored", workspace)] == [found.id]
    table = pd.read_csv(io.StringIO(estimates_csv(again)))
    assert table.loc[~table["supported"], ["risk", "S(12)", "low(12)", "high(24)"]].isna().all(axis=None)
    assert table.loc[table["supported"], "risk"].notna().all()
    (workspace.prediction(found.id) / "estimates.parquet").write_bytes(b"x")
    with pytest.raises(PrognoscopeError, match="altered"):
        load_prediction_set(found.id, workspace)


def test_a_run_without_scoring_files_says_what_to_do(trained: tuple[Workspace, str], tmp_path: Path) -> None:
    import shutil

    from core.results.files import MANIFEST, read_json, write_json

    workspace, run = trained
    old = Workspace(tmp_path)
    shutil.copytree(workspace.run(run), old.run(run))
    save_cohort(strangers(), None, old)
    folder = old.run(run)
    (folder / "checkpoints" / "inputs.safetensors").unlink()
    kept = {k: v for k, v in read_json(folder / MANIFEST).items() if not k.endswith("inputs.safetensors")}
    write_json(folder / MANIFEST, kept)
    with pytest.raises(PrognoscopeError, match="train it again"):
        predict(PredictRequest(run, "two", FEW), old)


def test_the_command_prints_the_keys_of_the_contract(
    trained: tuple[Workspace, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import json

    workspace, run = trained
    save_cohort(replace(strangers(40), name="cli"), None, workspace)
    monkeypatch.setenv("PROGNOSCOPE_WORKSPACE", str(workspace.root))
    assert main(["predict", "--run", run, "--cohort", "cli", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert {"run", "cohort", "patients"} <= set(answer)
    assert len(answer["patients"]) == 40
    for patient in answer["patients"]:
        assert {"id", "risk", "survival", "low", "high", "supported", "reason"} <= set(patient)
        assert patient["supported"] == (patient["risk"] is not None)
        assert patient["supported"] == (patient["reason"] == "")


def test_a_site_becomes_a_cohort_of_its_own(workspace: Workspace) -> None:
    cohort = make_cohort()
    save_cohort(cohort, {i: f"original-{i}" for i in cohort.ids}, workspace)
    rest, held = split_into(workspace, "one", ("largest",))
    assert (rest.name, held.name) == ("one-without-b", "one-only-b")
    assert set(held.patients["site"]) == {"B"}
    assert set(rest.ids) | set(held.ids) == set(cohort.ids)
    assert not set(rest.ids) & set(held.ids)
    stored = load_cohort("one-only-b", workspace)
    assert cohort.content_hash[:12] in " ".join(stored.provenance.notes)
    rows = [cohort.ids.index(i) for i in held.ids]
    np.testing.assert_array_equal(stored.genomics.values, cohort.genomics.values[rows])
    with pytest.raises(PrognoscopeError, match="largest sites"):
        split_by_site(cohort, ("Z",), "a", "b")


@pytest.mark.parametrize("model", ["hdmoe", "late-fusion", "forest", "kaplan-meier"])
def test_every_kind_of_estimator_is_restored_and_repeats_its_own_predictions(workspace: Workspace, model: str) -> None:
    small: dict[str, dict[str, object]] = {
        "hdmoe": {"width": 32, "token_dim": 8, "family_hidden": 16, "expert_hidden": 16, "training.epochs": 1},
        "late-fusion": {"family_hidden": 16, "width": 32, "training.epochs": 1},
        "forest": {"trees": 10},
    }
    save_cohort(make_cohort(), None, workspace)
    asked = TrainRequest(
        "one", model, folds="2", seeds=1, settings=small.get(model, {}), horizons=(12.0,), references=False, processes=1
    )
    run = train(asked, workspace)
    found = predict(PredictRequest(run.id, "one", FEW), workspace)
    stored = load_predictions(run.id, workspace)
    order = [list(stored.table["id"]).index(i) for i in found.table["id"]]
    shown = found.table["supported"].to_numpy()
    assert shown.mean() > 0.85
    np.testing.assert_array_equal(found.survival[shown], stored.survival[order][shown])
    bare = replace(strangers(), name="bare", patients=strangers().patients.assign(age=np.nan, sex=None))
    save_cohort(bare, None, workspace)
    without = predict(PredictRequest(run.id, "bare", FEW), workspace).table["supported"]
    # a model a modality needs no training patient without the other; one model of both does
    any_modality = model in ("late-fusion", "kaplan-meier")
    assert (without[bare.genomics.present].mean() > 0.8) if any_modality else not without.any()


def test_bags_are_scored_as_they_were_encoded_and_masked_where_they_were_not(
    workspace: Workspace, tmp_path: Path
) -> None:
    from core.cohort.modality import Modality
    from core.tasks.encode import EncodeRequest, encode
    from tests.tasks.media_cohort import make_media_cohort

    made = make_media_cohort(workspace, tmp_path, patients=60, reports=40)
    encode(EncodeRequest("study", (Modality.REPORTS,), processes=1), workspace)
    asked = TrainRequest("study", "snn", folds="2", seeds=1, settings=SMALL, references=False, processes=1)
    run = train(asked, workspace)
    assert "reports" in run.modalities
    found = predict(PredictRequest(run.id, "study", FEW), workspace)
    stored = load_predictions(run.id, workspace)
    order = [list(stored.table["id"]).index(i) for i in found.table["id"]]
    shown = found.table["supported"].to_numpy()
    assert shown.mean() > 0.4, "thirty training patients a fold: too few lacked each modality"
    assert found.table["reason"].str.contains("reports .* times as far").mean() < 0.1
    np.testing.assert_array_equal(found.survival[shown], stored.survival[order][shown])
    save_cohort(replace(made.cohort, name="raw"), None, workspace)
    masked = predict(PredictRequest(run.id, "raw", FEW), workspace).masked
    assert "./run cli encode raw --modalities reports --encoder reports=lexicon" in masked["reports"]
