"""Maps of a patient: what stands in each layer, what is absent and why, and whether planted patches are found."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from core.analysis.top_patches import top_patches
from core.cohort.modality import Modality
from core.errors import PrognoscopeError
from core.explain.cohort_scale import agreement, cohort_quantiles, sample_maps, sampled
from core.explain.patch_places import PatchPlaces, patch_places
from core.explain.run_models import RunModels
from core.explain.slide_layers import expert_key
from core.explain.slide_maps import MapSource, slide_maps
from core.features.encoders import Encoded
from core.features.inputs import Inputs, Outcome
from core.results.slide_maps import SlideMaps, load_slide_maps, save_slide_maps
from core.results.workspace import Workspace
from core.tasks.explain_slide import with_scale
from core.training.config import TrainingConfig
from core.training.neural import FittedNeural, NeuralEstimator
from tests.explain.slide_models import SMALL, make_inputs, untrained

MONTH = 20.0
PATCHES = 10
SOURCE = MapSource(True, "made up", "test")


@dataclass(frozen=True, eq=False)
class HeldModels(RunModels):
    """A run whose models are in memory."""

    held: tuple[FittedNeural, ...] = ()

    def model(self, fold: int, seed: int) -> FittedNeural:
        return self.held[seed]


def run_of(inputs: Inputs, *held: FittedNeural) -> HeldModels:
    run: Any = SimpleNamespace(id="a-run", seeds=tuple(range(len(held))))
    return HeldModels(run, inputs, np.zeros(len(inputs), np.int64), Path(), held)


def places_of(patches: int) -> PatchPlaces:
    corners = np.array([(224 * (i % 4), 224 * (i // 4)) for i in range(patches)])
    return PatchPlaces(np.zeros(patches, np.int64), corners, {0: 224.0})


def maps_of(models: RunModels, patches: int = PATCHES) -> SlideMaps:
    return slide_maps(models, "P0", MONTH, places_of(patches), SOURCE, lambda share, message: None)


def test_layers_are_means_over_the_models_and_the_spread_is_theirs() -> None:
    held = [untrained("biofact", PATCHES, seed=seed)[0] for seed in (0, 1, 2)]
    inputs = make_inputs(8, PATCHES)
    together = maps_of(run_of(inputs, *held))
    single = [maps_of(run_of(inputs, model)) for model in held]
    for key in ("attention", "relevance", "gradient-attention", expert_key("factors", "tumour")):
        parts = np.stack([layer.values for m in single if (layer := m.layer(key)) is not None])
        found = together.layer(key)
        assert found is not None
        assert not found.absent
        np.testing.assert_allclose(found.values, parts.mean(axis=0), rtol=1e-5, atol=1e-7)
        if key == "attention":
            spread = together.layer("uncertainty")
            assert spread is not None
            assert found.values.sum() == pytest.approx(1.0, abs=1e-5)
            np.testing.assert_allclose(spread.values, parts.std(axis=0), rtol=1e-4, atol=1e-8)
    alone = single[0].layer("uncertainty")
    assert alone is not None
    assert "one model alone" in alone.absent
    assert np.isnan(alone.values).all()


def test_an_expert_that_is_not_used_says_so_and_is_called_relevance_never_attention() -> None:
    held = [untrained("hdmoe", PATCHES, seed=seed)[0] for seed in (0, 1)]
    for model in held:  # level 2 sends every token to one and the same expert
        gate = model.network.get_parameter("experts2.gate")
        gate.data.zero_()
    found = maps_of(run_of(make_inputs(8, PATCHES), *held))
    experts = [x for x in found.layers if x.key.startswith("expert-level-2-")]
    assert [x.key[-1] for x in experts] == ["1", "2", "3", "4", "d"]  # four, and the shared one
    unused = [x for x in experts[:4] if x.absent]
    assert len(unused) == 3
    assert not experts[4].absent
    for layer in unused:
        assert "not used for this patient in any model" in layer.absent
        assert np.isnan(layer.values).all()
    assert all("relevance through" in x.title and "attention" not in x.title for x in experts)
    assert any("share nothing but their number" in n for n in found.notes)


def test_a_model_without_patches_and_places_that_do_not_fit_are_refused() -> None:
    models = run_of(make_inputs(8, PATCHES), untrained("hdmoe", PATCHES)[0])
    with pytest.raises(PrognoscopeError, match="10 patches in the model and 9 places"):
        maps_of(models, 9)
    nobody = replace(models, inputs=replace(models.inputs, present={Modality.SLIDES: np.zeros(8, dtype=bool)}))
    with pytest.raises(PrognoscopeError, match="no slide of this patient"):
        maps_of(nobody)
    with pytest.raises(PrognoscopeError, match="does not read patches one by one"):
        maps_of(run_of(make_inputs(8, PATCHES), _snn()))


def _snn() -> FittedNeural:
    inputs = make_inputs(40, PATCHES)
    return NeuralEstimator("snn", {"width": 16}, TrainingConfig(epochs=1)).fit(inputs, outcome_of(40), (10.0, 20.0), 0)


def outcome_of(patients: int, log_hazard: np.ndarray | None = None) -> Outcome:
    rng = np.random.default_rng(5)
    hazard = np.zeros(patients) if log_hazard is None else log_hazard
    died, left = rng.exponential(20 / np.exp(hazard)), rng.uniform(15, 60, patients)
    return Outcome(np.zeros(patients), np.minimum(died, left), (died <= left).astype(np.int64))


@cache
def trained_on_planted() -> tuple[HeldModels, np.ndarray]:
    """A model trained where a share of each patient's patches carries the risk, and (120, patches) which they are."""
    rng = np.random.default_rng(3)
    inputs = make_inputs(120, PATCHES, seed=3)
    share = rng.random(120)
    planted = rng.random((120, PATCHES)) < share[:, None]
    bags = tuple(
        (bag + 4.0 * planted[i][:, None] * np.eye(5, dtype=np.float32)[1]).astype(np.float32)
        for i, bag in enumerate(inputs.bags[Modality.SLIDES])
        if bag is not None
    )
    inputs = replace(inputs, bags={Modality.SLIDES: bags})
    config = TrainingConfig(epochs=25, batch_size=24, learning_rate=2e-3)
    fitted = NeuralEstimator("biofact", SMALL["biofact"], config).fit(
        inputs, outcome_of(120, 4 * (share - 0.5)), (10.0, 20.0), 0
    )
    return run_of(inputs, fitted), planted


