"""The audit's numbers on models whose content is known, and the words that give a marker away."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core.cohort.cohort import Cohort
from core.cohort.marker_blocks import dominance, markers_of
from core.cohort.sample import make_sample_cohort
from core.features.marker_mentions import mentioned, redact
from core.results.audit import labels_of
from core.routing.factor_models import FactorModel
from core.statistics.selectivity import FoldEmbedding
from core.tasks.audit_numbers import block_scores, fold_selectivity, gate_association, mean_gate, stability
from core.tasks.audit_treatment import treatment_terms


@pytest.fixture(scope="module")
def cohort() -> Cohort:
    return make_sample_cohort()[0]


@pytest.fixture(scope="module")
def latents() -> dict[str, np.ndarray]:
    return dict(make_sample_cohort()[1].latents)


def planted_models(
    latents: dict[str, np.ndarray], seeds: int = 2, folds: int = 4, swap: bool = False
) -> list[FactorModel]:
    """Models whose liver expert shows the liver reserve and whose gate follows the tumour's dominance."""
    reserve, burden = latents["liver_reserve"], latents["tumour_burden"]
    n = len(reserve)
    models = []
    for seed in range(seeds):
        for fold in range(folds):
            rng = np.random.default_rng(100 * seed + fold)
            shown = {"liver": reserve, "tumour": burden} if not swap else {"liver": burden, "tumour": reserve}
            experts = {k: np.outer(v, rng.normal(size=8)) + rng.normal(size=(n, 8)) for k, v in shown.items()}
            tumour = 1 / (1 + np.exp(-(burden + reserve + 0.5 * rng.normal(size=n))))
            embedding = FoldEmbedding(np.arange(n), np.arange(n) % folds == fold, experts)
            models.append(
                FactorModel(fold, seed, ("liver", "tumour"), embedding, np.stack([1 - tumour, tumour], axis=1))
            )
    return models


def test_inputs_and_rare_markers_are_skipped_with_the_reason(cohort: Cohort) -> None:
    markers = markers_of(cohort, 30)
    assert markers.skipped["stage"] == "an input of the model"
    assert {m for m, b in markers.blocks.items() if b == "tumour"} == {
        "log10_afp", "tumour_size", "tumour_number", "vascular_invasion",
    }  # fmt: skip
    for values in markers.values.values():
        known = values[np.isfinite(values)]
        if len(np.unique(known)) > 50:
            assert (known.mean(), known.std()) == (pytest.approx(0.0, abs=0.02), pytest.approx(1.0, abs=0.05))


def test_planted_factors_are_selective_and_swapped_ones_the_other_way_round(
    cohort: Cohort, latents: dict[str, np.ndarray]
) -> None:
    markers = markers_of(cohort, 30)
    found, rows = block_scores(planted_models(latents), markers.values, markers.blocks, 99)
    assert {b: s.p for b, s in found.items()} == {"liver": 0.01, "tumour": 0.01}
    assert all(r.own > r.other for r in rows)
    assert all(r.p_corrected >= r.p for r in rows)
    swapped, _ = block_scores(planted_models(latents, swap=True), markers.values, markers.blocks, 99)
    assert all(s.value < 0 for s in swapped.values())
    assert (labels_of(found), labels_of(swapped), labels_of({})) == ("as named", "swapped", "not shown")
    single = fold_selectivity(planted_models(latents), markers.values, markers.blocks)
    assert all(len(v) == 8 and v.mean() > 0.1 for v in single.values())


def test_the_gate_follows_the_measured_dominance(cohort: Cohort, latents: dict[str, np.ndarray]) -> None:
    markers = markers_of(cohort, 30)
    measured = dominance(markers.values, markers.blocks)
    assert measured is not None
    planted = latents["tumour_burden"] + latents["liver_reserve"]  # little reserve is liver disease
    assert np.corrcoef(measured, planted)[0, 1] > 0.8
    models = planted_models(latents)
    found = gate_association(models, measured, 199)
    assert found is not None
    assert found.correlation > 0.6
    assert found.p == pytest.approx(0.005)
    rng = np.random.default_rng(0)
    noise = [FactorModel(m.fold, m.seed, m.names, m.embedding, rng.dirichlet([1, 1], len(m.gate))) for m in models]
    nothing = gate_association(noise, measured, 199)
    assert nothing is not None
    assert abs(nothing.correlation) < 0.2
    gate = mean_gate(models, len(cohort))
    known = np.isfinite(measured)
    assert sum(b.patients for b in found.bins) == found.patients == known.sum()
    weights = [b.weight for b in found.bins]
    assert weights == sorted(weights)
    assert np.average(weights, weights=[b.patients for b in found.bins]) == pytest.approx(gate[known].mean())
    own = [m.gate[7, 1] for m in models if m.embedding.tested[7]]
    assert gate[7] == pytest.approx(np.mean(own))


