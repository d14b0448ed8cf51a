"""The Map tab: patients as the model sees them, coloured by any variable; a click chooses a patient."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from core.analysis.map_colours import colour_choices, colour_of
from core.analysis.outcome import make_outcome
from core.analysis.reproduce_plots import plot_code
from core.arrays import BoolArray
from core.figures.patient_map import patient_map
from core.results.routing_record import ENOUGH_AGREEMENT, RoutingRecord
from pages.widgets.data import View
from pages.widgets.experts_record import pin_clicked, routing_of
from pages.widgets.figure_block import Block, chart_key, figure_block
from pages.widgets.html import note
from pages.widgets.open_patient import open_patient

METHOD, COLOUR = "map_method", "map_colour"
WHY = "A map on which patients lie close when the models that never saw them make the same of them."


def map_tab(view: View) -> None:
    """The map and its two choices."""
    record = routing_of(view, WHY)
    if record is None:
        return
    options = colour_choices(view.cohort, record)
    left, right, _ = st.columns([3, 4, 4], gap="medium")
    with left:
        method = st.selectbox("Map", list(record.maps), key=METHOD)
    with right:
        name = st.selectbox("Coloured by", list(options), key=COLOUR, format_func=lambda k: options[k])
    place = {patient: i for i, patient in enumerate(view.cohort.ids)}
    rows = np.array([place[i] for i in record.ids])
    inside = view.mask[rows]
    outcome = make_outcome(view.cohort, rows, view.state.endpoint)
    colour = colour_of(view.cohort, record, outcome, name)
    chosen, found = view.state.patient, record.maps[method]
    space = "the gates" if "gates" in method else record.space
    figure_block(
        Block("patient-map", f"{method} of {int(inside.sum())} selected patients coloured by {colour.name}.",
              lambda shown: patient_map(found, method, colour, record.ids, inside, record.synthetic, space, chosen,
                                        shown),
              lambda: _table(record, method, inside),
              lambda: plot_code("map", "Patients as the model sees them", "")),
        key=chart_key("map", (method, name, chosen, view.state.selection)), on_select=pin_clicked,
        selection_mode=("points",),
    )  # fmt: skip
    note(found.note)
    if "gates" not in method and record.aligned.size > 1:
        share = np.sort(record.aligned.ravel())[:-1]
        note("Every model has a space of its own; each was turned onto one of them and reproduces "
             f"{100 * share[0]:.0f} to {100 * share[-1]:.0f} % of its variation.",
             warn=bool(share.mean() < ENOUGH_AGREEMENT))  # fmt: skip
    note("Click a point to choose that patient on all pages.")
    if chosen in record.ids:
        open_patient([chosen], "map")


def _table(record: RoutingRecord, method: str, inside: BoolArray) -> pd.DataFrame:
    points = record.maps[method].points[inside]
    return pd.DataFrame({record.maps[method].axes[0]: points[:, 0], record.maps[method].axes[1]: points[:, 1]})
