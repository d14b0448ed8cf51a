"""Evidence: the model card of the chosen run, made from its record and its stored predictions."""

from __future__ import annotations

import streamlit as st

from pages.widgets.data import View
from pages.widgets.evidence_card import card_of
from pages.widgets.evidence_export import exports
from pages.widgets.evidence_groups import decision_panel, group_panel
from pages.widgets.evidence_head import families, head, limitations
from pages.widgets.evidence_quality import quality_panel
from pages.widgets.evidence_record import flow, record, tripod
from pages.widgets.frame import loading
from pages.widgets.html import state_box
from pages.widgets.opening import show_page


def body(view: View) -> None:
    """The normal state, or an empty one: no run yet. The card always speaks of all patients of the run."""
    if view.run is None:
        _no_run(view)
        return
    with loading("Making the model card"):
        card = card_of(view, view.run)
    head(card)
    exports(card)
    limitations(card)
    quality_panel(card)
    decision_panel(card)
    group_panel(card)
    families(card)
    flow(card)
    tripod(card)
    record(card)


def _no_run(view: View) -> None:
    state_box(
        "No run of this cohort yet",
        (
            "A model card is made from a trained run: there is none to speak of.",
            f"On the command line: `./run cli train --cohort {view.cohort.name} --model hdmoe`",
        ),
    )
    if st.button("Go to Train", key="go_train"):
        st.switch_page("train.py")


show_page("Evidence", body)
