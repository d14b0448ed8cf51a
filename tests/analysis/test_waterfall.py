"""The waterfall reaches the displayed estimate at every depth, and the sentences say the numbers it draws."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.analysis.explanation_sentences import (
    check_verdict,
    check_words,
    estimate_sentence,
    groups_sentence,
    reasons,
    trust_lines,
)
from core.analysis.points import points
from core.analysis.waterfall import Depth, StepKind, adds_up, waterfall_steps
from core.results.explanation import FEATURE_COLUMNS
from tests.pages.explanations import make_explanation

DEPTHS = (Depth(), Depth("genomics"), Depth("genomics", "oncogenes"), Depth("clinical"), Depth("slides"))


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 60), st.integers(1, 5), st.integers(0, 2**31), st.sampled_from(DEPTHS))
def test_every_depth_goes_from_the_baseline_to_the_estimate(n: int, most: int, seed: int, depth: Depth) -> None:
    random = np.random.default_rng(seed)
    groups = random.choice(["genomics", "clinical", "slides"], n)
    families = np.where(groups == "genomics", random.choice(["oncogenes", "kinases", ""], n), "")
    rows = [(f"g{i}", groups[i], families[i], random.normal(), 0.1, 1.0, "", np.nan) for i in range(n)]
    features = pd.DataFrame(rows, columns=list(FEATURE_COLUMNS))
    found = make_explanation(features=features, prediction=60 + features["value"].sum() - 0.05)
    steps = waterfall_steps(found, depth, most)
    assert adds_up(found)
    for before, after in itertools.pairwise(steps[:-1]):
        assert after.start == before.end
        assert after.end == pytest.approx(after.start + after.value)
    assert steps[-2].kind is StepKind.RESIDUAL
    assert steps[-2].end == pytest.approx(steps[-1].end, abs=1e-9)
    assert sum(s.count for s in steps[1:-2]) == n


def test_groups_first_then_what_is_opened() -> None:
    found = make_explanation()
    names = [s.name for s in waterfall_steps(found)]
    assert names[1:4] == ["Genes", "Clinical values", "Slides"]
    opened = waterfall_steps(found, Depth("genomics"))
    assert [s.name for s in opened if s.kind is StepKind.FAMILY] == ["tumour suppressors", "oncogenes"]
    genes = waterfall_steps(found, Depth("genomics", "oncogenes"))
    assert [s.name for s in genes[1:-2]] == [
        "All other genes", "Clinical values", "Slides", "MYC copy number", "KRAS expression"
    ]  # fmt: skip
    assert genes[4].sign_share == 0.8


def test_sentences_say_what_the_bars_print() -> None:
    found = make_explanation()
    total = sum(s.value for s in waterfall_steps(found)[1:-2])
    assert estimate_sentence(found).count("61.7") == 1
    assert points(found.prediction - found.baseline) in estimate_sentence(found)
    for step in waterfall_steps(found)[1:4]:
        assert f"{step.name.lower()} {points(step.value)}" in groups_sentence(found)
    assert check_words(found) == f"60.000 + {total:.3f} \N{MINUS SIGN} 0.050 = {found.prediction:.3f}"
    assert "within 0.000001" in check_verdict(found)
    wrong = make_explanation(prediction=70.0)
    assert "do not use" in check_verdict(wrong)
    assert not trust_lines(wrong)[0][2]


def test_reasons_need_a_sure_sign_and_a_stable_order() -> None:
    found = reasons(make_explanation())
    assert [r.name for r in found.raising] == ["TP53 mutation", "KRAS expression"]
    assert [r.name for r in found.lowering] == ["age", "slides"]
    assert found.raising[0].sentence == (
        "TP53 mutation (mutated) lowers the estimated survival by 4.0 percentage points"
    )
    unstable = reasons(make_explanation(stable_ranks=False, rank_agreement=0.21))
    assert (unstable.raising, unstable.lowering) == ((), ())
    assert "0.21; 0.5 is needed" in unstable.why_none
    unsure = make_explanation()
    unsure.features["sign_share"] = 0.6
    assert "No stable reason" in reasons(unsure).why_none


@pytest.mark.parametrize(("value", "words"), [(3.14, "+3.1"), (-0.44, "\N{MINUS SIGN}0.4"), (-0.04, "0.0")])
def test_points(value: float, words: str) -> None:
    assert points(value) == words
