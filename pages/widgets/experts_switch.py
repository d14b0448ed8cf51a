"""The Switch off tab: what each expert and modality is worth to the estimates, of the cohort and of one patient."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from core.analysis.gates import Models, model_choice_words, of_models, patients_of
from core.analysis.points import axis_words, group_words, month_words, points
from core.analysis.reproduce_plots import plot_code
from core.figures.switch_off import OffRow, switch_off_figure
from core.results.routing_record import RoutingRecord
from pages.widgets.data import View
from pages.widgets.experts_record import models_choice, pin_clicked, routing_of
from pages.widgets.figure_block import Block, chart_key, figure_block
from pages.widgets.html import note, numbers_table, state_box

MODELS, LEVEL = "switch_models", "switch_level"
ALL = Models()
WHY = "How every patient’s estimate changes when one expert, or one kind of data, is taken away."


def switch_tab(view: View) -> None:
    """Experts, then modalities, then the chosen patient."""
    record = routing_of(view, WHY)
    if record is None:
        return
    st.caption(
        "The model is asked again with one part silent: what the estimate would be without it, not how heavily it was "
        "weighted. Out of fold."
    )
    _experts(view, record)
    _modalities(view, record)
    _one(view, record)


def _experts(view: View, record: RoutingRecord) -> None:
    left, right, _ = st.columns([4, 4, 4], gap="medium")
    with right:
        name = st.selectbox("Level", list(record.levels), index=len(record.levels) - 1, key=LEVEL)
    with left:
        models = models_choice(record, MODELS, name)
    level, chosen = record.levels[name], view.state.patient
    inside = patients_of(record, models)
    change = of_models(level.survival, models)
    outside = np.ones(len(record), dtype=bool)
    outside[inside] = False
    change[outside | ~_selected(view, record)] = np.nan
    rows = [OffRow(e, change[:, i]) for i, e in enumerate(level.switched)]
    count = int(np.isfinite(change).any(axis=1).sum())
    subtitle = f"n {count:,} · {name} · {model_choice_words(record, models)}"
    figure_block(
        Block("switch-experts", f"Change of survival at month {record.month:g} with each expert of {name} off.",
              lambda shown: switch_off_figure(rows, record.month, record.ids, "An expert switched off", subtitle,
                                              record.synthetic, chosen, shown),
              lambda: _numbers(rows),
              lambda: plot_code("strips", "Switched off", f"change, {axis_words(record.month)}")),
        key=chart_key("switch_experts", (models, name, chosen, view.state.selection)), on_select=pin_clicked,
        selection_mode=("points",),
    )  # fmt: skip
    note("A point is a patient; box: the middle half, thick line: the median; size: mean |change|. An expert that was "
         "not used for a patient changes nothing.")  # fmt: skip


def _modalities(view: View, record: RoutingRecord) -> None:
    st.subheader("A kind of data taken away")
    if not record.modalities:
        state_box("One kind of data alone", ("Without it there is nothing to estimate from.",), "slight")
        return
    chosen, selected = view.state.patient, _selected(view, record)
    rows = []
    for name, off in record.modalities.items():
        change = off.survival.mean(axis=0).astype(float)
        change[~selected] = np.nan
        rows.append(OffRow(group_words(name), change))
    count = int(np.isfinite(np.stack([r.change for r in rows])).any(axis=0).sum())
    subtitle = f"n {count:,} · mean of {len(record.seeds)} seeds · patients who have it and something else"
    figure_block(
        Block("switch-modalities", f"Change of survival at month {record.month:g} without each kind of data.",
              lambda shown: switch_off_figure(rows, record.month, record.ids, "A kind of data taken away", subtitle,
                                              record.synthetic, chosen, shown),
              lambda: _numbers(rows),
              lambda: plot_code("strips", "Switched off", f"change, {axis_words(record.month)}")),
        key=chart_key("switch_modalities", (chosen, view.state.selection)), on_select=pin_clicked,
        selection_mode=("points",),
    )  # fmt: skip
    moved = pd.DataFrame(
        [
            {"without": group_words(name)} | {level: _share(values, selected) for level, values in off.moved.items()}
            for name, off in record.modalities.items()
        ]
    )  # fmt: skip
    st.markdown("**Gate weight that moves to other experts** (mean over patients and seeds)")
    numbers_table(moved, right=tuple(moved.columns[1:]))


def _one(view: View, record: RoutingRecord) -> None:
    """The chosen patient: every switch with its spread over the seeds."""
    patient = view.state.patient
    st.subheader("One patient")
    if patient not in record.ids:
        state_box("Nobody chosen", ("Click a point above, or choose a patient on any page.",), "slight")
        return
    i = record.ids.index(patient)
    rows = [_row(f"without {group_words(m).lower()}", off.survival[:, i]) for m, off in record.modalities.items()]
    for name, level in record.levels.items():
        if level.shared:
            rows.append(_row(f"{name}: shared expert off", level.survival[:, i, -1]))
        if level.comparable:
            rows += [_row(f"{name}: {e} off", level.survival[:, i, k]) for k, e in enumerate(level.experts)]
    estimate = record.estimate[:, i]
    st.markdown(f"Patient {patient}: estimated {month_words(record.month)} {estimate.mean():.1f} % (seeds "
                f"{estimate.min():.1f} to {estimate.max():.1f}).")  # fmt: skip
    numbers_table(pd.DataFrame(rows), right=("change, percentage points", "over seeds"))
    if any(not level.comparable for level in record.levels.values()):
        note("Routed experts that do not match between models are left out here: their mean would mix different "
             "experts. The figure above shows them one model at a time.")  # fmt: skip


def _row(name: str, values: np.ndarray) -> dict[str, str]:  # type: ignore[type-arg]
    known = values[np.isfinite(values)]
    if not len(known):
        return {"what": name, "change, percentage points": "not there", "over seeds": ""}
    return {"what": name, "change, percentage points": points(float(known.mean()), 2),
            "over seeds": f"{points(float(known.min()), 2)} to {points(float(known.max()), 2)}"}  # fmt: skip


def _selected(view: View, record: RoutingRecord) -> np.ndarray:  # type: ignore[type-arg]
    place = {patient: i for i, patient in enumerate(view.cohort.ids)}
    return np.array([bool(view.mask[place[i]]) for i in record.ids])


def _share(values: np.ndarray, selected: np.ndarray) -> str:  # type: ignore[type-arg]
    known = values[:, selected]
    return "–" if not np.isfinite(known).any() else f"{100 * float(np.nanmean(known)):.1f} %"


def _numbers(rows: list[OffRow]) -> pd.DataFrame:
    """A column a row of the figure; patients by their place alone."""
    return pd.DataFrame({row.name: row.change for row in rows})
