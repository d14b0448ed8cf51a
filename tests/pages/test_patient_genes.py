"""The Genes tab in its states: not made, made, opened, unstable, and one that does not add up."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.cohort.sample import make_sample_cohort
from core.errors import PrognoscopeError
from core.results.cohort_explanation import save_cohort_explanation
from core.results.explanation import save_explanation
from core.results.views import save_view
from core.results.what_if import Changeable, WhatIf, WhatIfChange, WhatIfCurve, WhatIfOptions
from core.results.workspace import Workspace
from pages.widgets.state import PageState
from tests.pages.explanations import make_cohort_explanation, make_explanation

PATIENT = "SYN-0001"
COHORT = make_sample_cohort()[0]


def html(test: AppTest) -> str:
    return " ".join(str(e.value) for e in [*test.get("html"), *test.markdown])


@pytest.fixture
def genes(filled: Workspace, open_page: Callable[..., AppTest]) -> Callable[..., AppTest]:
    """Open the tab, after storing an explanation with ``changes`` unless ``stored`` is false."""

    def opened(stored: bool = True, **changes: Any) -> AppTest:
        if stored:
            save_explanation(make_explanation(patient=PATIENT, **changes), filled)
        view = save_view(PageState(cohort="sample", run="hdmoe-1", patient=PATIENT).as_json(), filled)
        test = open_page("patient", view=view)
        test.session_state["patient_tab"] = "Genes"
        return test.run()

    return opened


def test_not_made_yet_says_what_it_would_show_and_offers_the_job(genes: Callable[..., AppTest]) -> None:
    test = genes(stored=False)
    assert "What moved this estimate is not computed yet" in html(test)
    assert "explain_values" in {b.key for b in test.button}
    assert not test.get("plotly_chart")


def test_made_it_shows_sentence_chart_and_the_check(genes: Callable[..., AppTest]) -> None:
    test = genes()
    assert not test.exception
    text = html(test)
    assert "estimate on average 61.7" in text
    assert "within 0.000001 percentage points" in text
    assert "60.000 + 1.750 \N{MINUS SIGN} 0.050 = 61.700" in text
    assert "TP53 mutation (mutated) lowers the estimated survival by 4.0 percentage points" in text
    assert "GradientExplainer: rank correlation 0.94" in text
    assert len(test.get("plotly_chart")) == 1


def test_tables_of_few_players_are_shown_where_there_are_any(genes: Callable[..., AppTest]) -> None:
    rows = [["level 2: expert 3", -4.0, 0.5], ["shared", 2.0, 0.1]]
    text = html(genes(extra={"levels": {"expert": rows}}))
    assert "By expert" in text
    assert "level 2: expert 3" in text
    assert "\N{MINUS SIGN}4.0" in text


def test_a_family_opens_and_closes(genes: Callable[..., AppTest]) -> None:
    test = genes()
    test.selectbox(key="values_open").select("genomics/oncogenes").run()
    assert not test.exception
    assert "MYC copy number" in test.get("plotly_chart")[0].proto.spec
    test.button(key="values_close").click().run()
    assert test.selectbox(key="values_open").value == ""


def test_unstable_ranks_hide_the_genes_and_say_why(genes: Callable[..., AppTest]) -> None:
    test = genes(stable_ranks=False, rank_agreement=0.2)
    assert len(test.get("plotly_chart")) == 1
    assert "0.20; 0.5 is needed" in html(test)
    assert "TP53" not in html(test)
    test.selectbox(key="values_open").select("genomics/oncogenes").run()
    assert not test.get("plotly_chart")
    assert "Single genes are not ranked here" in html(test)


def test_the_cohort_is_shown_below_and_an_unstable_order_is_hidden(
    genes: Callable[..., AppTest], filled: Workspace
) -> None:
    assert "start_explain-cohort" in {b.key for b in genes().button}
    save_cohort_explanation(make_cohort_explanation(COHORT), filled)
    test = genes()
    assert not test.exception
    assert len(test.get("plotly_chart")) == 4
    assert "In alphabetical order" not in html(test)
    test.selectbox(key="values_one").select("age").run()
    assert "How age moves the estimate" in " ".join(c.proto.spec for c in test.get("plotly_chart"))
    save_cohort_explanation(make_cohort_explanation(COHORT, stable_ranks=False, rank_agreement=0.1), filled)
    assert "In alphabetical order" in html(genes())


OPTIONS = WhatIfOptions(
    "hdmoe-1", PATIENT, (Changeable("age", 60.0, 30.0, 90.0), Changeable("stage", None, levels=("A", "B"))),
    ("genomics", "clinical"), ("oncogenes",), 60.0,
)  # fmt: skip


def answer(asked: list[WhatIfChange], workspace: Workspace, request: str, arguments: Any) -> Any:
    """A worker that lowers survival by the years beyond 60, and refuses stage A together with age 80."""
    if request == "what_if_options":
        return OPTIONS.as_json()
    change = WhatIfChange.from_json(arguments["change"])
    asked.append(change)
    if change.clinical == {"age": 80.0, "stage": "A"}:
        raise PrognoscopeError("age = 80 together with stage = A", "the change", "choose values that occur together")
    times = np.arange(61.0)
    curves = [WhatIfCurve(s, s, s) for s in (np.exp(-r * times) for r in (0.01, 0.01 + 0.001 * len(asked)))]
    words = tuple(f"{k} {v} (was 60.0)" for k, v in change.clinical.items())
    return WhatIf("hdmoe-1", PATIENT, times, *curves, words, 3, True).as_json()


def test_what_if_asks_the_worker_for_what_was_changed_and_shows_refusals(
    genes: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[WhatIfChange] = []
    monkeypatch.setattr("pages.widgets.what_if.ask", partial(answer, asked))
    test = genes()
    assert "Model sensitivity, not the effect of a treatment" in html(test)
    assert not asked
    test.button(key="what_if_start").click().run()
    assert not test.exception
    assert asked[-1] == WhatIfChange()
    assert "Nothing is changed" in html(test)
    slider = next(s for s in test.slider if s.label.startswith("age"))
    assert (slider.min, slider.max, slider.value) == (30.0, 90.0, 60.0)
    slider.set_value(80.0).run()
    assert asked[-1] == WhatIfChange({"age": 80.0})
    assert "percentage points" in html(test)
    stage = next(s for s in test.selectbox if "stage" in s.label)
    assert stage.value == "not recorded"
    stage.select("A").run()
    assert "Age = 80 together with stage = A" in html(test)
    next(b for b in test.button if b.label == "As recorded").click().run()
    assert asked[-1] == WhatIfChange()


def test_an_explanation_that_does_not_add_up_is_an_error(genes: Callable[..., AppTest]) -> None:
    assert "This explanation does not add up" in html(genes(prediction=70.0))
