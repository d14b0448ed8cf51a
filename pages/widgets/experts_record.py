"""What the routing tabs share: the stored record or the way to it, whose gates are shown, and the clicked patient."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

from core.analysis.gates import MEAN, Models, model_choice_words, model_choices
from core.results.naming import model_words
from core.results.routing_record import RoutingRecord, has_routing, load_routing, routing_stamp
from core.results.run import Run
from core.results.workspace import Workspace
from pages.widgets import state as page
from pages.widgets.data import View
from pages.widgets.frame import loading
from pages.widgets.html import state_box
from pages.widgets.job_panel import Wanted, job_panel

MODELS = "routing_models"
ROUTED = ("hdmoe", "biofact", "mice")


def routing_of(view: View, why: str) -> RoutingRecord | None:
    """The record of the chosen run; where there is none, the way to it has been drawn and the answer is None."""
    run = view.run
    if run is None:
        return None
    if run.model not in ROUTED:
        state_box(
            f"{model_words(run.model)} has no experts",
            ("There is no gate to look at.", "Choose a run of HDMoE, BioFact-MoE or MICE in the bar above."),
        )
        return None
    if not has_routing(run.id, view.workspace):
        job_panel(_wanted(run, why), view.workspace)
        return None
    with loading("Reading the routing"):
        return _remembered(str(view.workspace.root), run.id, routing_stamp(run.id, view.workspace))


def _wanted(run: Run, why: str) -> Wanted:
    return Wanted(
        "routing", {"run": run.id}, f"Reading the routing of {model_words(run.model)} on {run.cohort}",
        "Read the routing", "The routing of this run was not read yet",
        (why, "Every patient is shown to the models that never saw them; nothing in the run changes.",
         f"On the command line: `./run cli routing {run.id}`"),
    )  # fmt: skip


@st.cache_resource(scope="session", show_spinner=False, max_entries=2)
def _remembered(root: str, run: str, stamp: int) -> RoutingRecord:
    return load_routing(run, Workspace(Path(root)))


def models_choice(record: RoutingRecord, key: str, level: str = "") -> Models:
    """Whose gates: all models where their experts (of ``level``) match, else a seed, else one model."""
    options = list(model_choices(record, level))
    if st.session_state.get(key) not in options:
        st.session_state[key] = _first(record, options)
    return st.selectbox(
        "Gates of", options, key=key, format_func=lambda m: model_choice_words(record, m),
        help="Experts without names are not the same in two models. Models stand together only where their experts "
        "can be matched (mean correlation of their gates at least 0.5).",
    )  # fmt: skip


def _first(record: RoutingRecord, options: list[Models]) -> Models:
    """The widest choice, or the first single model that may speak of the chosen patient."""
    patient = page.current().patient
    if options[0].fold == MEAN or patient not in record.ids:
        return options[0]
    fold = int(record.fold[record.ids.index(patient)])
    return next(m for m in options if m.fold == fold)


def pin_clicked(points: list[dict[str, Any]]) -> bool:
    """Choose the patient of a clicked point for all pages."""
    ids = [p["customdata"] for p in points if p.get("customdata")]
    patient = str(ids[0][0] if isinstance(ids[0], list | tuple) else ids[0]) if ids else ""
    if not patient or patient == page.current().patient:
        return False
    page.choose_patient(patient)
    return True
