"""Discrimination and calibration of the card's run, each with its interval."""

from __future__ import annotations

from functools import partial

import streamlit as st

from core.analysis.card_words import calibration_table, performance_table
from core.analysis.model_card import ModelCard
from core.analysis.model_quality import ModelQuality, quality_behind
from core.analysis.quality_behind import brier_behind, brier_numbers
from core.analysis.reproduce_quality import calibration_python, calibration_r
from core.analysis.reproduce_scores import brier_python, brier_r
from core.figures.quality import brier_figure, calibration_figure
from pages.widgets.evidence_table import card_table
from pages.widgets.figure_block import Block, figure_block
from pages.widgets.html import note
from pages.widgets.model_quality import calibration_numbers

TITLE, BRIER_TITLE = "Predicted and observed survival", "Brier score and the null"


def quality_panel(card: ModelCard) -> None:
    """Two tables with intervals, and the two figures beside them."""
    st.header("Discrimination and calibration")
    with st.container(key="evidence_quality"):
        left, right = st.columns(2, gap="large")
    with left:
        st.subheader("Discrimination and accuracy")
        card_table(performance_table(card))
    with right:
        st.subheader("Calibration")
        card_table(calibration_table(card))
    if card.quality is None:
        note(f"No figures: {card.no_quality}.", warn=True)
        return
    _figures(card, card.quality)


def _figures(card: ModelCard, quality: ModelQuality) -> None:
    synthetic, integrated = card.run.synthetic, (quality.ibs.value, quality.ibs_null.value)
    with st.container(key="evidence_figures"):
        left, right = st.columns(2, gap="large")
    with left:
        figure_block(
            Block("evidence-calibration", "Estimated against observed survival in groups of patients",
                  lambda _: calibration_figure(quality, synthetic), lambda: calibration_numbers(quality),
                  lambda: calibration_python(TITLE, {}), lambda: calibration_r(TITLE, {}),
                  lambda: quality_behind(quality))
        )  # fmt: skip
    with right:
        figure_block(
            Block("evidence-brier", "Brier score of the run and of the Kaplan-Meier null",
                  lambda _: brier_figure(quality, synthetic),
                  partial(brier_numbers, quality), partial(brier_python, BRIER_TITLE, *integrated),
                  partial(brier_r, BRIER_TITLE, *integrated), partial(brier_behind, quality))
        )  # fmt: skip
