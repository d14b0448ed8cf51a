"""No template directs a treatment or promises anything; every one is filled without a leftover; reasons are named only
with a stable sign."""

from __future__ import annotations

import re
from string import Formatter

import numpy as np
import pandas as pd
import pytest

from core.analysis.patient_estimate import Number
from core.analysis.patient_reasons import reasons_of
from core.analysis.patient_sentences import FORBIDDEN, TEMPLATES, chance, headline, say, state_words
from core.cohort.endpoint import Endpoint
from core.cohort.sample import make_sample_cohort
from core.results.explanation import FEATURE_COLUMNS, Explanation

DIRECTIVES = (
    *FORBIDDEN,
    "therapy",
    "surgery",
    "treatment",
    "schedule",
    "monitor",
    "follow-up visit",
    "patient is safe",
)


@pytest.mark.parametrize("key", list(TEMPLATES))
def test_no_template_tells_what_to_do(key: str) -> None:
    words = " ".join(re.sub(r"\{.*?\}", " ", TEMPLATES[key]).lower().split())
    for forbidden in DIRECTIVES:
        assert not re.search(rf"\b{re.escape(forbidden)}\b", words), (key, forbidden)


@pytest.mark.parametrize("key", list(TEMPLATES))
def test_every_template_is_filled_whole(key: str) -> None:
    wanted = [name for _, name, _, _ in Formatter().parse(TEMPLATES[key]) if name]
    text = say(key, **dict.fromkeys(wanted, "X"))
    assert "{" not in text
    assert text[0].isupper() or key in ("never_saw", "all") or text.startswith("X")


@pytest.mark.parametrize("advice", ["Start sorafenib", "The patient should be treated with", "We recommend resection"])
def test_the_check_itself_finds_advice(advice: str) -> None:
    assert any(re.search(rf"\b{re.escape(w)}\b", advice.lower()) for w in FORBIDDEN)


def endpoint(event: str = "death") -> Endpoint:
    no = np.zeros(1, dtype=bool)
    return Endpoint("E", "E", "diagnosis", np.zeros(1), np.ones(1), no, no, event)


def test_headline_in_the_endpoints_own_words() -> None:
    half = Number(0.62, 0.5, 0.7)
    assert headline(half, 36.0, endpoint()) == (
        "About 62 of 100 patients like this one are alive 3 years after diagnosis."
    )
    assert "free of recurrence" in headline(half, 36.0, endpoint("recurrence"))
    assert headline(half, 36.0, endpoint(), 12.0) == (
        "Of 100 patients like this one who are alive 1 year after diagnosis, about 62 are still alive 3 years after "
        "diagnosis."
    )
    assert headline(Number(0.001, None, None), 36.0, endpoint()).startswith("Fewer than 1 of 100 patients")
    assert chance(half).startswith("Whether this patient is among the 62 or among the other 38")
    assert chance(Number(0.0, None, None)) == ""
    assert state_words(endpoint()) == "alive"


def explanation(rows: list[tuple[str, str, float, float, str]], ranked: bool = True) -> Explanation:
    table = pd.DataFrame(
        [(n, g, "", v, 0.1, s, o, np.nan) for n, g, v, s, o in rows], columns=list(FEATURE_COLUMNS)
    )  # fmt: skip
    return Explanation(
        "run", "A", 36.0, "percentage points of survival at month 36", 50.0, 55.0, 0.0, table, "m", "", None, 10, 50,
        ranked, 0.8, True, "v", 1.0,
    )  # fmt: skip


def test_reasons_need_a_stable_sign_and_are_the_largest_three_of_each_side() -> None:
    cohort = make_sample_cohort()[0]
    rows = [
        ("age", "clinical", -4.0, 0.95, "71"), ("stage", "clinical", -6.0, 0.89, "C"),
        ("TP53_mut", "genomics", -1.0, 0.9, "1"), ("AFP1_rnaseq", "genomics", -0.5, 1.0, "1.20"),
        ("MYC_cnv", "genomics", -0.4, 1.0, "2"), ("slides", "slides", 3.0, 0.92, ""),
        ("sex", "clinical", 0.04, 1.0, "male"),
    ]  # fmt: skip
    found = reasons_of(explanation(rows), cohort, cohort.endpoint("OS"))
    assert [(r.label, r.observed, round(r.points, 1)) for r in found.up] == [
        ("Age", "71 years", 4.0), ("TP53 mutation", "1", 1.0), ("AFP1 expression", "1.20", 0.5),
    ]  # fmt: skip
    assert [r.label for r in found.down] == ["What the slides show"]
    assert found.unstable == 1
    assert found.top is not None
    assert found.top.words == (
        "Age (71 years) lowers the estimated chance to be alive at 3 years by 4.0 percentage points."
    )
    assert found.down[0].words == (
        "What the slides show raises the estimated chance to be alive at 3 years by 3.0 percentage points."
    )


def test_without_a_stable_sign_there_is_no_reason() -> None:
    cohort = make_sample_cohort()[0]
    found = reasons_of(explanation([("age", "clinical", -4.0, 0.6, "71")], False), cohort, cohort.endpoint("OS"))
    assert (found.up, found.down, found.unstable, found.ranked) == ((), (), 1, False)
    assert found.top is None
