"""Explanations of real models: they add up to the shown number, and say of each value what can be known of it."""

from __future__ import annotations

import time
from functools import lru_cache

import numpy as np
import pytest

from core.cohort.modality import Modality
from core.errors import PrognoscopeError
from core.explain.background import draw_background
from core.explain.estimate import PatientEstimate
from core.explain.stability import rank_agreement, stability
from core.explain.values import ValueSettings, explain_values
from core.models.registry import MODELS
from core.results.explanation import FAMILY_SEPARATOR, load_explanation, save_explanation
from core.results.workspace import Workspace
from tests.explain.mixed_models import FittedModels, fit_models

MONTH = 12.0
QUICK = ValueSettings(background=15, check=False)
trained = lru_cache(fit_models)


@pytest.mark.parametrize("name", tuple(MODELS))
def test_the_estimate_with_remembered_bags_is_the_models_own(name: str) -> None:
    """Also when a bag is exchanged: the patient's number then gives what the other patient's bag gives."""
    models = trained(name)
    row, other = 0, 25
    model = models.unseen("P000")[0]
    background = draw_background(models.inputs, row, np.array([other]), 1)
    assert background.composed == 0 or set(background.donors) == set(models.inputs.modalities)
    estimate = PatientEstimate(models, model, row, background, MONTH)
    kinds = len(estimate.bag_modalities)
    own = np.zeros((1, kinds), dtype=np.int64)
    mine = model.fitted.predict(models.inputs.take(np.array([row])), np.array([MONTH])).survival[0, 0]
    import torch

    assert float(estimate.at(estimate.own, torch.from_numpy(own))) == pytest.approx(100 * mine, abs=2e-4)
    theirs = model.fitted.predict(models.inputs.take(np.array([other])), np.array([MONTH])).survival[0, 0]
    assert float(estimate.at(estimate.others, torch.from_numpy(own + 1))) == pytest.approx(100 * theirs, abs=2e-4)


@pytest.mark.parametrize("name", tuple(MODELS))
def test_values_and_residual_add_up_to_the_shown_number(name: str) -> None:
    models = trained(name)
    for patient in ("P000", "P004"):
        found = explain_values(models, patient, MONTH, "test", QUICK)
        one = models.inputs.take(np.array([models.row(patient)]))
        shown = 100 * np.mean([m.fitted.predict(one, np.array([MONTH])).survival[0, 0] for m in models.unseen(patient)])
        assert found.prediction == pytest.approx(shown, abs=1e-9)
        assert found.baseline + found.features["value"].sum() + found.residual == pytest.approx(shown, abs=1e-6)
        assert abs(found.residual) < 1e-3
        assert found.features["value"].abs().is_monotonic_decreasing
        assert found.by_family()["value"].sum() == pytest.approx(found.features["value"].sum(), abs=1e-9)


def test_only_what_the_patient_has_is_explained() -> None:
    models = trained("hdmoe")
    for row in range(20):
        found = explain_values(models, models.inputs.ids[row], MONTH, "test", ValueSettings(5, 4, False))
        held = {m.value for m in models.inputs.modalities if models.inputs.present[m][row]}
        assert set(found.features["group"]) == held
        if len(held) < 4:
            assert "nothing is attributed to what is missing" in found.notes[0]
            return
    pytest.fail("every test patient has everything")


def test_planted_genes_lead_and_keep_their_sign() -> None:
    models = trained("snn", 80, ("genomics", "clinical"), 2, 1)
    patient = int(np.argmax(np.abs(np.nan_to_num(models.inputs.genes[:20, 0]))))  # type: ignore[index]
    found = explain_values(models, models.inputs.ids[patient], MONTH, "test")
    genes = found.features[found.features["group"] == "genomics"].set_index("name")
    assert "G0" in genes.index[:3]
    assert genes.loc["G0", "sign_share"] > 0.95
    assert np.sign(genes.loc["G0", "value"]) == -np.sign(models.inputs.genes[patient, 0])  # type: ignore[index]
    assert found.agreement is not None
    assert found.agreement > 0.9
    assert np.isfinite(genes["check"]).all()
    assert genes.loc["G13", "family"] == FAMILY_SEPARATOR.join(("second", "third"))
    assert "1 gene in several families" in " ".join(found.notes)
    assert set(found.features[found.features["group"] == "clinical"]["name"]) == {"age", "stage"}


def test_a_report_that_only_teaches_is_said_to_change_nothing() -> None:
    found = explain_values(trained("biofact"), "P000", MONTH, "test", QUICK)
    assert float(found.features.set_index("name").loc["reports", "value"]) == 0.0
    assert "do not depend on the reports" in " ".join(found.notes)


def test_a_stored_explanation_comes_back(workspace: Workspace) -> None:
    found = explain_values(trained("mice"), "P000", MONTH, "test", QUICK)
    save_explanation(found, workspace)
    back = load_explanation(found.run, "P000", MONTH, workspace)
    assert back.features.equals(found.features)
    assert back.extra == found.extra


def test_a_composed_background_takes_each_modality_from_one_who_has_it() -> None:
    models = trained("snn")
    inputs = models.inputs
    lacking = np.flatnonzero(~inputs.present[Modality.SLIDES] & (models.fold == 1))
    having = np.flatnonzero(inputs.present[Modality.SLIDES] & (models.fold == 1))[:2]
    background = draw_background(inputs, 0, np.concatenate([lacking, having]), 50)
    assert background.composed >= len(lacking)
    for modality, donors in background.donors.items():
        assert inputs.present[modality][donors].all()
    assert set(background.donors[Modality.SLIDES]) <= set(having)
    with pytest.raises(PrognoscopeError, match="no training patient with slides"):
        draw_background(inputs, 0, lacking, 50)


def test_stability_of_what_is_certain_and_of_chance() -> None:
    random = np.random.default_rng(0)
    certain = np.column_stack([np.full(40, 2.0), np.zeros(40), random.normal(size=40)])
    found = stability([certain, certain])
    assert found.sign_share[0] == 1.0
    assert found.std[0] == pytest.approx(0.0, abs=1e-12)
    assert found.sign_share[1] == 0.5
    assert found.sign_share[2] < 1.0
    assert found.rank_agreement == pytest.approx(1.0)
    assert stability([certain]).rank_agreement is None
    assert not stability([certain]).stable_ranks
    assert rank_agreement([np.array([1.0, 2.0, 3.0]), np.array([-3.0, 2.0, 1.0])]) == pytest.approx(-1.0)


def test_a_strangers_month_is_refused() -> None:
    models: FittedModels = trained("snn")
    with pytest.raises(PrognoscopeError, match="no estimate at month"):
        explain_values(models, "P000", 9999.0, "test", QUICK)


def test_speed_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    models = trained("hdmoe", 2, ("genomics", "clinical"), 1)
    started = time.perf_counter()
    found = explain_values(models, "P000", MONTH, "test")
    with capsys.disabled():
        print(f" [{len(found.features)} inputs, {found.background} background: {time.perf_counter() - started:.2f} s]")
    assert found.seconds <= time.perf_counter() - started
