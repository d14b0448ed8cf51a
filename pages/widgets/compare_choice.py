"""Which runs are compared, and which of them is the baseline."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from core.access.seen import list_runs
from core.results.naming import model_words
from core.results.run import Run
from pages.widgets import state as page
from pages.widgets.data import View
from pages.widgets.topbar import bound_select

MOST = 8


def choose_runs(view: View) -> Mapping[str, Run]:
    """Runs to choose from: this cohort's first, the newest first; a choice of two is made where there was none."""
    others = sorted((r for r in list_runs(view.workspace) if r.cohort != view.cohort.name), key=lambda r: r.created_at)
    offered = {r.id: r for r in (*view.runs, *others[::-1])}
    comparing = page.current().comparing
    runs = tuple(i for i in comparing.runs if i in offered)
    if not comparing.runs:
        runs = tuple(r.id for r in _usual(view))
    if runs != comparing.runs:
        page.compare_with(runs=runs)
    if len(offered) < 2:
        return offered
    with st.container(key="compare_choice"):
        left, right = st.columns([8, 5])
    with left:
        st.session_state["compare_runs"] = list(runs)
        st.multiselect(
            "Runs", list(offered), key="compare_runs", max_selections=MOST, placeholder="Choose at least two runs",
            format_func=lambda i: _words(offered[i], view), on_change=_chosen,
        )  # fmt: skip
    with right:
        if len(runs) > 1:
            bound_select(
                "Baseline", list(runs), comparing.baseline or runs[0], "compare_baseline",
                lambda i: page.compare_with(baseline=i), format_func=lambda i: _words(offered[i], view),
                help="The other runs are shown minus this one.",
            )  # fmt: skip
    return offered


def _usual(view: View) -> tuple[Run, ...]:
    """The chosen run and the newest other one with the same endpoint and folds, or simply the newest other."""
    run = view.run
    if run is None:
        return ()
    rest = [r for r in view.runs if r.id != run.id]
    alike = [r for r in rest if (r.endpoint, r.folds) == (run.endpoint, run.folds)]
    return (run, *(alike or rest)[:1])


def _words(run: Run, view: View) -> str:
    """A run in few words: several of them stand side by side."""
    parts = [model_words(run.model), " + ".join(run.modalities), run.folds, run.id.rpartition("-")[2]]
    if run.cohort != view.cohort.name:
        parts.insert(0, run.cohort)
    return " · ".join(parts + (["optimistic"] if run.protocol == "upstream" else []))


def _chosen() -> None:
    page.compare_with(runs=tuple(st.session_state["compare_runs"]))


def chosen_runs(offered: Mapping[str, Run]) -> tuple[Run, ...]:
    """The chosen runs in the order they were chosen."""
    return tuple(offered[i] for i in page.current().comparing.runs if i in offered)


def baseline_of(runs: tuple[Run, ...]) -> str:
    """The chosen baseline, or the first run."""
    asked = page.current().comparing.baseline
    return asked if asked in {r.id for r in runs} else runs[0].id
