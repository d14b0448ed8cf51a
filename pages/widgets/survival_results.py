"""The Survival page's figure and the numbers that belong to it."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from core.analysis.comparisons import (
    hazard_ratio_table,
    logrank_sentence,
    pairwise_table,
    proportional_hazards_sentence,
    rmst_table,
)
from core.analysis.drawn import drawn_numbers, medians_table
from core.analysis.group_survival import GroupSurvival
from core.analysis.reproduce import python_code, r_code
from core.figures.survival import survival_figure
from core.results.naming import OUT_OF_FOLD
from pages.widgets import state as page
from pages.widgets.cohort_table import keep_only, save_group
from pages.widgets.data import View
from pages.widgets.figure_block import Block, chart_key, figure_block
from pages.widgets.html import note, numbers_table
from pages.widgets.open_patient import open_patient


def title_of(result: GroupSurvival) -> str:
    """The figure's subject in words."""
    outcome = result.outcome
    what = f"Cumulative incidence of {outcome.event_label}" if result.competing else outcome.remaining
    several = len(result.grouping.names) > 1 or result.grouping.title != "all patients"
    return f"{what} by {result.grouping.title}" if several else f"{what} of the selected patients"


def survival_chart(view: View, result: GroupSurvival) -> None:
    """The figure; choosing steps or censoring marks picks their patients and filters nothing."""
    title, synthetic, band = title_of(result), view.cohort.synthetic, view.state.options.band
    state = page.current()
    figure_block(
        Block(
            "survival",
            f"{title}: {result.n} patients, {result.n_events} events in {len(result.groups)} groups",
            lambda screen: survival_figure(result, title, synthetic, page.current().options.band, screen),
            lambda: drawn_numbers(result),
            lambda: python_code(result, title, synthetic),
            lambda: r_code(result, title, synthetic),
        ),
        key=chart_key("survival", (state.selection, state.endpoint, state.options.group_by, band)),
        on_select=_pick,
    )
    left_out = "; ".join(f"{e.count:,} {e.reason}" for e in result.left_out)
    if left_out:
        note(f"Not in the figure: {left_out}.")
    if result.grouping.badge == OUT_OF_FOLD and view.run is not None:
        note("Out-of-fold: every patient's risk comes from models that never saw them; thresholds are the training "
             f"fold's. Run {view.run.id}.")  # fmt: skip


def _pick(points: list[dict[str, Any]]) -> bool:
    """Remember the patients of the chosen steps."""
    ids: set[str] = set()
    for point in points:
        data = point.get("customdata")
        ids |= set(str(data[0] if isinstance(data, list | tuple) and data else data or "").split())
    changed = page.current().options.picked != tuple(sorted(ids))
    page.choose(picked=tuple(sorted(ids)))
    return changed


def picked_panel(view: View) -> None:
    """The picked patients, with what can be done with them."""
    picked = tuple(i for i in page.current().options.picked if i in view.cohort.patients.index)
    if not picked:
        note("Click a step or drag a box over the curves to see which patients are behind them.")
        return
    endpoint = view.cohort.endpoint(page.current().endpoint)
    rows = view.cohort.patients.index.get_indexer(list(picked))
    part = endpoint.take(rows)
    status = [("censored", endpoint.event_label, endpoint.competing_label)[code] for code in part.codes]
    table = pd.DataFrame({"Patient": picked, "Months": part.time.round(1), "Status": status})
    st.dataframe(table, hide_index=True, height=min(36 * (len(table) + 1), 200), alt="Picked patients", key="picked")
    with st.container(horizontal=True):
        st.markdown(f"**{len(picked)}** picked")
        open_patient(picked, "curve")
        st.button("Keep only these", key="keep_picked", on_click=keep_only, args=(picked, "picked patients"))
        st.button("Save as group", key="group_picked", on_click=save_group, args=("Picked", picked))


def results(result: GroupSurvival) -> None:
    """Medians and landmarks, then tests, hazard ratios and RMST, each with what it rests on."""
    st.header("In numbers")
    numbers_table(medians_table(result), right=("Patients", "Events"))
    if len(result.groups) > 1:
        left, right = st.columns(2, gap="large")
        with left:
            _tests(result)
        with right:
            _effects(result)
    for sentence in result.notes:
        note(sentence, warn=sentence in result.grouping.warnings or sentence.startswith("No p-value"))


def _tests(result: GroupSurvival) -> None:
    st.subheader("Do the groups differ?")
    st.markdown(logrank_sentence(result))
    if result.pairwise:
        numbers_table(pairwise_table(result))


def _effects(result: GroupSurvival) -> None:
    st.subheader("By how much?")
    if result.hazard_ratios is not None:
        numbers_table(hazard_ratio_table(result))
        words, violated = proportional_hazards_sentence(result)
        note(words, warn=violated)
    if result.rmst_differences:
        numbers_table(rmst_table(result))
    if result.hazard_ratios is None and not result.rmst_differences:
        note("No hazard ratio and no RMST difference: the reason is given below.")
