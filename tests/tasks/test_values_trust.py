"""What a run's stored explanations say of themselves; a benchmark's record is never replaced by less."""

from __future__ import annotations

import pytest

from core.results.explained import Kind
from core.results.explanation import save_explanation
from core.results.explanation_trust import ExplanationTrust, TrustNumber, load_trust, save_trust
from core.results.workspace import Workspace
from core.tasks.values_trust import keep_values_trust
from tests.pages.explanations import make_explanation


def test_the_worst_of_the_stored_explanations_is_told(workspace: Workspace) -> None:
    keep_values_trust("hdmoe-1", workspace)
    assert load_trust("hdmoe-1", Kind.VALUES, workspace) is None
    save_explanation(make_explanation(patient="A"), workspace)
    first = make_explanation(patient="B")
    save_explanation(make_explanation(patient="B", residual=-0.75, prediction=first.prediction), workspace)
    keep_values_trust("hdmoe-1", workspace)
    found = load_trust("hdmoe-1", Kind.VALUES, workspace)
    assert found is not None
    assert found.patients == 2
    value = {n.name: n.value for n in found.numbers}
    assert value["the sum adds up"] == pytest.approx(0.7)
    assert value["the residual is small"] == 0.75
    assert value["the models agree"] == pytest.approx(0.71)
    assert [n.passed for n in found.numbers] == [False, False, True, True]


def test_what_a_benchmark_measured_stays(workspace: Workspace) -> None:
    number = TrustNumber("planted genes found", 0.7, 0.6, True, 0.1, "share.")
    bench = ExplanationTrust("hdmoe-1", Kind.VALUES, 48, 3, True, True, (number,), "bench", "test")
    save_trust(bench, workspace)
    save_explanation(make_explanation(), workspace)
    keep_values_trust("hdmoe-1", workspace)
    assert load_trust("hdmoe-1", Kind.VALUES, workspace) == bench
