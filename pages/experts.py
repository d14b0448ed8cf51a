"""Experts: what the experts of the chosen run are, and whether they mean what they are called. One tab a question."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import streamlit as st

from pages.widgets.data import View
from pages.widgets.experts_audit import audit_tab
from pages.widgets.experts_map import map_tab
from pages.widgets.experts_phenotypes import phenotypes_tab
from pages.widgets.experts_routing import routing_tab
from pages.widgets.experts_switch import switch_tab
from pages.widgets.frame import told_plainly
from pages.widgets.html import state_box
from pages.widgets.opening import show_page

TABS: Mapping[str, Callable[[View], None]] = {
    "Routing": routing_tab,
    "Phenotypes": phenotypes_tab,
    "Map": map_tab,
    "Switch off": switch_tab,
    "Audit": audit_tab,
}
"""Name → what it draws; only the open one is drawn."""


def body(view: View) -> None:
    """The normal state, or the empty one of a cohort without a run."""
    if view.run is None:
        _no_run(view)
        return
    tabs = st.tabs(list(TABS), key="experts_tab", on_change="rerun")
    for tab, (name, draw) in zip(tabs, TABS.items(), strict=True):
        if tab.open:
            with tab, told_plainly(f"Experts, {name}"):
                draw(view)


def _no_run(view: View) -> None:
    state_box(
        "No run of this cohort yet",
        (
            "Experts belong to a trained model: there is none to look at.",
            f"On the command line: `./run cli train --cohort {view.cohort.name} --model biofact`",
        ),
    )
    if st.button("Go to Train", key="go_train"):
        st.switch_page("train.py")


show_page("Experts", body)
