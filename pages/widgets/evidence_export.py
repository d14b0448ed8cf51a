"""The card as files: Markdown, one HTML page, JSON."""

from __future__ import annotations

from functools import partial

import streamlit as st

from core.analysis.model_card import ModelCard
from core.board.model_card_export import FORMATS, card_file, file_name
from pages.widgets.download import download_button

WORDS = {"html": "HTML", "md": "Markdown", "json": "JSON"}


def exports(card: ModelCard) -> None:
    """A button a format; each makes its file when it is pressed."""
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="card_files"):
        for kind, words in WORDS.items():
            download_button(
                f"Card as {words}", partial(card_file, card, kind), file_name(card.run, kind), FORMATS[kind],
                key=f"card_{kind}", on_click="ignore",
            )  # fmt: skip
