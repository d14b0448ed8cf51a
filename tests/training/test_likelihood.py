"""The discrete-hazard likelihood against an enumeration of everything that can happen to a patient."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from core.features.inputs import Outcome
from core.training.bins import TimeBins
from core.training.losses import HazardTarget, hazard_nll

PARTS = 8
"""Every bin is cut into so many equal parts for the enumeration; dates fall on their borders."""


@dataclass(frozen=True)
class Patient:
    """Bins and logits of one patient."""

    edges: tuple[float, ...]
    logits: tuple[float, ...]

    @property
    def bins(self) -> TimeBins:
        return TimeBins(self.edges)

    def month(self, part: int) -> float:
        """Month of the border after ``part`` parts."""
        whole, rest = divmod(part, PARTS)
        if whole == len(self.logits):
            return self.edges[-1]
        return self.edges[whole] + rest / PARTS * (self.edges[whole + 1] - self.edges[whole])

    def probabilities(self) -> list[float]:
        """P(the event falls into part i) for every part, and last P(it never falls into any)."""
        found, alive = [], 1.0
        for logit in self.logits:
            survives_a_part = (1 / (1 + math.exp(logit))) ** (1 / PARTS)
            for _ in range(PARTS):
                found.append(alive * (1 - survives_a_part))
                alive *= survives_a_part
        return [*found, alive]

    def log_likelihood(self, entry: float, time: float, event: bool, censoring: str = "exact") -> float:
        """By the code under test."""
        outcome = Outcome(np.array([entry]), np.array([time]), np.array([int(event)]))
        target = HazardTarget.of(outcome, self.bins, censoring)
        return -float(hazard_nll(torch.tensor([self.logits], dtype=torch.float64), target))


@st.composite
def patients(draw: st.DrawFn) -> Patient:
    """One to five bins of any width, any hazards a float32 can hold apart from 0 and 1."""
    count = draw(st.integers(1, 5))
    widths = draw(st.lists(st.integers(1, 40), min_size=count, max_size=count))
    logits = draw(st.lists(st.floats(-6, 6), min_size=count, max_size=count))
    return Patient((0.0, *(float(e) for e in np.cumsum(widths))), tuple(logits))


@given(patients())
def test_probabilities_of_all_outcomes_sum_to_one(patient: Patient) -> None:
    """Dying in any of the bins, or outliving the last edge."""
    middles = [(a + b) / 2 for a, b in zip(patient.edges[:-1], patient.edges[1:], strict=True)]
    outcomes = [patient.log_likelihood(0.0, t, True) for t in middles]
    outcomes.append(patient.log_likelihood(0.0, patient.edges[-1], False))
    assert sum(math.exp(x) for x in outcomes) == pytest.approx(1.0, abs=1e-6)


@given(patients(), st.data())
def test_an_event_has_the_probability_of_its_bin(patient: Patient, data: st.DataObject) -> None:
    count = len(patient.logits)
    part = data.draw(st.integers(0, count * PARTS - 1))
    within = part // PARTS
    expected = sum(patient.probabilities()[within * PARTS : (within + 1) * PARTS])
    for censoring in ("exact", "published"):
        found = patient.log_likelihood(0.0, patient.month(part), True, censoring)
        assert found == pytest.approx(math.log(expected), abs=1e-4)


@given(patients(), st.data())
def test_a_censored_patient_has_the_probability_of_everything_later(patient: Patient, data: st.DataObject) -> None:
    count = len(patient.logits)
    part = data.draw(st.integers(0, count * PARTS))
    later = patient.probabilities()[part:]
    assert patient.log_likelihood(0.0, patient.month(part), False) == pytest.approx(math.log(sum(later)), abs=1e-4)
    after_bin = min(count, part // PARTS + 1) * PARTS  # the published form takes the whole bin as survived
    expected = math.log(sum(patient.probabilities()[after_bin:]))
    assert patient.log_likelihood(0.0, patient.month(part), False, "published") == pytest.approx(expected, abs=1e-4)


@given(patients(), st.data())
def test_delayed_entry_conditions_on_being_alive_at_entry(patient: Patient, data: st.DataObject) -> None:
    total = len(patient.logits) * PARTS
    part = data.draw(st.integers(1, total))
    entry = data.draw(st.integers(0, part - 1))
    probabilities = patient.probabilities()
    alive_at_entry = sum(probabilities[entry:])
    expected = math.log(sum(probabilities[part:]) / alive_at_entry)
    found = patient.log_likelihood(patient.month(entry), patient.month(part), False)
    assert found == pytest.approx(expected, abs=1e-4)
    event_bin = (part - 1) // PARTS
    entry = min(entry, event_bin * PARTS)  # before the bin of the event
    expected = math.log(sum(probabilities[event_bin * PARTS : (event_bin + 1) * PARTS]) / sum(probabilities[entry:]))
    found = patient.log_likelihood(patient.month(entry), patient.month(part) - 1e-6, True)
    assert found == pytest.approx(expected, abs=1e-4)


@given(patients(), st.floats(0, 50))
def test_an_event_beyond_the_last_edge_is_outliving_it(patient: Patient, more: float) -> None:
    beyond = patient.log_likelihood(0.0, patient.edges[-1] + more, True)
    assert beyond == pytest.approx(math.log(patient.probabilities()[-1]), abs=1e-4)


def test_the_loss_is_the_mean_over_patients_and_follows_a_taken_subset() -> None:
    outcome = Outcome(np.zeros(4), np.array([1.0, 5.0, 9.0, 30.0]), np.array([1, 0, 1, 0]))
    bins = TimeBins((0.0, 6.0, 12.0, 24.0))
    logits = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
    whole = HazardTarget.of(outcome, bins)
    single = [float(hazard_nll(logits[[i]], whole.take(np.array([i])))) for i in range(4)]
    assert float(hazard_nll(logits, whole)) == pytest.approx(float(np.mean(single)), abs=1e-6)


@pytest.mark.parametrize("size", [30.0, 1e3, 1e6])
def test_extreme_logits_give_finite_losses_and_gradients(size: float) -> None:
    outcome = Outcome(np.zeros(2), np.array([3.0, 9.0]), np.array([1, 0]))
    target = HazardTarget.of(outcome, TimeBins((0.0, 6.0, 12.0)))
    for sign in (-1.0, 1.0):
        logits = torch.full((2, 2), sign * size, requires_grad=True)
        loss = hazard_nll(logits, target)
        loss.backward()
        assert math.isfinite(float(loss.detach()))
        assert bool(torch.isfinite(logits.grad).all())


def test_a_competing_event_ends_observation_like_censoring() -> None:
    bins = TimeBins((0.0, 6.0, 12.0))
    zero, months = np.zeros(1), np.array([7.0])
    competing = HazardTarget.of(Outcome(zero, months, np.array([2])), bins)
    censored = HazardTarget.of(Outcome(zero, months, np.array([0])), bins)
    assert torch.equal(competing.survived, censored.survived)
    assert torch.equal(competing.died, censored.died)
    assert not torch.equal(competing.died, HazardTarget.of(Outcome(zero, months, np.array([1])), bins).died)


def test_maximum_likelihood_recovers_the_life_table() -> None:
    """Fitted hazards of one common logit row are deaths over exposure, also with delayed entry and in-bin censoring."""
    random = np.random.default_rng(0)
    entry = np.where(random.random(300) < 0.3, random.uniform(0, 5, 300), 0.0)
    time = entry + random.exponential(15, 300) + 0.01
    outcome = Outcome(entry, time, (random.random(300) < 0.6).astype(np.int64))
    bins = TimeBins((0.0, 6.0, 12.0, 30.0))
    target = HazardTarget.of(outcome, bins)
    logits = torch.zeros(1, 3, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([logits], max_iter=200)

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = hazard_nll(logits.expand(300, 3), target)
        loss.backward()
        return loss

    optimizer.step(closure)
    deaths, exposure = np.zeros(3), np.zeros(3)
    for start, end, died in zip(entry, time, outcome.event, strict=True):
        for k, (low, high) in enumerate(zip(bins.edges[:-1], bins.edges[1:], strict=True)):
            if died and low <= end < high:
                deaths[k] += 1
                exposure[k] += 1
            else:
                exposure[k] += max(0.0, min(end, high) - max(start, low)) / (high - low)
    assert torch.sigmoid(logits).detach().numpy()[0] == pytest.approx(deaths / exposure, abs=1e-4)
    # where every training begins
    assert torch.sigmoid(target.mean_log_odds()).numpy() == pytest.approx(deaths / exposure, abs=1e-4)


def test_a_bin_without_events_begins_at_a_small_finite_hazard() -> None:
    outcome = Outcome(np.zeros(40), np.full(40, 20.0), np.zeros(40, dtype=np.int64))
    hazards = torch.sigmoid(HazardTarget.of(outcome, TimeBins((0.0, 6.0, 12.0))).mean_log_odds())
    assert bool(((hazards > 0) & (hazards < 0.05)).all())
