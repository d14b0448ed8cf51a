"""The head of the model card: what it is of, how much of it is filled, what limits it, and the families of folds."""

from __future__ import annotations

from html import escape

import streamlit as st

from core.analysis.card_words import family_table
from core.analysis.model_card import ModelCard
from core.analysis.tripod import Status, counted
from core.results.run import Metric
from pages.widgets.evidence_table import card_table
from pages.widgets.html import badge_html, facts, note


def head(card: ModelCard) -> None:
    """Title, badge, three numbers, the counter of items."""
    run, counts = card.run, counted(card.items)
    st.html(f'<p class="card-title">{escape(card.title)} {badge_html(card.badge)}</p>')
    facts(
        [
            _number(run.metrics.harrell_c, "Harrell C"),
            _number(run.metrics.ibs, "integrated Brier score"),
            (f"{run.patients:,}", f"{run.events:,} events", "patients, each tested once"),
            (str(counts[Status.FILLED]), f"of {len(card.items)}",
             f"TRIPOD+AI items filled; {counts[Status.PART]} in part, {counts[Status.EMPTY]} empty"),
        ]
    )  # fmt: skip
    if run.protocol == "upstream":
        note("Optimistic (upstream protocol): the epoch was chosen on the very patients it was tested on. "
             "Every number on this card is too good.", warn=True)  # fmt: skip


def _number(metric: Metric, words: str) -> tuple[str, str, str]:
    if metric.mean is None:
        return "–", "", words
    between = f"{metric.low:.3f} to {metric.high:.3f}" if metric.low is not None and metric.high is not None else ""
    return f"{metric.mean:.3f}", between, words


def limitations(card: ModelCard) -> None:
    """What limits the numbers, before the numbers."""
    st.header("Limitations")
    items = "".join(f"<li>{escape(text)}</li>" for text in card.limitations)
    st.html(f'<ul class="limits">{items}</ul>')
    note("Each follows from the record of the run, from the cohort or from the predictions.")


def families(card: ModelCard) -> None:
    """The same model on other folds, an optimistic run named so."""
    st.header("Published folds to compare, folds by site to trust")
    card_table(family_table(card), right=("Number", "Seeds", "IBS"))
