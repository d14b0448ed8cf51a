"""The bar at the top of every page: cohort, run, and the selection as chips with counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import streamlit as st

from core.cohort.cohort import Cohort
from core.cohort.selection import Selected
from core.cohort.storage import CohortSummary
from core.results.naming import run_words
from core.results.run import Run
from core.results.workspace import Workspace
from pages.widgets import state as page
from pages.widgets.board_button import board_button
from pages.widgets.jobs import jobs_indicator

NO_RUN = ""


def bound_select(label: str, options: Sequence[Any], value: Any, key: str, changed: Any, **more: Any) -> Any:
    """A select box that shows the page state's value and hands a change to ``changed``.

    The page state is the only truth: what the widget remembers is overwritten before it is drawn.
    """
    st.session_state[key] = value if value in options else options[0]
    return st.selectbox(label, options, key=key, on_change=lambda: changed(st.session_state[key]), **more)


def cohort_titles(cohorts: tuple[CohortSummary, ...]) -> dict[str, str]:
    """Name → what the list calls a cohort; no two alike, for the browser sends back the words of what it shows."""
    titles = {c.name: f"{c.title} · {c.patients:,} patient{'' if c.patients == 1 else 's'}" for c in cohorts}
    often = Counter(titles.values())
    return {name: f"{words} · {name}" if often[words] > 1 else words for name, words in titles.items()}


def cohort_and_run(cohorts: tuple[CohortSummary, ...], cohort: Cohort, runs: tuple[Run, ...]) -> None:
    """The two select boxes."""
    titles = cohort_titles(cohorts)
    left, right, rest = st.columns([9, 13, 5], vertical_alignment="bottom")  # a run is told in more words than a cohort
    with left:
        bound_select(
            "Cohort", list(titles), cohort.name, "bar_cohort", lambda name: page.put(page.current().of_cohort(name)),
            format_func=lambda name: titles.get(name, name),
        )  # fmt: skip
    words = {r.id: run_words(r) for r in runs}
    with right:
        bound_select(
            "Run", list(words) or [NO_RUN], page.current().run, "bar_run",
            lambda run: page.put(replace(page.current(), run=run)),
            format_func=lambda run: words.get(run, "none trained on this cohort"), disabled=not runs,
        )  # fmt: skip
    with rest:
        jobs_indicator(Workspace.default())


def chips(cohort: Cohort, selected: Selected) -> None:
    """Each filter with the number of patients it leaves and an ✕; nothing is shown when nothing is filtered."""
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="chips"):
        st.markdown(f"**{selected.count:,}** of {len(cohort):,} patients selected")
        for index, count in enumerate(selected.counts):
            words = count.filter.words(cohort)
            st.button(
                f"{words} · {count.left:,} ✕", key=f"chip_{index}", on_click=page.remove_filter, args=(count.filter,),
                help=f"{count.matching:,} match this filter alone; {count.returning:,} come back without it.",
            )  # fmt: skip
        if len(selected.counts) > 1:
            st.button("Clear all", key="clear_filters", type="tertiary", on_click=page.clear_filters)
        _patient_chips()


def _patient_chips() -> None:
    """The patient all pages speak of, and the one kept beside, each with its way out."""
    state = page.current()
    if state.patient:
        st.button(
            f"Patient {state.patient} ✕", key="chip_patient", on_click=page.choose_patient, args=("",),
            help="All pages speak of this patient. ✕ lets go of the patient.",
        )  # fmt: skip
        board_button((state.patient,))
    if state.beside and state.beside != state.patient:
        st.button(
            f"Pinned {state.beside} ✕", key="chip_pinned", on_click=page.keep_beside, args=("",),
            help="Pinned to compare others with. ✕ unpins.",
        )  # fmt: skip
