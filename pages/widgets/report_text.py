"""A report's text with its sentences to click: Python hands over pieces, the browser sets them as text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from core.analysis.report_reading import effect_words, pieces
from core.results.report_evidence import ReportEvidence

FOLDER = Path(__file__).resolve().parents[2] / "assets" / "components"


def report_text(found: ReportEvidence, texts: Sequence[str | None], titles: Sequence[str], key: str) -> int | None:
    """Draw the reports; the sentence the reader chose last, or None."""
    component = st.components.v2.component(
        "prognoscope_report_text",
        html='<div class="report-text" role="group" aria-label="Report with its sentences"></div>',
        css=(FOLDER / "report_text.css").read_text(encoding="utf-8"),
        js=(FOLDER / "report_text.js").read_text(encoding="utf-8"),
    )
    before = _chosen(st.session_state.get(key), len(found.sentences))
    result = component(
        key=key,
        data=text_data(found, texts, titles, before),
        default={"chosen": -1},
        on_chosen_change=_nothing,
    )
    return _chosen(result, len(found.sentences))


def text_data(
    found: ReportEvidence, texts: Sequence[str | None], titles: Sequence[str], chosen: int | None
) -> dict[str, Any]:
    """What the browser is given: plain strings and numbers."""
    largest = max((s.weight for s in found.sentences if s.weight is not None), default=0.0)
    return {
        "chosen": -1 if chosen is None else chosen,
        "sentences": [
            {
                "part": s.part,
                "weight": s.weight,
                "relative": 0.0 if s.weight is None or largest <= 0 else max(0.0, s.weight) / largest,
                "said": effect_words(s, found.month, found.models),
            }
            for s in found.sentences
        ],
        "reports": [
            {
                "title": titles[number],
                "pieces": [{"text": p.text, "sentence": p.sentence} for p in pieces(text, found.sentences, number)],
            }
            for number, text in enumerate(texts)
            if text is not None
        ],
    }


def _chosen(state: Any, sentences: int) -> int | None:
    value = state.get("chosen") if hasattr(state, "get") else None
    return int(value) if isinstance(value, int | float) and 0 <= int(value) < sentences else None


def _nothing() -> None:
    """The rerun itself shows the sentence."""
