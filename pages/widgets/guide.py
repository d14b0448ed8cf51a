"""For a first look at the sample cohort: what to look for on each page, and a tour of six steps for either role."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from html import escape

import streamlit as st

from core.cohort.sample import NAME
from core.cohort.storage import CohortSummary
from pages.widgets.data import View

LOOK_FOR: Mapping[str, str] = {
    "Cohort": "Click a bar below “Which data the patients have”: the chips, every count and every page follow.",
    "Survival": "The two curves are groups of predicted risk. Change “Group by” to the stage: which parts them more?",
    "Experts": "Open Phenotypes: whether other seeds find the same groups stands beside the curves that use them.",
    "Patient": "Choose a patient. The large number counts in a hundred such patients; both its doubts stand beside it.",
    "Board": "Put two patients on a list, freeze it and present it: no page of it names anybody.",
    "Train": "Choose a model: what differs from its defaults is listed, and the folds are checked before it starts.",
    "Compare": "Compare a run with a simpler one: an interval of the difference that holds 0 is no difference.",
    "Evidence": "Read the limitations first, then whether estimated and observed survival lie on one line.",
    "System": "See when the last backup was made, who may do what, and whether a job has failed.",
}  # fmt: skip
"""Page → what is worth seeing on it, in one line."""

HIDDEN, ROLE, STEP, TOUR = "guide_hidden", "guide_role", "guide_step", "guide_tour"
"""``TOUR`` keeps the role: what a widget remembers ends with its page."""


@dataclass(frozen=True)
class TourStep:
    """A page, what to do there, and the tab of the Patient or Experts page it is about."""

    page: str
    words: str
    tab: str = ""


TOURS: Mapping[str, tuple[TourStep, ...]] = {
    "Clinician": (
        TourStep("Cohort", "See who the patients are and keep those with every kind of data: click the longest bar."),
        TourStep("Survival", "See how they fare. The table under the curves counts those still followed."),
        TourStep("Patient", "Choose a patient and read the three-year survival with both of its doubts.", "Summary"),
        TourStep("Patient", "See where on the slide the model looked; a patch in the strip flies there.", "Slide"),
        TourStep("Board", "Put the patient on a list with a protocol, and present it without names."),
        TourStep("Evidence", "See how far the number can be trusted, and for which patients it cannot."),
    ),
    "Researcher": (
        TourStep("Cohort", "Narrow the selection by any chart; undo it with Alt+Z; every page follows."),
        TourStep("Train", "Start a model: its folds are checked for leakage first, it runs on when you leave."),
        TourStep("Compare", "Compare two runs on the same patients, with paired intervals."),
        TourStep("Experts", "See where the gates send whom, and how evenly.", "Routing"),
        TourStep("Experts", "See whether other seeds find the same groups, beside the groups' curves.", "Phenotypes"),
        TourStep("Evidence", "Read the model card; History writes what you did as methods text."),
    ),
}
"""Role → six steps."""


def guide(title: str, view: View) -> None:
    """The line of this page and the tour, until they are put away; on the sample cohort alone."""
    if title not in LOOK_FOR or view.cohort.name != NAME or not view.cohort.synthetic:
        return
    if st.session_state.get(HIDDEN):
        return
    with st.container(key="guide", gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            _line(title)
            st.session_state[ROLE] = st.session_state.get(TOUR)
            role = st.segmented_control(
                "Tour for a", list(TOURS), key=ROLE, label_visibility="collapsed", width="content",
                on_change=_choose_role, format_func=lambda name: f"Tour: {name.lower()}",
                help="Six steps through the pages.",
            )  # fmt: skip
            st.button(
                "Hide", key="guide_hide", type="tertiary", on_click=_hide, help="Puts this line and the tour away."
            )
        if role is not None:
            _tour(str(role), title)


def line_of_the_sample(title: str, cohorts: Iterable[CohortSummary]) -> None:
    """The line alone, for a page that belongs to no cohort, as long as the sample is there to look at."""
    if any(c.name == NAME and c.synthetic for c in cohorts) and not st.session_state.get(HIDDEN):
        with st.container(key="guide"):
            _line(title)


def _line(title: str) -> None:
    st.html(f'<p class="look-for"><b>What to look for</b> {escape(LOOK_FOR[title])}</p>', width="stretch")


def _tour(role: str, title: str) -> None:
    """Six buttons that lead to their pages, and what to do at the present one."""
    steps = TOURS[role]
    now = _present(steps, title)
    go = None
    with st.container(horizontal=True, gap="small", key="tour"):
        for index, step in enumerate(steps):
            words = f"{index + 1} {step.page}" + (f", {step.tab}" if step.tab else "")
            kind = "primary" if index == now else "secondary"
            if st.button(words, key=f"tour_{index}", type=kind, help=step.words):
                go = index
    if now is not None:
        st.html(f'<p class="look-for"><b>Step {now + 1} of {len(steps)}</b> {escape(steps[now].words)}</p>')
    if go is not None:
        _go(steps, go, title)


def _present(steps: tuple[TourStep, ...], title: str) -> int | None:
    """The step taken last where it is of this page, else the first of this page; None on a page of no step."""
    taken = st.session_state.get(STEP)
    if isinstance(taken, int) and taken < len(steps) and steps[taken].page == title:
        return taken
    return next((i for i, step in enumerate(steps) if step.page == title), None)


def _go(steps: tuple[TourStep, ...], index: int, title: str) -> None:
    step = steps[index]
    st.session_state[STEP] = index
    if step.tab:
        st.session_state[f"{step.page.lower()}_tab"] = step.tab
    if step.page == title:
        st.rerun()
    st.switch_page(f"{step.page.lower()}.py")


def _choose_role() -> None:
    st.session_state[TOUR] = st.session_state[ROLE]


def _hide() -> None:
    st.session_state[HIDDEN] = True


def show_again() -> None:
    """Bring the line and the tour back."""
    st.session_state[HIDDEN] = False


def guide_button(view: View) -> None:
    """The way back to what was put away; nothing elsewhere than on the sample cohort."""
    if view.cohort.name == NAME and st.session_state.get(HIDDEN):
        st.button("Guide", key="guide_show", type="tertiary", on_click=partial(show_again))
