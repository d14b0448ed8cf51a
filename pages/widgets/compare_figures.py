"""The Compare page's figures: a metric with its paired differences, and two runs patient by patient."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.analysis.comparison_behind import forest_behind, metric_month
from core.analysis.comparison_tables import forest_numbers
from core.analysis.reproduce_agreement import agreement_python, agreement_r
from core.analysis.reproduce_forest import forest_python, forest_r
from core.analysis.run_agreement import Agreement, agreement
from core.analysis.run_comparison import RunComparison
from core.figures.comparison import agreement_figure, forest_figure
from core.figures.theme import percent
from pages.widgets import state as page
from pages.widgets.cohort_table import keep_only
from pages.widgets.compare_results import names_of
from pages.widgets.figure_block import Block, chart_key, figure_block
from pages.widgets.html import note, numbers_table
from pages.widgets.topbar import bound_select

RANKS, LISTED = 0.0, 8
FOREST, SCATTER = "Runs on the same patients", "Two runs on the same patients"


def forest_block(result: RunComparison) -> None:
    """The forest-style figure of one metric."""
    st.header("Which is better?")
    labels = {m.key: m.label for m in result.metrics}
    asked = page.current().comparing.metric
    chosen = asked if asked in labels else result.metrics[0].key
    bound_select(
        "Metric", list(labels), chosen, "compare_metric", lambda key: page.compare_with(metric=key),
        format_func=lambda key: labels.get(key, ""), width=320,
    )  # fmt: skip
    metric = next(m for m in result.metrics if m.key == chosen)
    names = names_of(result)
    figure_block(
        Block(
            "forest", f"{metric.label} of {len(result.compared)} runs with intervals, and differences to the baseline",
            lambda _: forest_figure(result, metric, names), lambda: forest_numbers(result, names, metric.key),
            lambda: forest_python(FOREST, metric.label, metric.key, metric_month(result, metric)),
            lambda: forest_r(FOREST, metric.label, metric.key, metric_month(result, metric)),
            lambda: forest_behind(result, metric),
        )
    )  # fmt: skip


def agreement_block(result: RunComparison) -> None:
    """The scatter of two chosen runs; points can be picked."""
    st.header("Do they agree on each patient?")
    names = names_of(result)
    first, second = _pair(result)
    months = _months(result)
    asked = page.current().comparing.month
    month = asked if asked in (RANKS, *months) else (months[-1] if months else RANKS)
    columns = st.columns(3)
    for column, place, label in zip(columns[:2], (0, 1), ("Across", "Upwards"), strict=True):
        with column:
            bound_select(
                label, list(names), (first, second)[place], f"compare_pair_{place}",
                lambda run, place=place: _set_pair(place, run, (first, second)), format_func=lambda i: names.get(i, ""),
            )  # fmt: skip
    with columns[2]:
        bound_select(
            "Estimate", [*months, RANKS], month, "compare_month", lambda m: page.compare_with(month=m),
            format_func=lambda m: f"Predicted {m / 12:g}-year survival" if m else "Place of the risk within its fold",
        )  # fmt: skip
    found = agreement(result, first, second, month or None)
    with st.container(key="agreement_block"):
        left, right = st.columns([7, 5], gap="medium")
    with left:
        figure_block(
            Block(
                "agreement", f"Estimates of {len(found.ids)} patients by two runs",
                lambda screen: agreement_figure(found, names, result.synthetic, screen), found.table,
                lambda: agreement_python(SCATTER, found.spearman), lambda: agreement_r(SCATTER, found.spearman),
            ),
            key=chart_key("agreement", (first, second, month, result.ids)), on_select=_pick,
        )  # fmt: skip
    with right:
        _disagreements(found, names)
        _picked(result)


def _disagreements(found: Agreement, names: dict[str, str]) -> None:
    """The patients on whom the two runs differ most."""
    st.subheader("Largest disagreements")
    part = found.table().head(LISTED)
    columns = {"patient": "Patient", "first": names[found.first], "second": names[found.second], "status": "Outcome"}
    shown = part[list(columns)].rename(columns=columns)
    for name in (names[found.first], names[found.second]):
        shown[name] = [percent(v) for v in shown[name]]
    numbers_table(shown, right=(names[found.first], names[found.second]))


def _pair(result: RunComparison) -> tuple[str, str]:
    """The two runs of the scatter; the baseline and the next one where none were chosen."""
    ids = [c.run.id for c in result.compared]
    first, second = page.current().comparing.pair
    first = first if first in ids else ids[0]
    return first, second if second in ids and second != first else next(i for i in ids if i != first)


def _set_pair(place: int, run: str, pair: tuple[str, str]) -> None:
    """Choose one of the two; choosing the other's run swaps them."""
    other = pair[1 - place]
    kept = pair[place] if run == other else other
    page.compare_with(pair=(run, kept) if place == 0 else (kept, run))


def _months(result: RunComparison) -> list[float]:
    return sorted(set.intersection(*(set(c.run.horizons) for c in result.compared)))


def _pick(points: list[dict[str, Any]]) -> bool:
    """Remember the patients of the chosen points; they filter nothing."""
    ids = tuple(sorted({str(p["customdata"][0]) for p in points if p.get("customdata")}))
    changed = page.current().options.picked != ids
    page.choose(picked=ids)
    return changed


def _picked(result: RunComparison) -> None:
    picked = tuple(i for i in page.current().options.picked if i in set(result.ids))
    if not picked:
        note("Click a point or drag a box over the figure to see which patients are there.")
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        words = ", ".join(picked[:6]) + (f" and {len(picked) - 6} more" if len(picked) > 6 else "")
        st.markdown(f"**{len(picked)}** picked: {words}")
        st.button("Keep only these", key="keep_picked", on_click=keep_only, args=(picked, "picked patients"))
