"""What may not change an HDMoE's answer: neighbours in the batch, padding, a missing modality's content, a trace."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from core.features.batch import Batch
from core.models.hdmoe.model import LEVEL2, level1
from core.models.output import Trace
from tests.models.patients import ALL, CLINICAL, GENOMICS, SLIDES, VOLUMES, make_batch, one, small_model

sizes = st.lists(st.one_of(st.none(), st.integers(1, 12), st.integers(100, 260)), min_size=2, max_size=4)


@settings(max_examples=20)
@given(sizes, st.integers(0, 1000))
@torch.no_grad()
def test_one_patient_alone_is_the_same_as_in_a_batch(patches: list[int | None], seed: int) -> None:
    """Bags of very different sizes and missing modalities; alone there is no padding at all."""
    regions = [None if (seed + i) % 4 == 0 else 1 + (seed + 7 * i) % 30 for i in range(len(patches))]
    batch = make_batch(patches, regions, seed, absent=0.3)
    model = small_model()
    together = model(batch, Trace.SPATIAL)
    for row in range(batch.size):
        alone = model(one(batch, row), Trace.SPATIAL)
        assert (together.logits[row] - alone.logits[0]).abs().max() < 5e-4
        for modality in (SLIDES, VOLUMES):
            count = alone.attention[modality].shape[1]
            assert (together.attention[modality][row, :count] - alone.attention[modality][0]).abs().max() < 5e-4
            assert float(together.attention[modality][row, count:].abs().sum()) == 0.0
        assert together.routing is not None
        assert alone.routing is not None
        for name, level in alone.routing.levels.items():
            assert abs(together.routing.levels[name].gate_mass[row] - level.gate_mass[0]).max() < 5e-4


@torch.no_grad()
def test_more_padding_and_its_content_change_nothing() -> None:
    batch = make_batch([3, 20, 7], [4, 1, 9])
    bags, masks = {}, {}
    for modality, bag in batch.bags.items():
        rubbish = torch.full((3, 50, bag.shape[2]), 1e3)
        rubbish[:, : bag.shape[1]] = torch.where(batch.masks[modality][..., None], bag, 1e3)
        bags[modality] = rubbish
        masks[modality] = torch.nn.functional.pad(batch.masks[modality], (0, 50 - bag.shape[1]))
    model = small_model()
    wider = model(replace(batch, bags=bags, masks=masks))
    assert (wider.logits - model(batch).logits).abs().max() < 1e-4


@pytest.mark.parametrize("training", [False, True])
def test_reading_a_trace_changes_no_bit(training: bool) -> None:
    batch = make_batch([5, None, 12], absent=0.3)
    model = small_model().train(training)
    results = {}
    for trace in Trace:
        model.zero_grad()
        torch.manual_seed(3)
        output = model(batch, trace)
        loss = output.logits.sum() + sum(output.auxiliary.values())
        torch.autograd.backward(loss)
        gradients = [p.grad.clone() for p in model.parameters() if p.grad is not None]
        results[trace] = (output, gradients)
    plain, plain_gradients = results[Trace.NONE]
    assert plain.routing is None
    assert not plain.attention
    for trace in (Trace.ROUTING, Trace.SPATIAL):
        output, gradients = results[trace]
        assert torch.equal(output.logits, plain.logits)
        assert all(torch.equal(a, b) for a, b in zip(gradients, plain_gradients, strict=True))
        assert all(torch.equal(output.auxiliary[k], v) for k, v in plain.auxiliary.items())
        assert output.routing is not None
        assert set(output.routing.levels) == {LEVEL2, *(level1(m) for m in ALL)}
    assert not results[Trace.ROUTING][0].attention
    assert set(results[Trace.SPATIAL][0].attention) == {SLIDES, VOLUMES}


def _rewritten(batch: Batch, rows: torch.Tensor, value: float) -> Batch:
    """The batch with other content in every modality of ``rows``."""
    assert batch.genes is not None
    assert batch.clinical is not None
    inside = rows[:, None]
    return replace(
        batch,
        genes=torch.where(inside, value, batch.genes),
        clinical=torch.where(inside, -value, batch.clinical),
        bags={m: torch.where(inside[..., None], value, b) for m, b in batch.bags.items()},
    )


@pytest.mark.parametrize("training", [False, True])
def test_content_of_a_missing_modality_does_not_matter_at_all(training: bool) -> None:
    batch = make_batch([5, 9, 4, 7])
    absent = torch.tensor([False, True, False, True])
    batch = replace(
        batch, present={m: ~absent if m in (SLIDES, GENOMICS, VOLUMES) else p for m, p in batch.present.items()}
    )
    clinical = batch.clinical
    model = small_model().train(training)
    found = []
    for value in (0.0, 3.0, -50.0):
        changed = replace(_rewritten(batch, absent, value), clinical=clinical)
        model.zero_grad()
        torch.manual_seed(1)
        output = model(changed, Trace.SPATIAL)
        torch.autograd.backward(output.logits.sum() + sum(output.auxiliary.values()))
        found.append((output.logits.detach(), [p.grad.clone() for p in model.parameters() if p.grad is not None]))
    for logits, gradients in found[1:]:
        assert torch.equal(logits, found[0][0])
        assert all(torch.equal(a, b) for a, b in zip(gradients, found[0][1], strict=True))
    assert torch.autograd.grad(model(batch).logits.sum(), model.missing[GENOMICS.value])[0].abs().sum() > 0


@torch.no_grad()
def test_presence_matters_where_content_does_not() -> None:
    batch = make_batch([5, 9])
    without = replace(batch, present={**batch.present, GENOMICS: torch.tensor([True, False])})
    model = small_model()
    before, after = model(batch).logits, model(without).logits
    assert (before[0] - after[0]).abs().max() < 1e-6
    assert (before[1] - after[1]).abs().max() > 1e-3


@pytest.mark.parametrize("modalities", [(GENOMICS,), (CLINICAL,), (SLIDES,), (VOLUMES, CLINICAL), ALL])
@torch.no_grad()
def test_any_one_or_more_modalities_work(modalities: tuple) -> None:
    output = small_model(modalities)(make_batch([5, None, 30], [2, 6, None], absent=0.5), Trace.SPATIAL)
    assert output.logits.shape == (3, 4)
    assert bool(torch.isfinite(output.logits).all())
    assert output.routing is not None
    tokens = len(modalities) * 2 * 32 // 8
    assert output.routing.levels[LEVEL2].tokens_in.shape == (3, tokens, 8)


@torch.no_grad()
def test_attention_to_a_missing_slide_is_zero() -> None:
    output = small_model()(make_batch([5, None]), Trace.SPATIAL)
    assert float(output.attention[SLIDES][1].abs().sum()) == 0.0
    assert float(output.attention[SLIDES][0].abs().sum()) > 0.0
