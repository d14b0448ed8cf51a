"""The patients table: pages and sorting on the server, picked rows that survive both, statistics of the columns."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pandas as pd
import streamlit as st

from core.analysis.cohort_overview import column_statistics, patients_table
from core.cohort.selection import IdsFilter, NamedGroup
from pages.widgets import state as page
from pages.widgets.data import View
from pages.widgets.figure_block import chart_key
from pages.widgets.html import note, numbers_table
from pages.widgets.open_patient import open_patient
from pages.widgets.topbar import bound_select

ROWS, MOST_DECIMALS = 200, 3
IN_COHORT_ORDER = "Cohort order"


def table_panel(view: View) -> None:
    """One page of the selected patients; rows can be picked, and stay picked when sorted, paged or filtered."""
    st.header("Patients")
    table = patients_table(view.cohort, view.mask, view.state.endpoint)
    table, number = _sorted_page(view, table)
    part = table.iloc[number * ROWS : (number + 1) * ROWS]
    key = chart_key("patients", (view.state.selection, view.state.endpoint, view.state.options.table, number))
    ids = tuple(part["Patient"])
    _show_picked(key, ids)
    st.dataframe(
        part, hide_index=True, height=330, selection_mode="multi-row", placeholder="–", key=key,
        column_config=_columns(table),
        on_select=lambda: _tick(key, ids), alt="Selected patients",
    )  # fmt: skip
    _picked_bar()


def _columns(table: pd.DataFrame) -> dict[str, Any]:
    """Headings that begin large, and as many decimals in a whole column as its numbers need, at most three."""
    shown: dict[str, Any] = {}
    for name in table.columns:
        label = f"{name[:1].upper()}{name[1:]}"
        values = table[name]
        if not pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
            shown[name] = st.column_config.Column(label)
            continue
        known = values.dropna().to_numpy(dtype=float)
        decimals = next((d for d in range(MOST_DECIMALS) if (abs(known - known.round(d)) < 1e-9).all()), MOST_DECIMALS)
        shown[name] = st.column_config.NumberColumn(label, format=f"%.{decimals}f")
    return shown


def _show_picked(key: str, ids: tuple[str, ...]) -> None:
    """Tick the rows of the picked patients: the page state is the truth, whatever the table remembers."""
    picked = set(page.current().options.picked)
    rows = [row for row, name in enumerate(ids) if name in picked]
    if _ticked_rows(key) != rows:
        st.session_state[key] = {"selection": {"rows": rows, "columns": [], "cells": []}}


def _ticked_rows(key: str) -> list[int]:
    event = st.session_state.get(key)
    return sorted(event["selection"]["rows"]) if event else []


def _tick(key: str, ids: tuple[str, ...]) -> None:
    """Take up the rows ticked on this page of the table; picks on its other pages stay."""
    ticked = {ids[row] for row in _ticked_rows(key) if row < len(ids)}
    page.choose(picked=tuple(sorted((set(page.current().options.picked) - set(ids)) | ticked)))


def _sorted_page(view: View, table: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """The table in the chosen order, and the number of the page to show."""
    sort, descending, number = view.state.options.table
    pages = max(1, math.ceil(len(table) / ROWS))
    left, middle, right = st.columns([3, 2, 2], vertical_alignment="bottom")
    with left:
        bound_select(
            "Sort by", [IN_COHORT_ORDER, *table.columns], sort or IN_COHORT_ORDER, "table_sort",
            lambda name: page.choose(table=("" if name == IN_COHORT_ORDER else name, descending, 0)),
        )  # fmt: skip
    with middle:
        st.session_state["table_descending"] = descending
        st.checkbox(
            "Largest first", key="table_descending",
            on_change=lambda: page.choose(table=(sort, st.session_state["table_descending"], 0)),
        )  # fmt: skip
    number = min(number, pages - 1)
    with right:
        if pages > 1:
            st.session_state["table_page"] = number + 1
            st.number_input(
                f"Page (of {pages})", 1, pages, key="table_page",
                on_change=lambda: page.choose(table=(sort, descending, st.session_state["table_page"] - 1)),
            )  # fmt: skip
    if sort in table.columns:
        table = table.sort_values(sort, ascending=not descending, kind="stable", na_position="last")
    return table, number


def _picked_bar() -> None:
    """What can be done with the picked rows."""
    picked = page.current().options.picked
    if not picked:
        note("Tick rows to pick patients; the pick is kept while you sort, page and filter.")
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        words = ", ".join(picked[:6]) + (f" and {len(picked) - 6} more" if len(picked) > 6 else "")
        st.markdown(f"**{len(picked)}** picked: {words}")
        open_patient(picked, "table")
        st.button("Keep only these", key="keep_picked", on_click=keep_only, args=(picked, "picked patients"))
        st.button("Save as group", key="group_picked", on_click=save_group, args=("Picked", picked))
        st.button("Unpick", key="unpick", type="tertiary", on_click=_unpick)


def keep_only(ids: tuple[str, ...], label: str) -> None:
    """Filter to these patients; whoever was picked is no longer."""
    page.add_filter(IdsFilter(tuple(ids), label))
    page.choose(picked=())


def _unpick() -> None:
    page.choose(picked=())


def save_group(name: str, ids: tuple[str, ...]) -> None:
    """Keep these patients as a named group; a taken name gets a number."""
    state = page.current()
    taken = {g.name for g in state.groups}
    free = next(n for n in (name, *(f"{name} {i}" for i in range(2, 999))) if n not in taken)
    page.put(replace(state, groups=(*state.groups, NamedGroup.of(free, ids))))


def statistics_panel(view: View) -> None:
    """Known, missing and typical values of each column among the selected."""
    with st.expander("Column statistics of the selected patients"):
        columns = tuple(str(c) for c in view.cohort.patients.columns)
        numbers_table(column_statistics(view.cohort, columns, view.mask), right=("Known", "Missing"))
