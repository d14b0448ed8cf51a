"""Comparable and similar patients, simple predictions and markers: the patient is left out of everything they are
compared with."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from core.analysis.patient_estimate import PatientEstimate, own_estimate
from core.analysis.patient_history import Earlier, history_table
from core.analysis.patient_identity import identity
from core.analysis.patient_markers import NOT_USED, USED, markers_of_patient, value_words
from core.analysis.patient_person import Person
from core.analysis.patient_reference import comparable, risk_thirds, simple_predictions
from core.analysis.patient_similar import similar_patients
from core.cohort.cohort import Cohort, Role
from core.cohort.sample import make_sample_cohort
from core.results.own_support import Support
from core.results.run import Metric, Reference
from core.statistics.kaplan_meier import kaplan_meier, survival_at
from tests.pages.builders import make_predictions, make_run

COHORT = make_sample_cohort()[0]
PREDICTIONS = make_predictions(COHORT)
ENSEMBLE = PREDICTIONS.ensemble()
RUN = make_run(COHORT, PREDICTIONS)


def person(patient: str, cohort: Cohort = COHORT) -> Person:
    return Person(patient, cohort, cohort, RUN)


def with_stage(stage: str) -> str:
    return str(COHORT.patients.index[COHORT.patients["stage"] == stage][0])


def estimate(patient: str) -> PatientEstimate:
    found = own_estimate(patient, PREDICTIONS, RUN.horizons, None)
    assert found is not None
    return found


def test_the_reference_is_kaplan_meier_of_the_same_stage_without_the_patient() -> None:
    patient = with_stage("B")
    found = comparable(person(patient), ENSEMBLE, estimate(patient), 36.0)
    mask = ((COHORT.patients["stage"] == "B") & (COHORT.patients.index != patient)).to_numpy()
    outcome = COHORT.endpoint("OS").take(mask)
    by_hand = kaplan_meier(outcome.time, outcome.event)
    assert found.n == mask.sum()
    assert found.curve is not None
    np.testing.assert_array_equal(found.curve.survival, by_hand.survival)
    assert f"{mask.sum()} patients with stage (BCLC-like) B" in found.words
    assert f"{int(outcome.event.sum())} of them died" in found.words


def test_a_rare_stage_gives_way_to_the_same_third_of_risk() -> None:
    patients = COHORT.patients.copy()
    rare = patients.index[patients["stage"] == "B"]
    patients.loc[rare[15:], "stage"] = "A"
    cohort = replace(COHORT, patients=patients)
    one = str(rare[0])
    found = comparable(Person(one, cohort, cohort, RUN), ENSEMBLE, estimate(one), 36.0)
    assert "third of estimated risk" in found.same
    third, thirds = risk_thirds(person(one), ENSEMBLE, estimate(one), 36.0)
    assert found.n == int((thirds == third).sum()) - 1
    place = int(np.flatnonzero(ENSEMBLE.table["id"] == one)[0])
    limits = RUN.thresholds[str(ENSEMBLE.table["fold"].iloc[place])]
    risk = ENSEMBLE.table["risk"].iloc[place]
    assert third == int(risk > limits["low_tertile"]) + int(risk > limits["high_tertile"])


def test_too_few_comparable_patients_are_said_and_not_drawn() -> None:
    few = COHORT.take(np.arange(15))
    patient = few.ids[0]
    ensemble = make_predictions(few).ensemble()
    found = comparable(Person(patient, few, few, RUN), ensemble, estimate(patient), 36.0)
    assert found.curve is None
    assert "at least 20 and 5 are needed" in found.words


def test_a_new_patient_is_placed_by_survival_among_the_out_of_fold_ones() -> None:
    new = replace(COHORT.take(np.array([3])), name="new-1")
    one = Person(new.ids[0], new, COHORT, RUN)
    assert one.others.all()
    low = estimate(new.ids[0])
    worst = replace(low, survival=np.full(len(low.times), 0.01))
    best = replace(low, survival=np.full(len(low.times), 0.99))
    assert risk_thirds(one, ENSEMBLE, worst, 36.0)[0] == 2
    assert risk_thirds(one, ENSEMBLE, best, 36.0)[0] == 0
    thirds = risk_thirds(one, ENSEMBLE, best, 36.0)[1]
    assert np.bincount(thirds).min() > 0.3 * len(ENSEMBLE)


def test_simple_predictions_leave_the_patient_out_and_know_their_limits() -> None:
    patient = with_stage("A")
    stage, albi = simple_predictions(person(patient), 24.0)
    mask = ((COHORT.patients["stage"] == "A") & (COHORT.patients.index != patient)).to_numpy()
    outcome = COHORT.endpoint("OS").take(mask)
    by_hand = survival_at(kaplan_meier(outcome.time, outcome.event), 24.0)
    assert (stage.level, stage.n) == ("A", int(mask.sum()))
    assert (stage.value, stage.low, stage.high) == (by_hand.value, by_hand.low, by_hand.high)
    assert albi.level == str(COHORT.patients.at[patient, "albi_grade"])
    late = simple_predictions(person(patient), 115.0)[0]
    assert late.value is None
    assert "fewer than 20" in late.note


def test_albi_is_graded_from_its_score_where_the_grade_is_not_a_column() -> None:
    patient = with_stage("A")
    graded = simple_predictions(person(patient), 24.0)[1]
    cohort = replace(COHORT, patients=COHORT.patients.drop(columns="albi_grade"))
    again = simple_predictions(Person(patient, cohort, cohort, RUN), 24.0)[1]
    assert (again.level, again.n, again.value) == (graded.level, graded.n, graded.value)


def test_a_twin_is_the_most_similar_and_never_oneself() -> None:
    patient, twin = COHORT.ids[5], COHORT.ids[40]
    patients = COHORT.patients.copy()
    patients.loc[twin] = patients.loc[patient]
    cohort = replace(COHORT, patients=patients)
    survival = ENSEMBLE.survival.copy()
    place = {i: int(np.flatnonzero(ENSEMBLE.table["id"] == i)[0]) for i in (patient, twin)}
    survival[place[twin]] = survival[place[patient]]
    found = similar_patients(Person(patient, cohort, cohort, RUN), replace(ENSEMBLE, survival=survival),
                             estimate(patient), 36.0)  # fmt: skip
    assert found[0].patient == twin
    assert found[0].distance == pytest.approx(0.0, abs=0.01)
    assert patient not in {s.patient for s in found}
    assert found[0].why.startswith("Alike in ")
    outcome = COHORT.endpoint("OS")
    row = COHORT.ids.index(twin)
    assert found[0].outcome.startswith("Death" if outcome.event[row] else "Alive at last contact")
    assert all(a.distance <= b.distance for a, b in itertools.pairwise(found))


def test_what_similar_patients_share_is_true_of_them() -> None:
    for other in similar_patients(person(COHORT.ids[0]), ENSEMBLE, estimate(COHORT.ids[0]), 36.0):
        row = COHORT.patients.loc[other.patient]
        named = [
            c for c in COHORT.patients.columns if f"{COHORT.label(c)} {value_words(COHORT, c, row[c])}" in other.why
        ]
        assert named, other.why


def test_markers_say_whether_the_model_used_them() -> None:
    have = COHORT.availability["clinical"]
    patient = str(have.index[have][0])
    found = {m.column: m for m in markers_of_patient(person(patient))}
    assert found["age"].badge == USED
    assert found["afp"].badge == NOT_USED
    assert found["treatment_arm"].badge == NOT_USED
    assert "site" not in found
    values = COHORT.patients["age"].drop(patient).dropna()
    own = COHORT.patients.at[patient, "age"]
    assert found["age"].place == pytest.approx(((values < own).sum() + 0.5 * (values == own).sum()) / len(values))
    genes_only = Person(patient, COHORT, COHORT, replace(RUN, modalities=("genomics",)))
    assert {m.badge for m in markers_of_patient(genes_only)} == {NOT_USED}


def test_only_what_merely_describes_is_put_aside() -> None:
    columns = {"race": "r", "histology": "h", "neoadjuvant_treatment": "No", "child_pugh_class": "A"}
    cohort = replace(
        COHORT,
        patients=COHORT.patients.assign(**columns),
        roles=COHORT.roles | dict.fromkeys(columns, Role.DESCRIPTION),
    )
    patient = str(COHORT.availability.index[COHORT.availability["clinical"]][0])
    found = {m.column: m.aside for m in markers_of_patient(Person(patient, cohort, cohort, RUN))}
    assert found["race"]
    assert found["histology"]
    assert not any(
        found[c] for c in ("neoadjuvant_treatment", "child_pugh_class", "treatment_arm", "afp", "age", "stage")
    )


def test_who_names_what_is_missing_and_what_that_costs() -> None:
    lacking = str(COHORT.availability.index[~COHORT.availability["genomics"]][0])
    permuted = Reference("this run, genomics permuted", replace(RUN.metrics, harrell_c=Metric(0.58)))
    run = replace(RUN, references=(permuted,))
    found = identity(Person(lacking, COHORT, COHORT, run))
    genes = next(m for m in found.modalities if m.modality == "genomics")
    others = int((~COHORT.availability["genomics"]).sum()) - 1
    assert f"missing. {others} of the other {len(COHORT) - 1} patients" in genes.words
    assert "Harrell C 0.58 instead of 0.66" in genes.words
    slides = next(m for m in found.modalities if m.modality == "slides")
    assert "not read by this run" in slides.words or "does not read it" in slides.words
    assert "months 0 to" in found.observed
    assert found.outcome.startswith(("Death at month", "Alive at last contact"))
    assert any(f.endswith("years") for f in found.facts)


def test_other_estimates_stand_newest_first_under_the_shown_one() -> None:
    one = estimate(COHORT.ids[0])
    old, new = (replace(RUN, id=i, created_at=d) for i, d in (("a", "2026-01-01"), ("b", "2026-03-01")))
    refused = replace(one, support=Support(False, "far", 3.0))
    table = history_table(Earlier(RUN, one, False), (Earlier(old, one, True), Earlier(new, refused, False)), 36.0)
    assert [r.partition(" · ")[0] for r in table["Run of"]] == ["2026-01-02", "2026-03-01", "2026-01-01"]
    assert table["Estimate"].tolist()[1] == "no estimate"
    assert "earlier import" in table["Run of"].iloc[2]
    assert isinstance(table, pd.DataFrame)
