"""Maps over patches against oracles: paths that add up, gradients that a finite difference confirms."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from core.cohort.modality import Modality
from core.errors import PrognoscopeError
from core.explain.patch_evidence import PatchEvidence, fold_repeats, patch_evidence
from core.explain.survival_at import survival_at
from core.features.batch import Batch
from core.models.biofact.model import LEVEL
from core.models.hdmoe.model import LEVEL2
from core.models.mice.model import GROUPS
from core.training.neural import FittedNeural
from tests.explain.slide_models import MODELS, untrained

MONTH = 20.0
PATCHES = 11
SLIDES = Modality.SLIDES


@pytest.fixture(scope="module", params=MODELS)
def model(request: pytest.FixtureRequest) -> tuple[FittedNeural, Batch]:
    return untrained(request.param, PATCHES)


@pytest.fixture(scope="module")
def evidence(model: tuple[FittedNeural, Batch]) -> PatchEvidence:
    return patch_evidence(*model, MONTH)


def survival(fitted: FittedNeural, batch: Batch, bag: torch.Tensor, **asked: object) -> torch.Tensor:
    given = replace(batch, bags={**batch.bags, SLIDES: bag})
    return 100 * survival_at(fitted, fitted.network(given, **asked).logits, MONTH)[0]


def test_relevance_is_gradient_times_input_of_the_whole_network(
    model: tuple[FittedNeural, Batch], evidence: PatchEvidence
) -> None:
    fitted, batch = model
    bag = batch.bags[SLIDES].clone().requires_grad_(True)
    survival(fitted, batch, bag).backward()
    assert bag.grad is not None
    expected = (bag.grad * bag).sum(dim=2)[0].detach().numpy()
    assert np.abs(expected).max() > 1e-4
    np.testing.assert_allclose(evidence.relevance, expected, rtol=1e-4, atol=1e-6)


def test_relevance_foretells_what_a_small_change_of_a_patch_does(
    model: tuple[FittedNeural, Batch], evidence: PatchEvidence
) -> None:
    fitted, batch = model
    bag, step = batch.bags[SLIDES], 0.02
    largest = float(np.abs(evidence.relevance).max())
    for patch in (0, 4, PATCHES - 1):
        less, more = bag.clone(), bag.clone()
        less[0, patch] *= 1 - step
        more[0, patch] *= 1 + step
        change = float(survival(fitted, batch, more) - survival(fitted, batch, less)) / (2 * step)
        assert evidence.relevance[patch] == pytest.approx(change, rel=0.02, abs=0.05 * largest)


def test_paths_through_the_experts_of_a_level_add_up(
    model: tuple[FittedNeural, Batch], evidence: PatchEvidence
) -> None:
    """All of it where every path meets an expert (HDMoE, MICE without its skip); the rest passes beside them."""
    fitted, batch = model
    whole = {LEVEL2, "level 1 · slides", GROUPS}
    assert evidence.through
    for level in evidence.used:
        parts = [v for (name, _), v in evidence.through.items() if name == level]
        if level in whole:
            np.testing.assert_allclose(np.sum(parts, axis=0), evidence.relevance, rtol=1e-3, atol=1e-5)
    if LEVEL in evidence.used:  # BioFact: h itself passes beside its two experts
        bag = batch.bags[SLIDES].clone().requires_grad_(True)
        muted = survival(fitted, batch, bag, through=(LEVEL, 0)) + survival(fitted, batch, bag, through=(LEVEL, 1))
        muted.backward()
        assert bag.grad is not None
        expected = (bag.grad * bag).sum(dim=2)[0].detach().numpy()
        np.testing.assert_allclose(sum(evidence.through.values()), expected, rtol=1e-3, atol=1e-6)
        assert np.abs(expected - evidence.relevance).max() > 1e-3


def test_following_a_path_changes_no_number(model: tuple[FittedNeural, Batch], evidence: PatchEvidence) -> None:
    fitted, batch = model
    plain = fitted.network(batch).logits
    for path in evidence.through:
        torch.testing.assert_close(fitted.network(batch, through=path).logits, plain, rtol=0, atol=0)


def test_a_muted_expert_hands_on_nothing_and_others_do(
    model: tuple[FittedNeural, Batch], evidence: PatchEvidence
) -> None:
    fitted, batch = model
    plain = fitted.network(batch).logits
    changed = 0
    for level, expert in evidence.through:
        bag = batch.bags[SLIDES].clone().requires_grad_(True)
        silent = survival(fitted, batch, bag, through=(level, expert), muted={level: (expert,)})
        if silent.requires_grad:
            grad = torch.autograd.grad(silent, bag, allow_unused=True)[0]
            assert grad is None or float(grad.abs().max()) < 1e-7
        changed += not torch.equal(fitted.network(batch, muted={level: (expert,)}).logits, plain)
        torch.testing.assert_close(fitted.network(batch, muted={level: ()}).logits, plain, rtol=0, atol=0)
    assert changed > 0


def test_attention_sums_to_one_and_its_gradient_is_that_of_the_weights(
    model: tuple[FittedNeural, Batch], evidence: PatchEvidence
) -> None:
    assert evidence.attention is not None
    assert evidence.gradient_attention is not None
    assert evidence.attention.sum() == pytest.approx(1.0, abs=1e-5)
    assert evidence.attention.shape == evidence.gradient_attention.shape == (PATCHES,)
    assert np.ptp(evidence.gradient_attention) > 0


def test_levels_that_slides_do_not_pass_are_left_out() -> None:
    fitted, batch = untrained("hdmoe", PATCHES, genes=True)
    found = patch_evidence(fitted, batch, MONTH)
    assert set(found.used) == {"level 1 · slides", LEVEL2}


def test_repeated_patches_are_added_to_themselves() -> None:
    places = np.arange(1.0, 12.0, dtype=np.float32)  # 2 in front, then 9 places for 7 patches
    np.testing.assert_array_equal(fold_repeats(places, 7), [3 + 10, 4 + 11, 5, 6, 7, 8, 9])
    np.testing.assert_array_equal(fold_repeats(places[:5], 5), places[:5])


def test_refuses_a_patient_without_slides() -> None:
    fitted, batch = untrained("hdmoe", PATCHES, genes=True)
    without = replace(batch, present={**batch.present, SLIDES: torch.tensor([False])})
    with pytest.raises(PrognoscopeError, match="no slides of this patient"):
        patch_evidence(fitted, without, MONTH)
