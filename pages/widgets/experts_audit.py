"""The Audit tab: do the experts of the chosen run mean what they are called?"""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from core.cohort.wording import plural
from core.results.audit import AuditReport, load_audit
from core.results.model_catalogue import CATALOGUE, named_experts
from core.results.naming import model_words
from core.results.run import Run
from pages.widgets import state as page
from pages.widgets.audit_result import show_result
from pages.widgets.audit_start import start_panel
from pages.widgets.data import View
from pages.widgets.frame import loading
from pages.widgets.html import note, state_box


def audit_tab(view: View) -> None:
    """The stored audit and the way to another one; or why this run cannot be audited."""
    run = view.run
    if run is None:
        return
    names = named_experts(run.model)
    if not names:
        _not_auditable(view, run)
        return
    st.caption(
        f"{model_words(run.model)} calls its experts {' and '.join(names)}. The audit asks whether that is so: whether "
        "each expert knows the laboratory and imaging markers of its own name better than the other does, although "
        "no model was ever given them."
    )
    with loading("Reading the audit"):
        report: AuditReport | None = load_audit(run.id, view.workspace)
    start_panel(view, run, audited=report is not None)
    if report is None:
        state_box(
            "Not audited yet",
            (
                "An audit reads the models of the run as they are and changes nothing in it.",
                "It answers whether the tumour expert knows tumour markers better than the liver expert does and the "
                "other way round, whether their weights follow the measured disease, and whether other seeds agree.",
                f"On the command line: `./run cli audit {run.id}`",
            ),
            "slight",
        )
        return
    if view.state.selection.filters:
        note("The audit speaks of all patients of the run; the filters above do not change it.")
    show_result(view, report)


def _not_auditable(view: View, run: Run) -> None:
    """Which models name experts, and the runs of this cohort that can be audited."""
    can = [f"{CATALOGUE[m].title} ({' and '.join(named_experts(m))})" for m in CATALOGUE if named_experts(m)]
    others = [r for r in view.runs if named_experts(r.model)]
    has = f"This cohort has {plural(len(others), 'run')} of such a model." if others else (
        f"This cohort has no run of such a model: `./run cli train --cohort {view.cohort.name} --model "
        f"{next(m for m in CATALOGUE if named_experts(m))}`"
    )  # fmt: skip
    state_box(
        f"{model_words(run.model)} names no experts",
        (
            "None of its parts is called after something it should know, so there is no name to check.",
            f"Can be audited: {', '.join(can)}.",
            has,
        ),
    )
    if others:
        st.button("Show the newest of them", key="choose_auditable", on_click=_choose, args=(others[0].id,))
    elif st.button("Go to Train", key="go_train"):
        st.switch_page("train.py")


def _choose(run_id: str) -> None:
    page.put(replace(page.current(), run=run_id))
