"""The Cohort page's charts. A click or a box in any of them is a filter that holds on every page."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from core.analysis.cohort_overview import (
    ColumnSummary,
    ModalityPattern,
    chartable_columns,
    modality_filters,
    modality_patterns,
    summarise,
)
from core.analysis.reproduce_plots import plot_code
from core.cohort.cohort import Cohort
from core.cohort.selection import CategoryFilter, ModalityFilter, RangeFilter, Selection
from core.figures.cohort import column_figure, modality_figure
from pages.widgets import state as page
from pages.widgets.data import View
from pages.widgets.figure_block import Block, chart_key, figure_block
from pages.widgets.html import note, state_box

SHOWN_AT_FIRST = 6
PER_ROW = 3


def modality_chart(view: View) -> None:
    """Bars of modality combinations; a click keeps the patients with exactly that combination, a second undoes it."""
    if not len(view.cohort.availability.columns):
        state_box("No modality chart", ("This cohort has no modality at all.", "Import it with its data."), "slight")
        return
    patterns = modality_patterns(view.cohort, view.mask)
    names = [str(c) for c in view.cohort.availability.columns]
    mine = [f for f in view.state.selection.filters if isinstance(f, ModalityFilter)]
    figure_block(
        Block(
            "modalities",
            "; ".join(f"{p.words}: {p.selected} selected of {p.total}" for p in patterns),
            lambda _: modality_figure(
                patterns, names, view.selected.count, len(view.cohort), view.cohort.synthetic
            ),
            lambda: pd.DataFrame(
                {"Modalities": [p.words for p in patterns], "Selected": [p.selected for p in patterns],
                 "In the cohort": [p.total for p in patterns]}
            ),
            lambda: plot_code("bars", "Which data the patients have", "patients"),
        ),
        key=chart_key("modalities", mine),
        on_select=partial(_keep_pattern, view.cohort, patterns),
        selection_mode=("points",),
    )  # fmt: skip
    note("Click a bar to keep the patients with exactly that combination; the ✕ of a chip takes it back.")


def _keep_pattern(cohort: Cohort, patterns: tuple[ModalityPattern, ...], points: list[dict[str, Any]]) -> bool:
    codes = {p.code for p in patterns}
    chosen = [c for point in points if (c := _first(point)) in codes]
    if chosen:
        page.add_filter(*modality_filters(cohort, chosen[-1]))
    return bool(chosen)


def clinical_charts(view: View) -> None:
    """A chart for each chosen column, with a picker; the pick is part of the page state."""
    columns = chartable_columns(view.cohort)
    st.header("Clinical columns")
    if not columns:
        state_box(
            "No clinical chart",
            ("No column holds numbers or a few categories.", "Import a clinical table to see charts here."),
            "slight",
        )
        return
    shown = tuple(c for c in view.state.options.charts if c in columns) or columns[:SHOWN_AT_FIRST]
    st.session_state["chart_columns"] = list(shown)
    st.multiselect(
        "Charts shown", columns, key="chart_columns", format_func=view.cohort.label,
        on_change=lambda: page.choose(charts=tuple(st.session_state["chart_columns"])),
        help="Click a bar, or drag a range over a histogram, to filter.",
    )  # fmt: skip
    with st.container(key="clinical"):
        for start in range(0, len(shown), PER_ROW):
            for place, column in zip(st.columns(PER_ROW), shown[start : start + PER_ROW], strict=False):
                with place:
                    _column_chart(view, column)


def _column_chart(view: View, column: str) -> None:
    summary = summarise(view.cohort, column, view.mask)
    mine = [f for f in view.state.selection.filters if getattr(f, "column", None) == column]
    figure_block(
        Block(
            f"column-{column}", _in_words(summary), lambda _: column_figure(summary, view.cohort.synthetic),
            lambda: _counts(summary), lambda: plot_code("bars", summary.label, "patients"),
        ),
        key=chart_key(column, mine),
        on_select=partial(_keep_range if summary.numeric else _keep_values, column),
        selection_mode=("points", "box") if summary.numeric else ("points",),
    )  # fmt: skip


def _counts(summary: ColumnSummary) -> pd.DataFrame:
    """The drawn counts of a column."""
    if not summary.numeric:
        names: dict[str, Any] = {summary.label: summary.names}
    else:
        names = {"From": summary.edges[:-1], "To": summary.edges[1:]}
    return pd.DataFrame(names | {"Selected": summary.selected, "In the cohort": summary.total})


def _in_words(summary: ColumnSummary) -> str:
    if summary.numeric and summary.median is not None and summary.quartiles is not None:
        low, high = summary.quartiles
        return f"{summary.label}: median {summary.median:.4g}, quartiles {low:.4g} to {high:.4g}, {summary.n} selected"
    pairs = zip(summary.names, summary.selected, strict=False)
    return f"{summary.label}: " + ", ".join(f"{name} {count}" for name, count in pairs)


def _keep_values(column: str, points: list[dict[str, Any]]) -> bool:
    """Toggle the clicked categories; with none left the filter goes."""
    clicked = [value for point in points if (value := _first(point))]
    if not clicked:
        return False
    selection = page.current().selection
    before = next((f for f in selection.filters if isinstance(f, CategoryFilter) and f.column == column), None)
    values = set(before.values) if before else set()
    values ^= set(clicked)
    if values:
        page.add_filter(CategoryFilter(column, tuple(sorted(values))))
    elif before is not None:
        page.remove_filter(before)
    return True


def _keep_range(column: str, points: list[dict[str, Any]]) -> bool:
    """Keep the numbers within the clicked or boxed bins."""
    spans = [[float(v) for v in point["customdata"][:2]] for point in points if point.get("customdata")]
    if spans:
        low, high = min(s[0] for s in spans), max(s[1] for s in spans)
        selection = page.current().selection
        kept = tuple(f for f in selection.filters if getattr(f, "column", None) != column)
        page.put(replace(page.current(), selection=Selection(kept).with_filter(RangeFilter(column, low, high))))
    return bool(spans)


def _first(point: dict[str, Any]) -> str:
    """The first word a chart attached to a point, whatever shape the event gives it."""
    data = point.get("customdata")
    return str(data[0]) if isinstance(data, list | tuple) and data else str(data or "")
