"""A chart with its table view and its exports: the same three things under every figure."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from core.figures.export import Kind, browser, image
from core.figures.links import without_links
from core.figures.paint import painted
from core.results.spreadsheet import inert_csv
from pages.widgets.download import download_button
from pages.widgets.history_events import told_when_made
from pages.widgets.look import palette
from pages.widgets.state import returns

CONFIG = {"displaylogo": False, "displayModeBar": False, "scrollZoom": False, "responsive": True}
IMAGES: tuple[tuple[Kind, str], ...] = (("svg", "SVG"), ("png", "PNG, 300 dpi"), ("pdf", "PDF"))


@dataclass(frozen=True, eq=False)
class Block:
    """A figure and what stands under it.

    Parameters
    ----------
    name : str
        File name without extension, also the key of the widgets.
    alt : str
        The figure in words, for a screen reader.
    draw : function
        Makes the figure; called with False for files, which carry no patient's name.
    numbers : function
        Makes the table of the drawn numbers: the table view and the CSV.
    python, r : functions, optional
        Make the scripts that compute the figure again from the CSV.
    behind : function, optional
        Makes the table of the patients behind the figure, unnamed, where the scripts need it as well.
    """

    name: str
    alt: str
    draw: Callable[[bool], go.Figure]
    numbers: Callable[[], pd.DataFrame]
    python: Callable[[], str] | None = None
    r: Callable[[], str] | None = None
    behind: Callable[[], pd.DataFrame] | None = None


def chart_key(name: str, state: object) -> str:
    """Key of a selectable chart: it changes with the filters it set, so that it comes back without its own marks.

    After a return to an earlier step it is a new chart too: the one drawn then may still be remembered with its click,
    which would be taken for another.
    """
    returned = returns()
    told = repr((state, returned) if returned else state)
    return f"chart_{name}_{hashlib.sha256(told.encode()).hexdigest()[:10]}"


def selected_points(key: str) -> list[dict[str, Any]]:
    """The points of a chart's selection event; empty when there is none."""
    event = st.session_state.get(key)
    try:
        return list(event["selection"]["points"]) if event else []
    except (KeyError, TypeError):
        return []


def figure_block(
    block: Block,
    *,
    key: str | None = None,
    on_select: Callable[[list[dict[str, Any]]], bool] | None = None,
    selection_mode: Sequence[str] = ("points", "box"),
) -> None:
    """Draw a figure with "Table" and "Export" under it.

    Parameters
    ----------
    key : str, optional
        Key of the chart itself (:func:`chart_key`) when parts of it can be chosen.
    on_select : function of the chosen points, optional
        Called when a part of the chart is clicked or boxed; returns whether the page state changed. It runs before
        the page does, so that everything above the chart already knows; a choice that was there before (a test's, a
        restored session's) is taken up after drawing instead.
    """
    name = key or f"chart_{block.name}"
    selects: dict[str, Any] = {}
    if on_select is not None:
        selects = {"on_select": lambda: on_select(selected_points(name)), "selection_mode": tuple(selection_mode)}
    with st.container(key=f"figure_{block.name}"):
        drawn = without_links(painted(block.draw(True), palette()))
        st.plotly_chart(drawn, theme=None, config=CONFIG, alt=block.alt, key=name, **selects)
        points = selected_points(name) if on_select is not None else []
        if points and on_select is not None and on_select(points):
            st.rerun()
        with st.container(horizontal=True, horizontal_alignment="right", gap="small"):
            table = st.popover("Table", key=f"open_table_{block.name}", on_change="rerun")
            if table.open:
                with table:
                    st.dataframe(block.numbers(), hide_index=True, key=f"table_{block.name}", alt=block.alt)
            export = st.popover("Export", key=f"open_export_{block.name}", on_change="rerun")
            if export.open:
                with export:
                    _exports(block)


def _exports(block: Block) -> None:
    if browser() is None:
        st.caption("SVG, PNG and PDF need Chromium on this machine: `apt-get install chromium`.")
    else:
        for kind, words in IMAGES:
            _download(block, words, kind, partial(_image, block, kind))
    _numbers_and_code(block)


def _numbers_and_code(block: Block) -> None:
    _download(block, "CSV of the drawn numbers", "csv", lambda: inert_csv(block.numbers()))
    if block.behind is not None:
        _patients(block.name, block.behind)
    if block.python is not None:
        _download(block, "Python code", "py", block.python)
    if block.r is not None:
        _download(block, "R code", "R", block.r)


def _patients(name: str, behind: Callable[[], pd.DataFrame]) -> None:
    words = f"Patients behind {name.replace('-', ' ')} exported, unnamed"
    make = told_when_made(words, lambda: inert_csv(behind()))
    download_button(
        "CSV of the patients behind it, unnamed", make, f"{name}-patients.csv", key=f"download_{name}_patients",
        on_click="ignore", width="stretch",
    )  # fmt: skip


def table_exports(
    name: str,
    numbers: Callable[[], pd.DataFrame],
    python: Callable[[], str],
    r: Callable[[], str],
    behind: Callable[[], pd.DataFrame] | None = None,
) -> None:
    """The exports of a table that no figure shows; parameters as of :class:`Block`."""
    export = st.popover("Export", key=f"open_export_{name}", on_change="rerun")
    if export.open:
        with export:
            _numbers_and_code(Block(name, "", lambda _: go.Figure(), numbers, python, r, behind))


def _image(block: Block, kind: Kind) -> bytes:
    return image(block.draw(False), kind)


def _download(block: Block, words: str, extension: str, data: Callable[[], str | bytes]) -> None:
    """A button that makes its file only when it is pressed, and says so in the history."""
    made = told_when_made(f"Figure {block.name.replace('-', ' ')} exported, {words}", data)
    download_button(
        words, made, f"{block.name}.{extension}", key=f"download_{block.name}_{extension}", on_click="ignore",
        width="stretch",
    )  # fmt: skip
