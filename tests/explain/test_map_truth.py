"""Scores of maps against planted truth: perfect, reversed, blind; the choosing half never sees the scoring half."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.explain.faithfulness import SHARES, deletion_curves
from core.explain.map_truth import MapScore, halves, interval, map_scores, mean_auroc, scorable
from core.explain.other_models import teaching, trained_on_permuted, untrained, with_labels_of
from core.explain.slide_maps import slide_maps
from core.results.slide_maps import LayerKind, MapLayer
from tests.explain.slide_models import SMALL, make_inputs
from tests.explain.test_report_evidence import REPORTS, SLIDES, inputs_with_reports, network_of
from tests.explain.test_slide_maps import PATCHES, SOURCE, HeldModels, outcome_of, places_of, run_of, trained_on_planted

TRUTH = np.array([True, False, True, False, False, True])


def layer(values: list[float], signed: bool, key: str = "relevance") -> MapLayer:
    return MapLayer(key, key, LayerKind.RELEVANCE, np.array(values, dtype=np.float32), signed, "points")


def test_a_signed_layer_speaks_of_survival_so_its_sign_is_turned() -> None:
    lowers = layer([-3, 1, -2, 2, 3, -1], signed=True)
    weighs = layer([3, 1, 2, 0.1, 0.3, 1.5], signed=False, key="attention")
    absent = replace(layer([0] * 6, False, "uncertainty"), absent="one model")
    found = map_scores("P", [lowers, weighs, absent], TRUTH)
    assert [(s.layer, s.auroc, s.pointed) for s in found] == [("relevance", 1.0, True), ("attention", 1.0, True)]
    assert found[0].share == 0.5
    reversed_map = map_scores("P", [layer([3, -1, 2, -2, -3, 1], signed=True)], TRUTH)[0]
    assert (reversed_map.auroc, reversed_map.pointed) == (0.0, False)
    assert scorable(TRUTH)
    assert not scorable(np.array([True, True, False, False, False, False]))


def test_halves_part_the_patients_and_do_not_depend_on_their_order() -> None:
    patients = [f"P{i}" for i in range(21)]
    first, second = halves(patients)
    assert halves(patients[::-1]) == (first, second)
    assert not first & second
    assert first | second == set(patients)
    assert len(first) == 10
    scores = [MapScore(p, "a", 1.0 if p in first else 0.0, True, 0.5) for p in patients]
    scores.append(MapScore("P0", "rare", 0.9, True, 0.5))
    assert mean_auroc(scores, first) == {"a": 1.0}
    assert mean_auroc(scores, second)["a"] == 0.0


def test_interval_holds_the_mean_and_narrows() -> None:
    values = np.random.default_rng(0).normal(0.8, 0.1, 200)
    low, high = interval(list(values))
    assert low < values.mean() < high
    assert high - low == pytest.approx(2 * 1.96 * values.std() / np.sqrt(200), rel=0.15)


def test_taking_out_what_the_map_marks_matters_more_than_chance() -> None:
    """Planted patches lower survival; a true map's deletion gains, a reversed one loses, and the ends are exact."""
    models, planted = trained_on_planted()
    gains, losses = [], []
    for row in range(0, 120, 10):
        patient, there = f"P{row}", planted[row].astype(float)
        if not 0 < there.sum() < PATCHES:
            continue
        true = deletion_curves(models, patient, models.of_fold(0), there, 18.0)
        false = deletion_curves(models, patient, models.of_fold(0), -there, 18.0)
        assert true.whole == pytest.approx(false.whole, abs=1e-6)
        assert true.deleted.shape == (len(SHARES),)
        assert true.random_deleted.shape == (5, len(SHARES))
        gains.append((true.deletion_gain, true.insertion_gain))
        losses.append((false.deletion_gain, false.insertion_gain))
    assert (np.mean(gains, axis=0) > 0).all()
    assert (np.mean(losses, axis=0) < 0).all()


def test_models_that_learned_nothing_give_other_maps() -> None:
    models, _ = trained_on_planted()
    bare = untrained(models)
    state, other = models.held[0].network.state_dict(), bare.model(0, 0).network.state_dict()
    assert state.keys() == other.keys()
    assert any(not np.allclose(state[k], other[k]) for k in state)
    again = untrained(models).model(0, 0).network.state_dict()
    assert all(np.array_equal(again[k], other[k]) for k in other)
    assert slide_maps(bare, "P0", 18.0, places_of(PATCHES), SOURCE, lambda s, m: None).models == 1


def test_permuted_outcomes_are_dealt_among_the_training_patients_of_the_fold() -> None:
    inputs = make_inputs(40, PATCHES)
    models = run_of(inputs, trained_on_planted()[0].held[0])
    run = models.run
    run.__dict__.update(
        model="biofact", config={"model": SMALL["biofact"], "training": {"epochs": 1}}, horizons=(10.0, 20.0)
    )
    fold = np.arange(40) % 2
    found = trained_on_permuted(
        HeldModels(run, inputs, fold, models.folder, models.held), outcome_of(40), lambda s, m: None
    )
    assert set(found.held) == {(0, 0), (1, 0)}
    assert len(found.of_fold(1)[0].trained_on) == 20


def test_reports_that_only_teach_are_dealt_with_the_outcome_and_those_that_are_read_are_not() -> None:
    inputs = inputs_with_reports(slides=True)
    assert teaching(network_of("biofact", inputs)) == (REPORTS,)
    assert teaching(network_of("hdmoe", inputs)) == ()
    rows, dealt = np.array([0, 1, 2]), np.array([2, 0, 1])
    found = with_labels_of(inputs, rows, dealt, (REPORTS,))
    for place, (own, other) in enumerate(zip(rows, dealt, strict=True)):
        assert found.bags[SLIDES][place] is inputs.bags[SLIDES][own]
        assert found.bags[REPORTS][place] is inputs.bags[REPORTS][other]
