"""The look of a page: the reader's palette as CSS variables, the style sheet, and figures the keys reach."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import streamlit as st

from core.figures.palette import LIGHT, PALETTES, Palette

ASSETS = Path(__file__).resolve().parents[2] / "assets"


def palette() -> Palette:
    """The palette the reader's browser shows; light where it has not said."""
    return PALETTES.get(st.context.theme.type or "", LIGHT)


def css_variables(colours: Palette) -> str:
    """``--pg-<role>`` for every role; the viewers inherit them."""
    roles = "".join(f"--pg-{role.replace('_', '-')}:{colour};" for role, colour in colours.roles().items())
    return f":root{{color-scheme:{colours.scheme};{roles}}}"


def look() -> None:
    """Draw it: nothing of it is seen by itself."""
    colours = palette()
    st.html(f"<style>{css_variables(colours)}\n{_read('style.css')}</style>")
    component = st.components.v2.component("prognoscope_look", js=_read("components/page_look.js"))
    component(key="look_watch", data={"scheme": colours.scheme}, on_scheme_change=_nothing)


def _nothing() -> None:
    """The rerun itself takes up the palette."""


@cache
def _text(name: str, changed: int) -> str:
    return (ASSETS / name).read_text(encoding="utf-8")


def _read(name: str) -> str:
    return _text(name, (ASSETS / name).stat().st_mtime_ns)
