"""The model card of a run, made once a session and again whenever something it speaks of has changed."""

from __future__ import annotations

import streamlit as st

from core.analysis.card_source import CardSource, with_sources
from core.analysis.model_card import ModelCard, model_card
from core.results.run import Run
from pages.widgets.data import View, read_cohort, read_predictions


def card_of(view: View, run: Run) -> ModelCard:
    """The card; bootstraps take about a second, so it is kept."""
    cohort = view.cohort if run.cohort == view.cohort.name else read_cohort(run.cohort, view.workspace)
    others = tuple(r for r in view.runs if r.id != run.id and r.cohort == run.cohort)
    source = with_sources(run, cohort, read_predictions(run, view.workspace), others, view.workspace)
    stamp = (tuple(r.id for r in others), source.support is not None, source.scored)
    return _card(run.id, run.created_at, cohort.content_hash, repr(stamp), source)


@st.cache_resource(scope="session", show_spinner=False, max_entries=4)
def _card(run_id: str, created_at: str, content: str, stamp: str, _source: CardSource) -> ModelCard:
    return model_card(_source)
