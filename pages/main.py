"""Navigation: the pages there are."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from core.figures.palette import DARK
from pages.widgets.look import palette

ROOT = Path(__file__).resolve().parent
ASSETS = ROOT.parent / "assets"

ABOUT = "**Prognoscope**: research use only. Not a medical device; not for diagnosis or treatment decisions."

# the entry "About" also brings the menu in which the reader chooses light, dark or the system's palette
st.set_page_config(
    page_title="Prognoscope", page_icon=str(ASSETS / "mark.svg"), layout="wide", menu_items={"About": ABOUT}
)
st.logo(str(ASSETS / ("logo-dark.svg" if palette() is DARK else "logo.svg")), size="large")
st.navigation(
    [
        st.Page(ROOT / "cohort.py", title="Cohort", url_path="start", default=True),
        # the default page lives at /: this is where people look for it too
        st.Page(ROOT / "cohort.py", title="Cohort", url_path="cohort", visibility="hidden"),
        st.Page(ROOT / "survival.py", title="Survival", url_path="survival"),
        st.Page(ROOT / "experts.py", title="Experts", url_path="experts"),
        st.Page(ROOT / "patient.py", title="Patient", url_path="patient"),
        st.Page(ROOT / "board.py", title="Board", url_path="board"),
        st.Page(ROOT / "train.py", title="Train", url_path="train"),
        st.Page(ROOT / "compare.py", title="Compare", url_path="compare"),
        st.Page(ROOT / "evidence.py", title="Evidence", url_path="evidence"),
        st.Page(ROOT / "system.py", title="System", url_path="system"),
    ],
    position="top",
).run()
