"""Prognoscope's core: cohorts, models, honest training and the numbers the pages show. Never imports streamlit."""

__version__ = "0.5.1"
