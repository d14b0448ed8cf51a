"""HDMoE against MODELS.md 1.1.1: parameter count, shapes, and a plain implementation of its equations."""

from __future__ import annotations

import itertools

import pytest
import torch

from core.errors import PrognoscopeError
from core.features.batch import Batch
from core.features.preparation import InputShape
from core.models.hdmoe.config import HDMoEConfig
from core.models.hdmoe.model import LEVEL2, HDMoE, level1
from core.models.layers.rfr import segment_counts
from core.models.output import Trace
from tests.models.literal import literal_logits, literal_mean_logits, literal_representations
from tests.models.patients import FAMILIES, GENOMICS, SLIDES, make_batch, one, small_model

BLCA = (102, 336, 518, 434, 199, 444)


def released_model() -> HDMoE:
    """The released setting with the BLCA family sizes."""
    ends = list(itertools.accumulate(BLCA))
    families = tuple(tuple(range(end - size, end)) for end, size in zip(ends, BLCA, strict=True))
    torch.manual_seed(0)
    shape = InputShape(families, ends[-1], 0, {SLIDES: 1024})
    return HDMoE(shape, (GENOMICS, SLIDES), 4, HDMoEConfig(compat="upstream")).eval()


@pytest.fixture(scope="module")
def released() -> HDMoE:
    return released_model()


def released_batch(patches: int) -> Batch:
    generator = torch.Generator().manual_seed(patches)
    bag = torch.randn(1, patches, 1024, generator=generator)
    present = {m: torch.ones(1, dtype=torch.bool) for m in (GENOMICS, SLIDES)}
    genes = torch.randn(1, sum(BLCA), generator=generator)
    return Batch(present, genes, None, {SLIDES: bag}, {SLIDES: torch.ones(1, patches, dtype=torch.bool)})


def test_the_released_setting_has_the_released_number_of_parameters(released: HDMoE) -> None:
    count = {name: sum(p.numel() for p in part.parameters()) for name, part in released.named_children()}
    assert sum(p.numel() for p in released.parameters()) == 7_233_572
    assert count["experts1"] == pytest.approx(2 * 595_000, rel=0.01)  # the parts as listed in MODELS.md 1.1.1
    assert count["experts2"] == pytest.approx(447_000, rel=0.01)
    assert count["align_routed"] + count["align_shared"] == 2 * (512 * 512 + 512)
    assert count["head"] == 4_100
    assert sum(p.numel() for p in released.encoders["genomics"].families.parameters()) == pytest.approx(
        3.66e6, rel=0.01
    )
    assert sum(p.numel() for p in released.encoders["slides"].encoder.parameters()) == pytest.approx(549e3, rel=0.01)
    assert sum(p.numel() for p in released.encoders["genomics"].encoder.parameters()) == pytest.approx(527e3, rel=0.01)


@torch.no_grad()
def test_the_released_setting_has_the_released_shapes(released: HDMoE) -> None:
    batch = released_batch(20)
    output = released(batch, Trace.SPATIAL)
    assert output.logits.shape == (1, 4)
    assert output.attention[SLIDES].shape == (1, 20)
    assert output.routing is not None
    levels = output.routing.levels
    assert set(levels) == {level1(GENOMICS), level1(SLIDES), LEVEL2}
    for modality in (GENOMICS, SLIDES):
        assert levels[level1(modality)].tokens_in.shape == (1, 1, 256)
        assert levels[level1(modality)].shared_out.shape == (1, 1, 256)
        assert levels[level1(modality)].gate_mass.shape == (1, 1, 8)
    assert levels[LEVEL2].tokens_in.shape == (1, 4, 256)
    assert levels[LEVEL2].shared_out.shape == (1, 4, 128)
    assert levels[LEVEL2].output_norm.shape == (1, 9)
    assert released.encoders["genomics"].families(batch.genes).shape == (1, 6, 256)
    assert released.encoders["slides"].reduce(batch.bags[SLIDES]).shape == (1, 20, 256)
    assert released.align_routed.weight.shape == (512, 512)
    assert released.head.weight.shape == (4, 1024)
    assert released.segments1 == (1, 2, 4, 8, 16, 32, 64, 128)
    assert released.segments2 == (1, 2, 4, 8, 16, 32, 64, 128, 256)


