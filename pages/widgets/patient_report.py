"""The Report tab: what the reports say of liver and tumour, which sentences the models used, and what each is worth."""

from __future__ import annotations

import hashlib

import streamlit as st

from core.analysis.points import month_words
from core.analysis.report_reading import PARTS, effect_words, report_words, sentence_table, sentence_text
from core.cohort.media_index import MediaFile, MediaKind, load_media
from core.cohort.modality import Modality
from core.errors import PrognoscopeError
from core.media.reports import read_report
from core.results.explained import Kind, default_month
from core.results.report_evidence import ReportEvidence, Sentence, load_report_evidence
from core.results.run import Run
from pages.widgets.data import View
from pages.widgets.explain_job import explain_panel, explained
from pages.widgets.frame import loading
from pages.widgets.html import note, numbers_table, state_box
from pages.widgets.report_text import report_text
from pages.widgets.trust_box import trust_box

WHY = (
    "Every sentence is left out in turn: you will see which of them the models used, whose part of the model they "
    "belong to, and by how many percentage points each moves the estimate."
)


def draw(view: View, patient: str) -> None:
    """The tab, in whichever of its states it is."""
    run = view.run
    if run is None:
        return
    files = load_media(view.cohort.name, view.workspace).of(patient, Modality.REPORTS, MediaKind.REPORT)
    texts, failures = _texts(files)
    if not files or all(t is None for t in texts):
        state_box(
            "No report of this patient can be read",
            (*failures, "Reports come with an import that names them, as plain text. The other tabs do not change."),
            "slight",
        )
        return
    month = default_month(run.horizons, view.state.month)
    if Modality.REPORTS.value not in run.modalities:
        _unused(run, texts, files)
        return
    if not explained(view, patient, Kind.REPORT, None):
        explain_panel(view, patient, (Kind.REPORT,), month, WHY)
        _plain(texts, files)
        return
    with loading("Reading the sentences"):
        found = load_report_evidence(run.id, patient, view.workspace)
    for failure in failures:
        note(failure, warn=True)
    _evidence(found, texts, files)
    if found.month != month:
        note(f"These numbers explain {month_words(found.month)}; {month_words(month)} is chosen on this page.", True)
    for words in found.notes:
        note(words)
    trust_box(view, Kind.REPORT)


def _evidence(found: ReportEvidence, texts: list[str | None], files: tuple[MediaFile, ...]) -> None:
    st.markdown(report_words(found))
    if not found.sentences:
        state_box("No sentence on liver or tumour", ("The models were given none of this report's sentences.",))
        _plain(texts, files)
        return
    _legend(found)
    left, right = st.columns([2, 1], gap="large")
    with left:
        chosen = report_text(found, texts, _titles(files), key=state_key(found))
    with right:
        if chosen is None:
            state_box("Choose a sentence", ("Click one in the text, or reach it by Tab and press Enter.",))
        else:
            _sentence(found.sentences[chosen], found, chosen, texts)
    with st.expander("All sentences as a table"):
        numbers_table(sentence_table(found, texts), right=("no.", "weight", "adds", "spread", "models agree"))
        note("adds: percentage points of survival that the sentence's presence adds; spread: over the models.")


def _sentence(sentence: Sentence, found: ReportEvidence, number: int, texts: list[str | None]) -> None:
    rows = [("Sentence", f"{number + 1} of {len(found.sentences)}"), ("About", PARTS.get(sentence.part, sentence.part))]
    rows.append(("Expert", sentence.expert or "none: the model has no expert that reads sentences"))
    if sentence.weight is not None:
        even = 1 / len(found.sentences)
        rows.append(("Weight", f"{100 * sentence.weight:.0f} % of the attention ({100 * even:.0f} % were even)"))
    with st.container(border=True, key="report_sentence"):
        st.text(f"“{sentence_text(sentence, texts, 300)}”")
        st.text("\n".join(f"{name}: {value}" for name, value in rows))
        st.markdown(effect_words(sentence, found.month, found.models))
        note("The expert is the one through which most of the sentence's relevance passes; it is no diagnosis.")


def _legend(found: ReportEvidence) -> None:
    """What the marks mean; each is told apart by its line and its label, not by colour alone."""
    seen = {s.part for s in found.sentences}
    lines = {"liver": "straight line", "tumour": "wavy line", "both": "double line", "other": "dotted line"}
    marks = ", ".join(f"{PARTS[p]} ({line})" for p, line in lines.items() if p in seen)
    bar = " The bar is the models' weight of a sentence." if any(s.weight is not None for s in found.sentences) else ""
    note(f"Marked sentences were given to the models: {marks}.{bar} Unmarked text was not.")


def _unused(run: Run, texts: list[str | None], files: tuple[MediaFile, ...]) -> None:
    state_box(
        "The chosen run takes no reports",
        (
            f"Its models were trained on {', '.join(run.modalities)}: no sentence has moved this estimate.",
            "Choose a run that uses reports in the top bar to see what each sentence is worth.",
        ),
        "slight",
    )
    _plain(texts, files)


def _plain(texts: list[str | None], files: tuple[MediaFile, ...]) -> None:
    """The text alone, in a box that shows it as it is."""
    for title, text in zip(_titles(files), texts, strict=True):
        if text is not None:
            if title:
                st.text(title)
            st.code(text, language=None, wrap_lines=True)


def _texts(files: tuple[MediaFile, ...]) -> tuple[list[str | None], tuple[str, ...]]:
    """The text of each report, None where it cannot be read, and why."""
    texts: list[str | None] = []
    failures: list[str] = []
    for number, file in enumerate(files, start=1):
        try:
            texts.append(read_report(file.path))
        except PrognoscopeError as error:
            texts.append(None)
            failures.append(f"Report {number} of {len(files)} cannot be shown: {error.found}.")
    return texts, tuple(failures)


def _titles(files: tuple[MediaFile, ...]) -> tuple[str, ...]:
    """ "Radiology report", numbered where there are several; "" for a single report without a kind."""
    several = len(files) > 1
    return tuple(
        f"{f.label.capitalize() + ' report' if f.label else 'Report' if several else ''}{f' {i}' if several else ''}"
        for i, f in enumerate(files, start=1)
    )


def state_key(found: ReportEvidence) -> str:
    """Another patient, or another explanation, begins without a chosen sentence."""
    return "report_" + hashlib.sha256(f"{found.run} {found.patient} {found.month}".encode()).hexdigest()[:12]
