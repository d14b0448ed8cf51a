"""What moved the estimate: up to three features that raise and three that lower the risk, or the way to them."""

from __future__ import annotations

from html import escape

import streamlit as st

from core.analysis.patient_person import Person
from core.analysis.patient_reasons import STABLE, Reason, reasons_of
from core.analysis.patient_sentences import month_words, say
from core.cohort.wording import plural
from core.results.explained import Kind
from core.results.explanation import load_explanation
from pages.widgets.data import View
from pages.widgets.explain_job import explain_panel, explained
from pages.widgets.html import note


def reasons_panel(view: View, person: Person) -> None:
    """The stored explanation in sentences; without one, the button that has it made."""
    month = view.state.month
    st.subheader("What moved this estimate")
    if not explained(view, person.patient, Kind.VALUES, month):
        explain_panel(
            view, person.patient, (Kind.VALUES,), month,
            f"You will see which values raise and which lower the estimate at {month_words(month)}, and by how much.",
        )  # fmt: skip
        return
    found = load_explanation(person.run.id, person.patient, month, view.workspace)
    reasons = reasons_of(found, person.base, person.endpoint)
    st.html(
        '<div class="reasons">'
        + _side("Raise the risk", "up", reasons.up, say("no_reason_up"))
        + _side("Lower the risk", "down", reasons.down, say("no_reason_down"))
        + "</div>"
    )
    models = plural(found.models, "model")
    words = [
        f"Percentage points of survival at {month_words(month)}, by the {models} that never saw this patient. At least "
        f"{100 * STABLE:.0f} % of models and comparisons agree on each sign."
    ]
    if reasons.unstable:
        words.append(f"{plural(reasons.unstable, 'value')} of like size left out: no agreement on the sign.")
    if not reasons.ranked:
        words.append("The models do not agree on the order of size.")
    note(" ".join(words))


def _side(title: str, kind: str, reasons: tuple[Reason, ...], none: str) -> str:
    sign = "−" if kind == "up" else "+"
    items = "".join(
        f'<li aria-label="{escape(r.words)}"><span class="points" aria-hidden="true">{sign}{r.points:.1f}</span>'
        f'<span aria-hidden="true">{escape(r.label)} <span class="observed">{escape(r.observed)}</span></span></li>'
        for r in reasons
    )
    body = f"<ul>{items}</ul>" if reasons else f'<p class="note">{escape(none)}</p>'
    return f'<div class="side {kind}"><h4>{escape(title)}</h4>{body}</div>'
