"""The Genes tab in its states: not made, made, opened, unstable, and one that does not add up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.results.explanation import save_explanation
from core.results.views import save_view
from core.results.workspace import Workspace
from pages.widgets.state import PageState
from tests.pages.explanations import make_explanation

PATIENT = "SYN-0001"


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


def test_an_explanation_that_does_not_add_up_is_an_error(genes: Callable[..., AppTest]) -> None:
    assert "This explanation does not add up" in html(genes(prediction=70.0))