@torch.no_grad()
def test_the_released_setting_gives_the_logits_of_the_equations(released: HDMoE) -> None:
    batch = released_batch(37)
    assert batch.genes is not None
    ends = list(itertools.accumulate(BLCA))
    families = tuple(tuple(range(end - size, end)) for end, size in zip(ends, BLCA, strict=True))
    vectors = literal_representations(released, families, batch.genes[0], batch.bags[SLIDES][0])
    pairs = list(itertools.product(segment_counts(256), segment_counts(512)))
    assert len(pairs) == 72
    expected = literal_mean_logits(released, vectors, pairs)
    assert (released(batch).logits[0] - expected).abs().max() < 1e-4


@torch.no_grad()
def test_the_papers_setting_gives_the_logits_of_the_equations() -> None:
    """Fine tokens, all 8×9-like pairs, bags of different sizes, and patients without genes or without a slide."""
    model = small_model((SLIDES, GENOMICS), width=256, token_dim=64)
    assert len(model.segments1) * len(model.segments2) == 72
    batch = make_batch([5, 30, None, 1], absent=0.4, seed=3)
    assert 0 < int(batch.present[GENOMICS].sum()) < 4
    logits = model(batch).logits
    assert batch.genes is not None
    pairs = list(itertools.product(model.segments1, model.segments2))
    for row in range(4):
        count = int(batch.masks[SLIDES][row].sum())
        genes = batch.genes[row] if batch.present[GENOMICS][row] else None
        bag = batch.bags[SLIDES][row, :count] if batch.present[SLIDES][row] else None
        expected = literal_mean_logits(model, literal_representations(model, FAMILIES, genes, bag), pairs)
        assert (logits[row] - expected).abs().max() < 2e-4


@torch.no_grad()
def test_training_draws_one_of_the_arrangements_that_evaluation_averages() -> None:
    model = small_model((SLIDES, GENOMICS))
    for part in model.modules():
        if isinstance(part, torch.nn.Dropout | torch.nn.AlphaDropout):
            part.p = 0.0
    batch = make_batch([6])
    assert batch.genes is not None
    vectors = literal_representations(model, FAMILIES, batch.genes[0], batch.bags[SLIDES][0])
    pairs = list(itertools.product(model.segments1, model.segments2))
    possible = torch.stack([literal_logits(model, vectors, s1, s2) for s1, s2 in pairs])
    model.train()
    torch.manual_seed(0)
    drawn = [int((possible - model(batch).logits[0]).abs().amax(dim=1).argmin()) for _ in range(60)]
    nearest = torch.stack([(possible - model(batch).logits[0]).abs().amax(dim=1).min() for _ in range(20)])
    assert float(nearest.max()) < 1e-4
    assert len(set(drawn)) > 10  # 5 × 6 pairs: both levels really vary


@torch.no_grad()
def test_patients_of_a_training_batch_draw_their_own_arrangement() -> None:
    """As with the released batches of one patient: two copies of a patient mostly differ."""
    model = small_model((GENOMICS,)).train()
    for part in model.modules():
        if isinstance(part, torch.nn.Dropout | torch.nn.AlphaDropout):
            part.p = 0.0
    batch = one(make_batch([3]), 0)
    assert batch.genes is not None
    copies = Batch({m: p.expand(40) for m, p in batch.present.items()}, batch.genes.expand(40, -1))
    torch.manual_seed(0)
    logits = model(copies).logits
    assert len({tuple(row) for row in logits.mul(1e4).round().tolist()}) > 5


@pytest.mark.parametrize("rate", [0.0, 0.3])
@torch.no_grad()
def test_with_a_rate_evaluation_weighs_the_arrangements_as_training_draws_them(rate: float) -> None:
    """Each level reorganises with probability ``rate``, otherwise it keeps the plain order (one segment)."""
    model = small_model((SLIDES, GENOMICS), reorganise_rate=rate)
    batch = make_batch([6])
    assert batch.genes is not None
    vectors = literal_representations(model, FAMILIES, batch.genes[0], batch.bags[SLIDES][0])
    expected = torch.zeros(4)
    for s1, s2 in itertools.product(model.segments1, model.segments2):
        chance = 1.0
        for s, segments in ((s1, model.segments1), (s2, model.segments2)):
            chance *= rate / len(segments) + (1 - rate) * (s == 1)
        expected += chance * literal_logits(model, vectors, s1, s2)
    assert (model(batch).logits[0] - expected).abs().max() < 1e-4


def test_settings_that_cannot_work_are_refused_in_one_sentence() -> None:
    with pytest.raises(PrognoscopeError, match="does not divide width 256"):
        HDMoEConfig(token_dim=48)
    with pytest.raises(PrognoscopeError, match="top_k 9 with 8 experts"):
        HDMoEConfig(top_k=9)
