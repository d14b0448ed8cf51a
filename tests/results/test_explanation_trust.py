"""What is measured of explanations is stored whole, and bounds are read in their own direction."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.errors import PrognoscopeError
from core.results.explained import Kind
from core.results.explanation_trust import ExplanationTrust, TrustNumber, load_trust, save_trust
from core.results.workspace import Workspace

NUMBER = TrustNumber("the models agree", 0.6, 0.5, True, 0.0, "rank correlation.")
TRUST = ExplanationTrust("run-1", Kind.SLIDE, 12, 3, True, True, (NUMBER,), "./run cli explain run-1", "test", ("n",))


def test_comes_back_equal_and_an_altered_file_is_refused(workspace: Workspace) -> None:
    assert load_trust("run-1", Kind.SLIDE, workspace) is None
    save_trust(TRUST, workspace)
    assert load_trust("run-1", Kind.SLIDE, workspace) == TRUST
    assert load_trust("run-1", Kind.REPORT, workspace) is None
    stored = next(workspace.explanations.rglob("trust.json"))
    stored.write_text(stored.read_text().replace("0.6", "0.9"))
    with pytest.raises(PrognoscopeError, match="altered"):
        load_trust("run-1", Kind.SLIDE, workspace)


def test_bounds_have_a_direction() -> None:
    assert NUMBER.passed is True
    assert replace(NUMBER, high=False).passed is False
    assert replace(NUMBER, value=None).passed is None
