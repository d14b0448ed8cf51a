"""The Routing tab: which experts the gates send which patients to, how evenly, and what the tokens still share."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import streamlit as st

from core.analysis.gates import (
    SORTS,
    Models,
    allocations,
    drawn_correlations,
    drawn_shares,
    expert_table,
    gate_rows,
    heat_table,
    load_table,
    match_words,
    model_choice_words,
    patient_order,
    patients_of,
)
from core.analysis.outcome import make_outcome
from core.analysis.points import points
from core.analysis.reproduce_plots import plot_code
from core.figures.allocation_bars import allocation_bars
from core.figures.gate_heatmap import gate_heatmap
from core.figures.token_heatmaps import token_heatmaps
from core.results.routing_record import RoutingRecord
from core.statistics.self_correlation import SelfCorrelation
from pages.widgets.data import View
from pages.widgets.experts_record import MODELS, models_choice, pin_clicked, routing_of
from pages.widgets.figure_block import Block, chart_key, figure_block
from pages.widgets.html import note, numbers_table, state_box
from pages.widgets.open_patient import open_patient

LEVEL, SORT = "routing_level", "routing_sort"
EVERY = "all levels"
MOST_TOKENS = 8
"""More tokens than this cannot be read as a heat map with numbers."""
WHY = "Gate weights of every patient, how the experts share the work, and what switching each of them off changes."


def routing_tab(view: View) -> None:
    """Heat map, the two measures of load, and self-correlation of the tokens."""
    record = routing_of(view, WHY)
    if record is None:
        return
    st.caption(
        "Two measures, never mixed: **assignment load** counts where patients’ tokens are sent (top-k), **gate mass** "
        "is the soft weight the router gives. Out of fold throughout."
    )
    left, middle, right = st.columns([4, 4, 3], gap="medium")
    with middle:
        level = st.selectbox("Level", [EVERY, *record.levels], key=LEVEL)
    with left:
        models = models_choice(record, MODELS, "" if level == EVERY else level)
    with right:
        sort = st.selectbox("Patients sorted by", SORTS, key=SORT)
    _heat(view, record, models, "" if level == EVERY else level, sort)
    for words in (match_words(record.levels), *record.notes):
        if words:
            note(words)
    if "difference" in record.extra:
        off, slower = record.extra["difference"], 100 * record.extra["overhead"]
        note(f"Reading the gates changed no estimate (by {off:.1e} at most) and took {slower:.0f} % more time.")
    _loads(record, models, "" if level == EVERY else level)
    _tokens(record)


def _heat(view: View, record: RoutingRecord, models: Models, level: str, sort: str) -> None:
    place = {patient: i for i, patient in enumerate(view.cohort.ids)}
    selected = {i for i, patient in enumerate(record.ids) if view.mask[place[patient]]}
    inside = [i for i in patients_of(record, models).tolist() if i in selected]
    if not inside:
        state_box("No selected patient here", ("None of the selected patients was judged by these models.",), "slight")
        return
    rows = gate_rows(record, models, level)
    outcome = make_outcome(view.cohort, np.array([place[record.ids[i]] for i in inside]), view.state.endpoint)
    order = patient_order(record, rows, outcome, sort, np.array(inside))
    whose, chosen = model_choice_words(record, models), view.state.patient
    figure_block(
        Block("gates", f"Gate mass of {len(rows.experts)} experts for {len(order)} patients, sorted by {sort}.",
              lambda shown: gate_heatmap(record, rows, order, outcome, sort, whose, chosen, shown),
              lambda: heat_table(record, rows, order),
              lambda: plot_code("heat", "How the gates share out the patients", f"patients by {sort}")),
        key=chart_key("gates", (models, level, sort, chosen, view.state.selection)), on_select=pin_clicked,
        selection_mode=("points",),
    )  # fmt: skip
    note("A column is a patient; the dots above are the estimated survival, a cross: the event happened; empty: "
         "the patient lacks the data of that level. Click a dot to choose the patient on all pages.")  # fmt: skip
    if chosen in {record.ids[i] for i in inside}:
        open_patient([chosen], "gates")


def _loads(record: RoutingRecord, models: Models, level: str) -> None:
    st.subheader("How evenly the experts are used")
    found = allocations(record)
    shown = {name: found[name] for name in found if not level or name == level}
    title = "Assignments and gate weight of each level"
    subtitle = f"n {len(record):,} · bars: assignment load, lines: gate mass · whiskers: range over the models"
    figure_block(
        Block("allocation", "Share of the assignments of each expert, the most used first.",
              lambda _: allocation_bars({record.cohort: shown}, title, subtitle, record.synthetic),
              lambda: drawn_shares(shown),
              lambda: plot_code("shares", title, "experts, most used first"))
    )  # fmt: skip
    numbers_table(load_table(record), right=("Experts", "Models"))
    note("Entropy: 1 = all experts alike, 0 = one does everything. KL: divergence from an even share in nats. Mean "
         "over the models; max/min the median. Match: mean correlation of the gates of matched experts.")  # fmt: skip
    name = level or next(reversed(record.levels))
    table = expert_table(record, name, models)
    words = {c: table[c].map(lambda v: "" if v != v else f"{100 * v:.1f} %") for c in ("assignment load", "gate mass")}
    words["mean change when off"] = table["mean change when off"].map(lambda v: points(v, 2))
    words["mean size of the change"] = table["mean size of the change"].map("{:.2f}".format)
    st.markdown(f"**{name[:1].upper()}{name[1:]}** ({model_choice_words(record, models)})")
    numbers_table(table.assign(**words), right=tuple(table.columns[1:]))
    note(
        f"Change when off: percentage points of survival at month {record.month:g} when the expert contributes nothing."
    )


def _tokens(record: RoutingRecord) -> None:
    st.subheader("What the tokens still share")
    rows = {
        name: (level.before, level.after)
        for name, level in record.levels.items()
        if level.before is not None and level.after is not None
    }
    if not rows:
        state_box("No token map exists", ("The levels of this model have one token a patient: there is nothing to "
                                          "correlate.",), "slight")  # fmt: skip
        return
    small = {n: p for n, p in rows.items() if record.levels[n].tokens <= MOST_TOKENS}
    if small:
        figure_block(
            Block("self-correlation", "Mean correlation of a patient's tokens before and after the shared expert.",
                  lambda _: token_heatmaps(small, "Self-correlation of the tokens", "out of fold · mean over patients "
                                           f"and models · n {len(record):,}", record.synthetic),
                  lambda: drawn_correlations(small),
                  lambda: plot_code("tokens", "Self-correlation of the tokens", "token"))
        )  # fmt: skip
    numbers_table(_token_table(rows), right=("tokens", "before", "after"))
    note("Mean |r| off the diagonal: how much the tokens of one patient repeat each other.")


def _token_table(rows: Mapping[str, tuple[SelfCorrelation, SelfCorrelation]]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"level": name, "tokens": len(before.mean), "before": f"{before.redundancy:.2f}",
             "after": f"{after.redundancy:.2f}"}
            for name, (before, after) in rows.items()
        ]
    )  # fmt: skip
