"""The cohort view of the Genes tab: what moves the run's estimates over many patients, this patient marked."""

from __future__ import annotations

from functools import partial
from typing import Any

import streamlit as st

from core.analysis.cohort_values import importance_table, shown_features, swarm_table, unstable_ranks
from core.analysis.points import axis_words, group_words
from core.analysis.reproduce_plots import plot_code
from core.analysis.waterfall import value_name
from core.cohort.cohort import Cohort
from core.figures.cohort_values import beeswarm_figure, dependence_figure, importance_figure
from core.results.cohort_explanation import (
    CohortExplanation,
    cohort_folder,
    has_cohort_explanation,
    load_cohort_explanation,
)
from core.results.files import MANIFEST
from core.results.naming import model_words
from core.results.workspace import Workspace
from pages.widgets.data import View
from pages.widgets.figure_block import Block, chart_key, figure_block
from pages.widgets.html import note
from pages.widgets.job_panel import Wanted, job_panel

ONE = "values_one"
GROUP = "values_group"
EVERYTHING = "All"


def cohort_values(view: View, patient: str, month: float) -> None:
    """Beeswarm, ranking and dependence plot; or the way to them."""
    run = view.run
    if run is None:
        return
    if not has_cohort_explanation(run.id, month, view.workspace):
        job_panel(
            Wanted(
                "explain-cohort", {"run": run.id, "month": month},
                f"Explaining the patients of {model_words(run.model)}",
                "Explain the run’s patients", "What moves the estimates over the cohort is not computed yet",
                ("A beeswarm of all effects, which values count most and whether the seeds agree, and how a value "
                 "moves the estimate.", f"On the command line: `./run cli explain {run.id} --all`"),
            ),
            view.workspace,
        )  # fmt: skip
        return
    found = _read(run.id, month, view.workspace)
    label = partial(input_words, view.cohort)
    group = _group_choice(found)
    rows = shown_features(found, group)
    if words := unstable_ranks(found):
        note(words, warn=True)
    _take_up_click(found)
    names = tuple(str(n) for n in rows["name"])
    alt = "; ".join(f"{label(n)}" for n in names)
    figure_block(
        Block("cohort-values", f"Effects over the cohort of: {alt}.",
              lambda shown: beeswarm_figure(found, rows, label, patient, shown), lambda: swarm_table(found, names),
              lambda: plot_code("swarm", "What moves the estimates over the cohort", axis_words(month))),
        key=chart_key("beeswarm", (group, patient)), on_select=_clicked, selection_mode=("points",),
    )  # fmt: skip
    note("One point a patient; the large diamond is this patient. Numbers beside a name: its rank, and the best and "
         "worst that a single seed gives it. Click a point to see how that value moves the estimate.")  # fmt: skip
    with st.container(key="cohort_values"):
        left, right = st.columns(2, gap="medium")
    with left:
        figure_block(
            Block("cohort-importance", "; ".join(f"{label(str(r['name']))} {r['importance']:.2f}" for _, r in
                                                 rows.iterrows()),
                  lambda _: importance_figure(found, rows, label), lambda: importance_table(found, rows),
                  lambda: plot_code("ranking", "What counts most", f"mean size, {axis_words(month)}"))
        )  # fmt: skip
    with right:
        _dependence(found, rows["name"].tolist(), label, patient)
    for words in found.notes:
        note(words)


def _dependence(found: CohortExplanation, names: list[str], label: Any, patient: str) -> None:
    options = [*names, *(n for n in found.ranking() if n not in set(names))]
    if st.session_state.get(ONE) not in options:
        st.session_state[ONE] = options[0]
    one = st.selectbox("How one value moves the estimate", options, key=ONE, format_func=label)
    figure_block(
        Block("cohort-dependence", f"Effect against value of {label(one)}.",
              lambda shown: dependence_figure(found, one, label, patient if shown else ""),
              lambda: swarm_table(found, (one,)),
              lambda: plot_code("dependence", f"How {label(one)} moves the estimate", axis_words(found.month)))
    )  # fmt: skip


def _group_choice(found: CohortExplanation) -> str:
    groups = [str(g) for g in found.features["group"].unique() if (found.features["group"] == g).sum() > 1]
    chosen = st.segmented_control(
        "Values of", [EVERYTHING, *groups], default=EVERYTHING, key=GROUP,
        format_func=lambda g: g if g == EVERYTHING else group_words(g),
    )  # fmt: skip
    return "" if chosen in (None, EVERYTHING) else str(chosen)


def _clicked(points: list[dict[str, Any]]) -> bool:
    names = [p["customdata"] for p in points if p.get("customdata")]
    name = str(names[0][0]) if names else ""
    if not name or name == st.session_state.get(ONE):
        return False
    st.session_state[f"{ONE}_next"] = name
    return True


def _take_up_click(found: CohortExplanation) -> None:
    wanted = st.session_state.pop(f"{ONE}_next", None)
    if wanted in set(found.ranking()):
        st.session_state[ONE] = wanted


def input_words(cohort: Cohort, name: str) -> str:
    """An input as a reader knows it: a clinical column by its label, a gene by symbol and kind."""
    if name in cohort.patients.columns:
        return cohort.label(name)
    words = group_words(name)
    return words if words != name else value_name(name)


def _read(run: str, month: float, workspace: Workspace) -> CohortExplanation:
    stamp = (cohort_folder(run, month, workspace) / MANIFEST).stat().st_mtime_ns
    return _remembered(str(workspace.root), run, month, stamp)


@st.cache_resource(scope="session", show_spinner=False, max_entries=2)
def _remembered(root: str, run: str, month: float, stamp: int) -> CohortExplanation:
    from pathlib import Path

    return load_cohort_explanation(run, month, Workspace(Path(root)))
