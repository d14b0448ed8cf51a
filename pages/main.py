"""Navigation: the pages there are."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

ROOT = Path(__file__).resolve().parent
ASSETS = ROOT.parent / "assets"

st.set_page_config(page_title="Prognoscope", page_icon=str(ASSETS / "mark.svg"), layout="wide")
st.logo(str(ASSETS / "logo.svg"), size="large")
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
    ],
    position="top",
).run()
