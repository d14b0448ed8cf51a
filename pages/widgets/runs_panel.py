"""The runs of the cohort as a table of immutable records; the one chosen in the top bar in full."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import streamlit as st

from core.access.roles import Permission
from core.errors import PrognoscopeError
from core.results.naming import badge, model_words
from core.results.run import Run
from core.results.training_curve import load_curves
from pages.widgets import state as page
from pages.widgets.data import View
from pages.widgets.deletion_dialog import ask_to_delete_run, deletion_dialog
from pages.widgets.figure_block import chart_key
from pages.widgets.frame import show_error
from pages.widgets.html import note, state_box
from pages.widgets.run_record import metric_words, run_record, run_summary
from pages.widgets.training_curves import curves_panel
from pages.widgets.who import may


def runs_panel(view: View) -> None:
    """Every run of this cohort; clicking a row chooses it on all pages."""
    st.header("Runs of this cohort")
    if not view.runs:
        state_box(
            "No run of this cohort yet",
            ("A run appears here when a training has finished. Nothing in it can be changed afterwards.",),
            "slight",
        )
        return
    key = chart_key("runs", (view.cohort.name, view.state.run, len(view.runs)))
    st.dataframe(
        runs_table(view.runs), hide_index=True, key=key, selection_mode="single-row", placeholder="–",
        on_select=lambda: _pick(key, view.runs), alt="Runs of this cohort",
    )  # fmt: skip
    note("Tick a row to see its whole record; the top bar and all other pages follow.")
    if view.run is not None:
        _record(view, view.run)


def runs_table(runs: tuple[Run, ...]) -> pd.DataFrame:
    """One row a run, the newest first."""
    return pd.DataFrame(
        [
            {
                "Run": r.id.rpartition("-")[2], "Model": model_words(r.model), "Inputs": " + ".join(r.modalities),
                "Endpoint": r.endpoint, "Folds": r.folds, "Seeds": len(r.seeds),
                "Harrell C (95 % CI)": metric_words(r.metrics.harrell_c),
                "IBS": "–" if r.metrics.ibs.mean is None else f"{r.metrics.ibs.mean:.3f}",
                "Patients": r.patients, "Numbers are": badge(r.protocol, False),
                "Trained (UTC)": r.created_at[:16].replace("T", " "), "Code": r.code_version,
            }
            for r in runs
        ]
    )  # fmt: skip


def _pick(key: str, runs: tuple[Run, ...]) -> None:
    event = st.session_state.get(key)
    rows = list(event["selection"]["rows"]) if event else []
    if rows and rows[0] < len(runs):
        page.put(replace(page.current(), run=runs[rows[0]].id))


def _record(view: View, run: Run) -> None:
    st.subheader(f"{model_words(run.model)} · {run.id.rpartition('-')[2]}")
    with st.container(key="run_record"):
        left, right = st.columns(2, gap="large")
    with left:
        run_summary(run, "record")
        if may(Permission.DELETE):
            st.button("Delete this run …", key="delete_run", type="tertiary", on_click=ask_to_delete_run,
                      args=(run.id,))  # fmt: skip
    with right:
        run_record(run)
    _curves(view, run)
    deletion_dialog(view.cohort.name, run, view.workspace)


def _curves(view: View, run: Run) -> None:
    try:
        points = load_curves(run.id, view.workspace)
    except PrognoscopeError as error:
        show_error(error)
        return
    if points and st.toggle("Show its epochs", key=f"epochs_{run.id}"):
        curves_panel(points, "run", run.synthetic)
