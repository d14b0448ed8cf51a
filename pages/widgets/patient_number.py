"""The number itself: large as a natural frequency, how far the models differ, and the same number five ways."""

from __future__ import annotations

from dataclasses import replace
from html import escape

import streamlit as st

from core.analysis.patient_estimate import FEWEST_AT_RISK, Number, PatientEstimate
from core.analysis.patient_person import Person
from core.analysis.patient_presentations import Presentation, bars, drawn_table, numbers_of, sentences
from core.analysis.patient_reference import Comparable
from core.analysis.patient_reproduce import counted_code, course_code, course_r
from core.analysis.patient_sentences import (
    chance,
    count_words,
    headline,
    model_spread,
    month_words,
    percent_words,
    say,
    state_words,
)
from core.figures.patient_bars import bars_figure
from core.figures.patient_curve import CourseWords, course_figure
from core.figures.patient_icons import icons_figure
from pages.widgets import state as page
from pages.widgets.data import View
from pages.widgets.figure_block import Block, figure_block
from pages.widgets.html import note, numbers_table


def number_panel(view: View, person: Person, estimate: PatientEstimate, pinned: PatientEstimate | None) -> None:
    """The number in large type with both its doubts."""
    month = view.state.month
    number = estimate.at(month)
    _month_switch(estimate, month)
    if number is None:
        note(say("not_estimable", when=month_words(month), fewest=FEWEST_AT_RISK), warn=True)
    else:
        _large(number, month, person, estimate)
    if pinned is not None:
        _pinned_line(pinned, month)


def _month_switch(estimate: PatientEstimate, month: float) -> None:
    """The horizons of the run; one without an estimate can be chosen and then says why."""
    words = {h: month_words(h) + ("" if estimate.at(h) is not None else " –") for h in estimate.horizons}
    st.session_state["patient_month"] = month if month in words else None
    st.segmented_control(
        "Estimated for", list(words), key="patient_month", format_func=lambda h: words[h],
        on_change=lambda: page.choose_month(float(st.session_state["patient_month"] or month)),
    )  # fmt: skip


def _large(number: Number, month: float, person: Person, estimate: PatientEstimate) -> None:
    endpoint = person.endpoint
    words = headline(number, month, endpoint)
    st.html(
        f'<div class="headline" role="group" aria-label="{escape(words)}"><span class="n">'
        f'{escape(count_words(number.value))}</span><span class="of">of 100</span>'
        f"<p>patients like this one are {escape(state_words(endpoint))} {escape(month_words(month))} after "
        f"{escape(endpoint.time_zero)}</p></div>"
    )
    st.html(
        f'<dl class="doubts"><dt>Chance</dt><dd>{escape(chance(number))}</dd>'
        f"<dt>Model</dt><dd>{escape(model_spread(number, estimate))}</dd></dl>"
    )
    if endpoint.has_competing:
        label = endpoint.competing_label
        note(say("competing", competing=label[:1].upper() + label[1:]))


def _pinned_line(pinned: PatientEstimate, month: float) -> None:
    number = pinned.at(month)
    words = "not estimable" if number is None else f"{percent_words(number.value)} at {month_words(month)}"
    st.html(f'<p class="pinned-line">Pinned <b>{escape(pinned.patient)}</b>: {escape(words)}</p>')


def presentation_panel(
    view: View, person: Person, estimate: PatientEstimate, reference: Comparable, pinned: PatientEstimate | None
) -> None:
    """The same number in the chosen one of five ways, and who the comparable patients are."""
    month, state, synthetic = view.state.month, state_words(person.endpoint), person.base.synthetic
    number = estimate.at(month)
    names = [p.value for p in Presentation]
    chosen = page.current().presented
    chosen = chosen if chosen in names else Presentation.CURVE.value
    st.session_state["patient_presented"] = chosen
    st.segmented_control("The same number as", names, key="patient_presented", on_change=_presented)
    if chosen == Presentation.TABLE:
        numbers_table(numbers_of(estimate, state), right=("Of 100",))
    elif chosen == Presentation.SENTENCE:
        st.html("".join(f'<p class="said">{escape(s)}</p>' for s in sentences(estimate, month, person.endpoint)))
    elif chosen == Presentation.CURVE or number is None:
        words = CourseWords(f"Estimated course, {person.endpoint.name}", state, person.endpoint.time_zero, synthetic)
        alt = f"Estimated course; {percent_words(number.value)} {state} at {month_words(month)}" if number else ""
        figure_block(
            Block(
                "patient-course", alt or "Estimated course",
                lambda _: course_figure(estimate, month, words, reference, pinned),
                lambda: drawn_table(estimate, reference.curve),
                lambda: course_code(words.title, state, month),
                lambda: course_r(words.title, state, month),
            )
        )  # fmt: skip
    else:
        _counted(estimate, number, month, state, synthetic, chosen)
    note(reference.words)


def _counted(estimate: PatientEstimate, number: Number, month: float, state: str, synthetic: bool, chosen: str) -> None:
    alt = f"{percent_words(number.value)} {state} at {month_words(month)}"
    if chosen == Presentation.ICONS:
        title = f"100 patients like this one, {month_words(month)} on"
        figure_block(
            Block("patient-icons", alt, lambda _: icons_figure(number, state, title, synthetic),
                  lambda: numbers_of(estimate, state), lambda: counted_code(title, state))
        )  # fmt: skip
    else:
        title = f"Estimated to be {state}"
        figure_block(
            Block("patient-bars", alt, lambda _: bars_figure(bars(estimate), month, state, title, synthetic),
                  lambda: numbers_of(estimate, state), lambda: counted_code(title, state))
        )  # fmt: skip


def _presented() -> None:
    page.put(replace(page.current(), presented=st.session_state["patient_presented"] or page.current().presented))