def test_planted_patches_are_found_by_relevance() -> None:
    models, planted = trained_on_planted()
    hits = []
    for row in range(0, 120, 6):
        there = planted[row]
        if 0 < there.sum() < PATCHES:
            found = slide_maps(models, f"P{row}", 18.0, places_of(PATCHES), SOURCE, lambda s, m: None)
            layer = found.layer("relevance")
            assert layer is not None
            risk = -layer.values
            hits.append(np.mean(risk[there][:, None] > risk[~there][None]))
    assert len(hits) > 10
    assert np.mean(hits) > 0.75


def test_places_come_from_the_store_or_not_at_all() -> None:
    features = np.zeros((4, 3), dtype=np.float32)
    corners = np.array([[0, 0], [300, 0], [600, 0], [0, 300]])
    stated = Encoded(features, corners, np.array([0, 0, 1, 1]), facts={"slides": {"0": {"side": 256}}})
    found = patch_places(stated)
    assert found.sides == {0: 256.0, 1: 300.0}
    assert "step of the grid" in found.notes[0]
    with pytest.raises(PrognoscopeError, match="without coordinates"):
        patch_places(Encoded(features))
    with pytest.raises(PrognoscopeError, match="size nobody states"):
        patch_places(Encoded(features[:1], corners[:1]))


def test_cohort_scale_is_in_the_unit_of_the_patients_map(tmp_path: Path) -> None:
    models = run_of(make_inputs(8, PATCHES), untrained("biofact", PATCHES)[0])
    assert sampled(models) == tuple(f"P{i}" for i in range(8))
    sample = sample_maps(models, MONTH, lambda s, m: None)
    assert {m.patient for m in sample} == set(sampled(models))
    assert all(m.agreement is None for m in sample)
    found = with_scale(maps_of(models), cohort_quantiles(sample))
    attention = found.layer("attention")
    assert attention is not None
    low, high = found.cohort_quantiles["attention"][0], found.cohort_quantiles["attention"][-1]
    assert low <= attention.values.min() < attention.values.max() <= high + 1e-9
    assert "uncertainty" not in found.cohort_quantiles
    workspace = Workspace(tmp_path)
    save_slide_maps(found, workspace)
    again = load_slide_maps("a-run", "P0", workspace)
    assert again.cohort_quantiles == found.cohort_quantiles
    assert [x.title for x in again.layers] == [x.title for x in found.layers]


def test_agreement_is_one_between_equal_orders_and_minus_one_between_reversed_ones() -> None:
    up = np.array([1.0, 2.0, 4.0, 8.0], dtype=np.float32)
    assert agreement([up, up**2]) == pytest.approx(1.0)
    assert agreement([up, -up]) == pytest.approx(-1.0)
    assert agreement([up]) is None
    assert agreement([up, np.zeros(4, np.float32)]) is None


def test_top_patches_do_not_overlap_and_ties_are_broken_by_place() -> None:
    values = np.array([1.0, 9.0, 8.9, 5.0, 5.0, np.nan, -3.0], dtype=np.float32)
    corners = np.array([[0, 0], [500, 0], [600, 0], [0, 900], [900, 900], [1500, 0], [1500, 900]])
    found = top_patches(values, np.zeros(7, np.int64), corners, {0: 224.0}, 3)
    assert [p.patch for p in found] == [1, 3, 4]  # 2 overlaps 1; 3 before 4 by place
    assert [p.patch for p in top_patches(values, np.zeros(7, np.int64), corners, {0: 224.0}, 2, bottom=True)] == [6, 0]
    other = np.array([0, 0, 1, 0, 0, 0, 0])
    assert [p.patch for p in top_patches(values, other, corners, {0: 224.0, 1: 224.0}, 2)] == [1, 2]
