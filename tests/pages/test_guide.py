"""The sample cohort tells on each page what to look for, leads either role through six steps, and can be put away."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from core.cohort.sample import make_sample_cohort
from core.cohort.storage import save_cohort
from core.results.views import save_view
from core.results.workspace import Workspace
from pages.widgets.guide import LOOK_FOR, TOURS
from pages.widgets.state import PageState
from tests.pages.builders import make_large_cohort

COHORT = make_sample_cohort()[0]

PAGES = ("Cohort", "Survival", "Experts", "Patient", "Board", "Train", "Compare", "Evidence", "System")


def html(test: AppTest) -> str:
    return " ".join(e.value for e in test.get("html"))


@pytest.mark.parametrize("title", PAGES)
def test_each_page_says_what_to_look_for(title: str, filled: Workspace, open_page: Callable[..., AppTest]) -> None:
    test = open_page(title.lower())
    assert not test.exception
    assert "What to look for" in html(test)
    assert LOOK_FOR[title].split("“")[0].split("<")[0][:30] in html(test)


def test_another_cohort_has_no_guide(workspace: Workspace, open_page: Callable[..., AppTest]) -> None:
    save_cohort(make_large_cohort(60), None, workspace)
    test = open_page("survival")
    assert not test.exception
    assert "What to look for" not in html(test)
    assert not [b for b in test.button if b.key in ("guide_hide", "guide_show")]


def test_the_guide_is_put_away_and_comes_back(filled: Workspace, open_page: Callable[..., AppTest]) -> None:
    test = open_page("train")
    test.button(key="guide_hide").click().run()
    assert "What to look for" not in html(test)
    test.button(key="guide_show").click().run()
    assert "What to look for" in html(test)


@pytest.mark.parametrize("role", TOURS)
def test_a_tour_has_six_steps_on_pages_there_are(
    role: str, filled: Workspace, open_page: Callable[..., AppTest]
) -> None:
    assert len(TOURS[role]) == 6
    assert {step.page for step in TOURS[role]} <= set(PAGES)
    test = open_page("evidence")
    test.segmented_control(key="guide_role").select(role).run()
    assert not test.exception
    assert len([b for b in test.button if b.key and b.key.startswith("tour_")]) == 6
    assert TOURS[role][5].words[:30] in html(test)


def test_a_step_to_a_tab_that_a_patient_lacks_breaks_nothing(
    filled: Workspace, open_page: Callable[..., AppTest]
) -> None:
    without = ~COHORT.availability["slides"].to_numpy()
    patient = COHORT.ids[int(without.nonzero()[0][0])]
    state = PageState(cohort="sample", run="hdmoe-1", endpoint="OS", patient=patient)
    test = open_page("patient", view=save_view(state.as_json(), filled))
    test.segmented_control(key="guide_role").select("Clinician").run()
    test.button(key="tour_3").click().run()
    assert not test.exception
    assert "Something went wrong" not in html(test)
    assert "No Slide tab" in html(test)


def test_a_step_opens_its_tab_on_the_same_page(filled: Workspace, open_page: Callable[..., AppTest]) -> None:
    test = open_page("experts")
    test.segmented_control(key="guide_role").select("Researcher").run()
    test.button(key="tour_4").click().run()
    assert not test.exception
    assert test.session_state["experts_tab"] == "Phenotypes"
    assert "Step 5 of 6" in html(test)