def test_equal_seeds_agree_wholly_and_unrelated_ones_not_at_all(latents: dict[str, np.ndarray]) -> None:
    one = planted_models(latents, seeds=1)
    twice = [*one, *(FactorModel(m.fold, 1, m.names, m.embedding, m.gate) for m in one)]
    same = stability(twice)
    assert same is not None
    assert (same.rank_correlation, same.rand_index) == (pytest.approx(1.0), pytest.approx(1.0))
    rng = np.random.default_rng(3)
    other = [FactorModel(m.fold, 1, m.names, m.embedding, rng.dirichlet([1, 1], len(m.gate))) for m in one]
    none = stability([*one, *other])
    assert none is not None
    assert abs(none.rank_correlation) < 0.25
    assert abs(none.rand_index) < 0.15


def test_treatment_needs_ten_events_a_term_and_finds_the_planted_interaction() -> None:
    cohort, truth = make_sample_cohort(patients=1500)
    risk, gate = truth.log_hazard, 1 / (1 + np.exp(-truth.latents["tumour_burden"]))
    liver = -truth.latents["liver_reserve"]
    endpoint = cohort.endpoint("OS")
    found = treatment_terms(cohort, endpoint, "treatment_arm", risk, gate, liver)
    assert not found.reason
    by_term = {t.term: t for t in found.terms}
    assert set(found.arms) == {"combined", "standard"}
    assert by_term["risk"].hazard_ratio > 1.5
    few = treatment_terms(
        cohort.take(np.arange(60)),
        cohort.take(np.arange(60)).endpoint("OS"),
        "treatment_arm",
        risk[:60],
        gate[:60],
        liver[:60],
    )
    assert "it needs 60" in few.reason
    later = treatment_terms(cohort, endpoint, "treatment_arm", risk, gate, liver, landmark=6.0)
    assert later.time_zero.startswith("6 months after")
    assert later.patients == int((endpoint.time > 6).sum())
    holes = cohort.patients.copy()
    holes.loc[holes.index[:200], "treatment_arm"] = None
    assert treatment_terms(_with(cohort, holes), endpoint, "treatment_arm", risk, gate, liver).without_arm == 200


def _with(cohort: Cohort, patients: pd.DataFrame) -> Cohort:
    from dataclasses import replace

    return replace(cohort, patients=patients)


@pytest.mark.parametrize(
    ("text", "marker"),
    [
        ("Alpha-fetoprotein was 1,250 ng/mL at presentation.", "log10_afp"),
        ("The tumour measures 5.2 x 4.1 cm.", "tumour_size"),
        ("Multiple satellite nodules.", "tumour_number"),
        ("No vascular invasion.", "vascular_invasion"),
        ("Total bilirubin 2.3 mg/dL.", "bilirubin"),
        ("Child-Pugh class B.", "child_pugh"),
        ("BCLC stage C.", "bclc"),
        ("Bilirubin 1.2, albumin 3.9.", "albi"),
    ],
)
def test_mentions_are_found_and_redacted_in_place(text: str, marker: str) -> None:
    assert mentioned(text, {marker}) == {marker}
    blanked = redact(text)
    assert len(blanked) == len(text)
    assert mentioned(blanked, {marker}) == frozenset()
    assert all(a in (b, " ") for a, b in zip(blanked, text, strict=True))


def test_what_is_not_mentioned_is_not_leaked() -> None:
    everything = {"log10_afp", "tumour_size", "bilirubin", "albumin", "child_pugh", "vascular_invasion"}
    assert mentioned("The liver has a nodular contour. A mass is seen in segment VI.", everything) == frozenset()
