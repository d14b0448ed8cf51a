"""Train: choose a model and how it is validated, start it as a job, watch it, and keep its record."""

from __future__ import annotations

import streamlit as st

from core.access.roles import Permission
from pages.widgets.data import View
from pages.widgets.html import state_box
from pages.widgets.opening import show_page
from pages.widgets.runs_panel import runs_panel
from pages.widgets.train_form import form
from pages.widgets.train_start import before_start
from pages.widgets.training_job import trainings_panel
from pages.widgets.who import may


def body(view: View) -> None:
    """The normal state; a cohort without a run or a job says so where they would stand."""
    if not may(Permission.TRAIN):
        state_box("Trainings are started by researchers", ("Your role looks at the runs that there are.",), "slight")
        runs_panel(view)
        return
    with st.container(key="train"):
        left, right = st.columns([4, 9], gap="medium")
    with left:
        usable = form(view)
    with right:
        before_start(view, usable)
        trainings_panel(view)
    runs_panel(view)


show_page("Train", body)
