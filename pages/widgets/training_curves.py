"""The epochs of a training as charts, with the alarm for experts that nobody uses any more."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import streamlit as st

from core.analysis.reproduce_plots import plot_code
from core.analysis.training_progress import comparable_epochs, curves_table, level_names, load_table
from core.figures.training import brier_figure, concordance_figure, entropy_figure, load_figure, loss_figure
from core.results.training_alarms import alarms
from core.results.training_curve import CurvePoint, collapses
from pages.widgets.figure_block import Block, figure_block
from pages.widgets.html import note, state_box


def curves_panel(known: Sequence[CurvePoint], place: str, synthetic: bool, epochs: int | None = None) -> None:
    """Charts of what is known so far; nothing is chosen by them.

    ``place`` tells two panels of a page apart · ``epochs`` of a fit while it is under way.
    """
    if not known:
        return
    _alarm(known)
    points = comparable_epochs(known, epochs)
    levels = level_names(points)
    with st.container(key=f"curves_{place}"):
        left, right = st.columns(2, gap="small")
        with left:
            _chart(f"{place}-loss", "Survival loss by epoch", loss_figure, points, synthetic)
            _chart(f"{place}-ibs", "Integrated Brier score by epoch", brier_figure, points, synthetic)
        with right:
            _chart(f"{place}-concordance", "C-index by epoch", concordance_figure, points, synthetic)
            if levels:
                _chart(f"{place}-entropy", "Evenness of the experts by epoch", entropy_figure, points, synthetic)
        if levels:
            _load(points, levels, place, synthetic)
    note("Held-out curves are shown, and choose nothing: the last epoch counts.")


def _alarm(points: Sequence[CurvePoint]) -> None:
    found = collapses(points)
    if found:
        state_box(
            "The experts have collapsed",
            (*(c.words() for c in found), "A larger weight of balance, or fewer experts, keeps more of them in use."),
            "error",
        )
    for alarm in alarms(points):
        state_box(alarm.title, (alarm.words,), "error")


def _chart(name, alt, figure, points, synthetic) -> None:
    figure_block(Block(name, alt, lambda _: figure(points, synthetic), lambda: curves_table(points),
                       lambda: plot_code("epochs", alt, "epoch")))  # fmt: skip


def _load(points: Sequence[CurvePoint], levels: tuple[str, ...], place: str, synthetic: bool) -> None:
    level = levels[0]
    if len(levels) > 1:
        level = st.selectbox("Level", levels, key=f"level_{place}")
    alt = f"Load of the experts by epoch, {level}"
    draw = partial(load_figure, points, level, synthetic)
    figure_block(
        Block(
            f"{place}-load",
            alt,
            lambda _: draw(),
            partial(load_table, points, level),
            lambda: plot_code("epochs", alt, "epoch"),
        )
    )
