"""What the reader chooses on the Survival page: endpoint, time zero, competing events, groups, years."""

from __future__ import annotations

import re
from dataclasses import replace

import streamlit as st

from core.analysis.grouping import Cut, GroupBy, Source, group_columns, is_numeric
from core.analysis.outcome import CompetingAs
from core.cohort.endpoint import Endpoint
from core.results.naming import model_words
from pages.widgets import state as page
from pages.widgets.data import View
from pages.widgets.html import note
from pages.widgets.topbar import bound_select

COUNTS_AS = {
    CompetingAs.CENSORED: "end of follow-up (censored)",
    CompetingAs.COMPETING: "a competing event",
    CompetingAs.EVENT: "the event itself",
}
CUTS = {
    Cut.MEDIAN: "Median",
    Cut.TERTILES: "Tertiles",
    Cut.CLINICAL: "My cut-points",
    Cut.BEST: "Best cut (searched, optimistic)",
}


def controls(view: View) -> None:
    """All choices, each bound to the page state."""
    _outcome(view)
    _groups(view)
    _statements()


def _outcome(view: View) -> None:
    endpoints = view.cohort.endpoints
    bound_select(
        "Endpoint", list(endpoints), page.current().endpoint, "endpoint",
        lambda name: page.put(replace(page.current(), endpoint=name)),
        format_func=lambda name: f"{endpoints[name].label} ({name})",
    )  # fmt: skip
    endpoint = view.cohort.endpoint(page.current().endpoint)
    _time_zero(endpoint)
    if endpoint.has_competing:
        bound_select(
            f"{endpoint.competing_label[:1].upper()}{endpoint.competing_label[1:]} counts as", list(COUNTS_AS),
            page.current().options.competing_as, "competing_as", lambda how: page.choose(competing_as=how),
            format_func=lambda how: COUNTS_AS[how],
            help="As a competing event, cumulative incidence (Aalen-Johansen) is drawn, never 1 − Kaplan-Meier.",
        )  # fmt: skip


def _time_zero(endpoint: Endpoint) -> None:
    st.session_state["landmark"] = page.current().options.landmark
    st.number_input(
        f"Count from month … after {endpoint.time_zero}", 0.0, 240.0, step=1.0, format="%g", key="landmark",
        on_change=lambda: page.choose(landmark=float(st.session_state["landmark"])),
        help="0 = from the endpoint's own time zero. Above 0 (a landmark), only patients still under observation and "
        "free of the event at that month are analysed, and time starts there.",
    )  # fmt: skip


def _groups(view: View) -> None:
    by = page.current().options.group_by
    offered = {("none", ""): "Everybody together"}
    if view.run is not None:
        offered[("risk", "")] = f"Predicted risk ({model_words(view.run.model)})"
    if page.current().groups:
        offered[("named", "")] = "Named groups"
    offered |= {("column", c): view.cohort.label(c) for c in group_columns(view.cohort)}
    chosen = (by.source.value, by.column)
    if chosen not in offered:
        chosen = ("none", "")
        page.choose(group_by=replace(by, source=Source.NONE, column=""))
    bound_select(
        "Group by", list(offered), chosen, "group_by",
        lambda k: page.choose(group_by=GroupBy(Source(k[0]), k[1]), picked=()),
        format_func=lambda k: offered.get(k, ""),
    )  # fmt: skip
    by = page.current().options.group_by
    if by.source is Source.RISK:
        _cut((Cut.MEDIAN, Cut.TERTILES), by)
        note("Thresholds come from the training patients of each patient's own fold.")
    elif by.source is Source.COLUMN and is_numeric(view.cohort, by.column):
        _cut(tuple(CUTS), by)
        if by.cut is Cut.CLINICAL:
            _points(view, by)


def _cut(offered: tuple[Cut, ...], by: GroupBy) -> None:
    bound_select(
        "Cut at", list(offered), by.cut, "cut",
        lambda cut: page.choose(group_by=replace(page.current().options.group_by, cut=cut)),
        format_func=lambda cut: CUTS[cut],
    )  # fmt: skip


def _points(view: View, by: GroupBy) -> None:
    unit = view.cohort.units.get(by.column, "")
    _numbers(
        f"Cut-points{f' ({unit})' if unit else ''}", "points", by.points,
        lambda values: page.choose(group_by=replace(page.current().options.group_by, points=values)),
        "for example -2.6, -1.39", most=7,
    )  # fmt: skip


def _statements() -> None:
    survival = page.current().options.survival
    _numbers(
        "Years to state survival at", "years", survival.years,
        lambda values: page.choose(survival=replace(page.current().options.survival, years=values)), "for example 1, 3",
        most=6, positive=True,
    )  # fmt: skip
    st.session_state["tau"] = survival.tau or 0.0
    st.number_input(
        "RMST up to month (0 = shortest follow-up)", 0.0, 600.0, step=6.0, format="%g", key="tau",
        on_change=lambda: page.choose(
            survival=replace(page.current().options.survival, tau=float(st.session_state["tau"]) or None)
        ),
        help="Restricted mean survival time: months lived on average within this horizon.",
    )  # fmt: skip
    st.session_state["band"] = page.current().options.band
    st.checkbox("95 % band", key="band", on_change=lambda: page.choose(band=st.session_state["band"]))


def _numbers(label, key, values, changed, example, most, positive=False) -> None:
    """A text box for a few numbers; what cannot be read is said under it and changes nothing."""
    st.session_state[key] = ", ".join(f"{v:g}" for v in values)

    def read() -> None:
        text = st.session_state[key]
        try:
            found = tuple(sorted({float(word) for word in re.split(r"[\s,;]+", text.strip()) if word}))
        except ValueError:
            found = ()
        usable = 0 < len(found) <= most and (not positive or found[0] > 0) and all(abs(v) < 1e9 for v in found)
        if usable:
            st.session_state.pop(f"{key}_problem", None)
            changed(found)
        else:
            st.session_state[f"{key}_problem"] = f"“{text}” was not used: type 1 to {most} numbers, {example}."

    st.text_input(label, key=key, on_change=read, placeholder=example)
    if problem := st.session_state.pop(f"{key}_problem", ""):
        note(problem, warn=True)
