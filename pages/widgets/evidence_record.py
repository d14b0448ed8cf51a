"""The card's books: the way of the patients, the 27 items of TRIPOD+AI, and what makes the run repeatable."""

from __future__ import annotations

from html import escape

import streamlit as st

from core.analysis.card_words import record_table
from core.analysis.model_card import ModelCard
from core.analysis.tripod import CardItem, Status
from pages.widgets.evidence_table import card_table
from pages.widgets.html import note

SIGNS = {Status.FILLED: "●", Status.PART: "◐", Status.EMPTY: "○"}


def flow(card: ModelCard) -> None:
    """From the files to the numbers, with every exclusion and its count."""
    st.header("Who the numbers speak of")
    boxes = []
    for step in card.flow:
        left_out = "".join(f"<li>{count:,} {escape(reason)}</li>" for reason, count in step.left_out)
        side = f'<ul class="out">{left_out}</ul>' if left_out else ""
        n = "–" if step.patients is None else f"{step.patients:,}"
        more = f'<span class="more">{escape(step.more)}</span>' if step.more else ""
        boxes.append(f'<li>{side}<div class="box"><span class="n">{n}</span> {escape(step.words)}{more}</div></li>')
    st.html(f'<ol class="flow" aria-label="The way of the patients">{"".join(boxes)}</ol>')


def tripod(card: ModelCard) -> None:
    """Every item with what is there and what is missing."""
    st.header("TRIPOD+AI")
    note(f"{card.counter}. Made from the record: what is missing cannot be typed in here.")
    with st.container(key="tripod_items"):
        rows = "".join(_item(item) for item in card.items)
        st.html(
            '<table class="numbers tripod"><thead><tr><th>Item</th><th>What</th><th>Status</th>'
            f"<th>From the record</th></tr></thead><tbody>{rows}</tbody></table>"
        )


def _item(item: CardItem) -> str:
    facts = escape(" ".join(item.facts))
    missing = f'<span class="missing">Missing: {escape("; ".join(item.missing))}.</span>' if item.missing else ""
    status = f'<span class="status {item.status.name.lower()}">{SIGNS[item.status]} {item.status}</span>'
    what = f'<span class="more">{escape(item.section)}</span>{escape(item.topic)}'
    return f"<tr><td>{item.number}</td><td>{what}</td><td>{status}</td><td>{facts} {missing}</td></tr>"


def record(card: ModelCard) -> None:
    """Run, code, data, machine, command."""
    with st.expander("Record of the run"):
        card_table(record_table(card))
