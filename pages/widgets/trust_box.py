"""The box "How far to trust this": what was measured of this run's explanations, and what would have been good."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.results.explained import Kind
from core.results.explanation_trust import ExplanationTrust, TrustNumber, load_trust
from pages.widgets.data import View
from pages.widgets.html import note, numbers_table, state_box

TITLE = "How far to trust this"
ANSWERS = {True: "✓ met", False: "✗ not met", None: "not measured"}


def trust_box(view: View, kind: Kind) -> None:
    """The measured numbers of the run at hand, or that there are none yet."""
    run = view.run
    if run is None:
        return
    found = load_trust(run.id, kind, view.workspace)
    if found is None:
        state_box(
            TITLE,
            (
                "Not measured for this run yet. It is measured when the first patient of the run is explained.",
                "An explanation shows what the models used, never what caused a disease.",
            ),
            "slight",
        )
        return
    with st.container(border=True, key=f"trust_{kind.value}"):
        st.markdown(f"**{TITLE}**")
        st.markdown(verdict(found))
        numbers_table(trust_table(found), right=("measured", "asked for", "by chance"))
        for item in found.numbers:
            note(f"{item.name}: {item.words}", warn=item.passed is False)
        note(_measured_on(found))
        for words in found.notes:
            note(words)


def verdict(found: ExplanationTrust) -> str:
    """One sentence on top of the numbers."""
    known = [n for n in found.numbers if n.passed is not None]
    met = sum(bool(n.passed) for n in known)
    if not known:
        return "Nothing could be measured: read this explanation as a hint at most."
    if met == len(known):
        return f"All {met} checks are met. Still, it shows what the models used, not what caused the disease."
    if met == 0:
        return "No check is met: do not rely on this explanation."
    failed = ", ".join(n.name for n in known if not n.passed)
    return f"{met} of {len(known)} checks are met. Not met: {failed}. Read it with that in mind."


def trust_table(found: ExplanationTrust) -> pd.DataFrame:
    """The numbers as a table."""
    return pd.DataFrame(
        [
            {
                "check": n.name,
                "measured": _number(n.value),
                "asked for": f"{'≥' if n.high else '≤'} {n.good:.2f}",
                "by chance": _number(n.chance),
                "answer": ANSWERS[n.passed],
            }
            for n in found.numbers
        ]
    )


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}".replace("-", "−")


def _measured_on(found: ExplanationTrust) -> str:
    whom = f"{found.patients} patient{'s' if found.patients != 1 else ''} of this run"
    models = f"{found.models} model{'s' if found.models != 1 else ''} that never saw them"
    truth = " against the planted truth of the synthetic cohort" if found.planted else ""
    return f"Measured on {whom}, with the {models}{truth}."


__all__ = ["TrustNumber", "trust_box", "trust_table", "verdict"]
