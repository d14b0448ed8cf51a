"""The sample cohort: deterministic, labelled, incomplete on purpose, and its planted truth can be found."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pandas as pd
import pytest
from lifelines import CoxPHFitter
from scipy.stats import spearmanr

from core.cohort.cohort import Cohort, Role
from core.cohort.sample import SampleTruth, make_sample_cohort, save_sample
from core.cohort.storage import list_cohorts, load_cohort
from core.results.workspace import Workspace


@pytest.fixture(scope="module")
def sample() -> tuple[Cohort, SampleTruth]:
    return make_sample_cohort()


def cox(cohort: Cohort, **columns: np.ndarray) -> pd.DataFrame:
    os = cohort.endpoint("OS")
    frame = pd.DataFrame({**columns, "t": os.time, "e": os.event}).dropna()
    return CoxPHFitter().fit(frame, "t", "e").summary


def test_same_seed_same_cohort_other_seed_another(sample: tuple[Cohort, SampleTruth]) -> None:
    cohort, truth = sample
    again, _ = make_sample_cohort()
    assert again.content_hash == cohort.content_hash
    other, _ = make_sample_cohort(seed=1)
    assert other.content_hash != cohort.content_hash
    assert len(make_sample_cohort(200)[0]) == 200
    assert truth.ids == cohort.ids


def test_slides_scans_and_reports_changed_no_table(sample: tuple[Cohort, SampleTruth]) -> None:
    """The digest is that of the tables before the cohort had any of them."""
    cohort, _ = sample
    assert cohort.genomics is not None
    digest = hashlib.sha256(cohort.patients.round(6).to_csv().encode())
    for endpoint in cohort.endpoints.values():
        for array in (endpoint.entry, endpoint.time, endpoint.codes):
            digest.update(np.ascontiguousarray(array).tobytes())
    digest.update(np.ascontiguousarray(cohort.genomics.values).tobytes())
    digest.update(cohort.availability[["genomics", "clinical"]].to_numpy(dtype=bool).tobytes())
    assert digest.hexdigest() == "ef6e968cbeb839016345f48718b2adccc9481142fd87613099e5cccbe1433ca0"


def test_what_the_media_will_show_loads_on_its_cause(sample: tuple[Cohort, SampleTruth]) -> None:
    cohort, truth = sample
    found, burden, reserve = truth.findings, truth.latents["tumour_burden"], truth.latents["liver_reserve"]
    for column, cause, loading in (
        ("high_risk_share", burden, 0.90),
        ("washout", burden, 0.70),
        ("uptake", reserve, 0.80),
        ("nodularity", reserve, -0.70),
        ("lymphocytes", found["immune_response"].to_numpy(), 0.97),
    ):
        assert abs(spearmanr(found[column], cause).statistic - loading) < 0.12, column
    immune = found["immune_response"].to_numpy()
    assert abs(spearmanr(immune, burden).statistic) < 0.15
    assert abs(spearmanr(immune, reserve).statistic) < 0.15
    table = cox(cohort, reserve=reserve, burden=burden, immune=immune)
    assert table.loc["immune", "z"] < -5
    wide = found["slide_width"].to_numpy() >= 16000
    assert wide.sum() == 3
    assert cohort.availability["slides"].to_numpy()[wide].all()


def test_it_says_that_it_is_synthetic_everywhere(sample: tuple[Cohort, SampleTruth], workspace: Workspace) -> None:
    cohort, _ = sample
    assert cohort.synthetic
    assert "generated" in cohort.title
    assert all(i.startswith("SYN-") for i in cohort.ids)
    assert cohort.genomics is not None
    assert all(c.startswith("SYN") for c in cohort.genomics.columns)
    save_sample(workspace)
    assert list_cohorts(workspace)[0].synthetic


def test_size_events_families_and_missing_modalities(sample: tuple[Cohort, SampleTruth]) -> None:
    cohort, truth = sample
    n = len(cohort)
    assert n >= 160
    assert 0.55 <= cohort.endpoint("OS").event.mean() <= 0.60
    assert cohort.genomics is not None
    assert len(cohort.genomics.families) == 6
    assert all(40 <= len(v) <= 66 for v in cohort.genomics.families.values())
    assert len(truth.planted) == 12
    for modality in ("genomics", "clinical", "slides", "volumes", "reports"):
        assert (~cohort.availability[modality]).sum() == round(0.15 * n)
    assert cohort.availability.any(axis=1).all()
    assert cohort.patients["site"].nunique() >= 5


def test_the_twelve_planted_genes_rank_at_the_top_of_a_univariate_screen(sample: tuple[Cohort, SampleTruth]) -> None:
    cohort, truth = sample
    genes = cohort.genomics
    assert genes is not None
    strength = {
        column: abs(float(cox(cohort, x=genes.values[:, i])["z"].iloc[0]))
        for i, column in enumerate(genes.columns)
        if column.endswith("_rnaseq")
    }
    ranked = sorted(strength, key=strength.__getitem__, reverse=True)
    assert len(set(ranked[:15]) & set(truth.planted)) >= 11


def test_each_latent_shows_in_its_markers_and_in_survival(sample: tuple[Cohort, SampleTruth]) -> None:
    cohort, truth = sample
    reserve, burden = truth.latents["liver_reserve"], truth.latents["tumour_burden"]
    p = cohort.patients
    for marker, latent, sign in (
        ("albumin", reserve, 1),
        ("bilirubin", reserve, -1),
        ("albi", reserve, -1),
        ("inr", reserve, -1),
        ("afp", burden, 1),
        ("tumour_size", burden, 1),
    ):
        assert sign * spearmanr(p[marker], latent, nan_policy="omit").statistic > 0.5, marker
    assert abs(spearmanr(p["afp"], reserve, nan_policy="omit").statistic) < 0.25
    table = cox(cohort, reserve=reserve, burden=burden)
    assert table.loc["reserve", "z"] < -5
    assert table.loc["burden", "z"] > 5


def test_the_arm_works_by_interaction_and_was_given_at_random(sample: tuple[Cohort, SampleTruth]) -> None:
    cohort, truth = sample
    arm = (cohort.patients["treatment_arm"] == "combined").to_numpy(dtype=float)
    burden, reserve = truth.latents["tumour_burden"], truth.latents["liver_reserve"]
    table = cox(cohort, arm=arm, burden=burden, reserve=reserve, both=arm * burden)
    assert table.loc["both", "coef"] < 0
    assert table.loc["both", "p"] < 0.001
    planted = truth.coefficients["arm_by_tumour_burden"]
    assert abs(table.loc["both", "coef"] - planted) < 3 * table.loc["both", "se(coef)"]
    assert abs(spearmanr(arm, burden).statistic) < 0.15
    assert cohort.roles["treatment_arm"] is Role.DESCRIPTION


def test_endpoints_are_three_readings_of_one_course(sample: tuple[Cohort, SampleTruth]) -> None:
    cohort, _ = sample
    os, pfs, dwt = (cohort.endpoint(n) for n in ("OS", "PFS", "DWT"))
    assert (pfs.time <= os.time).all()
    assert pfs.event[os.event].all()
    assert dwt.has_competing
    assert dwt.competing_label == "liver transplant"
    assert not (dwt.event & dwt.competing).any()
    assert (dwt.time <= os.time).all()
    assert {e.time_zero for e in (os, pfs, dwt)} == {"diagnosis"}


def test_laboratory_values_are_markers_and_never_inputs(sample: tuple[Cohort, SampleTruth]) -> None:
    cohort, _ = sample
    assert cohort.columns(Role.INPUT) == ("age", "sex", "stage", "grade")
    assert {"bilirubin", "albumin", "inr", "platelets", "afp", "albi", "child_pugh"} <= set(cohort.columns(Role.MARKER))


def test_the_truth_lies_beside_the_cohort_and_not_in_it(workspace: Workspace) -> None:
    save_sample(workspace)
    path = workspace.cohorts / "sample.truth.json"
    truth = json.loads(path.read_text())
    assert set(truth["latents"]) == {"liver_reserve", "tumour_burden"}
    assert len(truth["planted"]) == 12
    cohort = load_cohort("sample", workspace)
    assert not {"liver_reserve", "tumour_burden", "log_hazard"} & set(cohort.patients.columns)
    assert {p.name for p in workspace.cohort("sample").iterdir()}.isdisjoint({"truth.json"})
