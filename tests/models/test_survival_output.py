"""Hazards, survival and risk of any model's output, also where floats run out."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from core.models.output import SurvivalOutput

logits = arrays(np.float32, st.tuples(st.integers(1, 5), st.integers(1, 8)), elements=st.floats(-10, 10, width=32))
extreme = arrays(np.float32, (3, 6), elements=st.sampled_from([-1e4, -200.0, -90.0, 0.0, 90.0, 200.0, 1e4]))


@given(logits)
def test_hazards_lie_in_the_open_interval_and_survival_decreases(values: np.ndarray) -> None:
    output = SurvivalOutput(torch.from_numpy(values))
    assert bool(((output.hazards > 0) & (output.hazards < 1)).all())
    survival = output.survival.numpy()
    assert ((survival > 0) & (survival < 1)).all()
    assert (np.diff(survival, axis=1) <= 0).all()
    naive = np.cumprod(1 - output.hazards.double().numpy(), axis=1)
    assert np.allclose(survival, naive, rtol=1e-3, atol=1e-6)
    assert np.allclose(output.risk.numpy(), -naive.sum(axis=1), atol=1e-4)


@given(extreme)
def test_extreme_logits_give_no_nan_and_keep_the_order(values: np.ndarray) -> None:
    tensor = torch.from_numpy(values).requires_grad_()
    output = SurvivalOutput(tensor)
    survival = output.survival
    assert bool(torch.isfinite(survival).all())
    assert bool(((survival >= 0) & (survival <= 1)).all())
    assert bool((survival.diff(dim=1) <= 0).all())
    assert bool(((output.hazards >= 0) & (output.hazards <= 1)).all())
    output.risk.sum().backward()
    assert bool(torch.isfinite(tensor.grad).all())


moderate = arrays(np.float32, st.tuples(st.integers(1, 5), st.integers(1, 8)), elements=st.floats(-4, 4, width=32))


@given(moderate, st.integers(0, 7), st.floats(0.01, 5))
def test_a_higher_hazard_in_any_bin_is_a_higher_risk(values: np.ndarray, place: int, step: float) -> None:
    higher = values.copy()
    higher[:, place % values.shape[1]] += step
    lower_risk = SurvivalOutput(torch.from_numpy(values).double()).risk
    assert bool((SurvivalOutput(torch.from_numpy(higher).double()).risk > lower_risk).all())
