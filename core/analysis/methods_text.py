"""What was done in a session as a methods section: sentences made by template from its state and the run's record."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from core.analysis.group_survival import SurvivalOptions
from core.analysis.grouping import Cut, GroupBy, Source, is_numeric
from core.analysis.methods_statistics import curve_sentences, group_sentences, page_sentences, software_sentence
from core.analysis.outcome import CompetingAs, Outcome
from core.analysis.run_settings import settings_sentence
from core.cohort.cohort import Cohort
from core.cohort.selection import Selected
from core.cohort.wording import plural
from core.results.naming import model_words
from core.results.run import Metric, Run
from core.results.trail import Step, Trail

USE = "Research use only. Not a medical device; not for diagnosis or treatment decisions."
A_PATIENT = "[patient]"
CUT_WORDS = {
    Cut.MEDIAN: "cut at the median",
    Cut.TERTILES: "cut at the tertiles",
    Cut.CLINICAL: "cut at given points",
    Cut.BEST: "cut where the groups differ most",
}


@dataclass(frozen=True, eq=False)
class Session:
    """What the text speaks of.

    Parameters
    ----------
    selected : Selected
        The selection applied to the cohort, with a count for each filter.
    outcome : Outcome or None
        Of the selected patients; None, with ``no_outcome`` saying why, where there is none.
    trail : Trail
        What was done; undone steps are left out.
    phenotypes : str
        How the experts' groups were made, in words; empty = not asked for.
    """

    cohort: Cohort
    run: Run | None
    selected: Selected
    endpoint: str
    outcome: Outcome | None
    no_outcome: str
    competing_as: CompetingAs
    landmark: float
    by: GroupBy
    options: SurvivalOptions
    trail: Trail
    phenotypes: str = ""


Section = tuple[str, list[str]]


def methods_markdown(session: Session, named: bool = False) -> str:
    """The text as Markdown; ``named``: with the pseudonyms of patients that steps speak of."""
    parts = ["# Methods", f"*{USE}*"]
    for title, lines in _sections(session, named):
        parts.append(f"## {title}")
        parts.append("\n".join(lines) if title == _COURSE else " ".join(lines))
    return "\n\n".join(parts) + "\n"


def methods_plain(session: Session, named: bool = False) -> str:
    """The same as plain text."""
    parts = ["METHODS", USE]
    for title, lines in _sections(session, named):
        parts.append(title.upper() + "\n" + ("\n".join(lines) if title == _COURSE else " ".join(lines)))
    return "\n\n".join(parts) + "\n"


_COURSE = "What was done"


def _sections(session: Session, named: bool) -> list[Section]:
    return [
        ("Patients", _patients(session.cohort)),
        ("Outcome", _outcome(session)),
        ("Selection", _selection(session, named)),
        ("Model", _model(session)),
        ("Statistics", _statistics(session)),
        (_COURSE, _course(session.trail, session.cohort, named)),
    ]


def _patients(cohort: Cohort) -> list[str]:
    out = sum(e.count for e in cohort.exclusions)
    reasons = "; ".join(f"{e.count:,} {e.reason}" for e in cohort.exclusions)
    source = cohort.provenance
    made = f", imported {source.imported_at[:10]}" if source.imported_at else ""
    lines = [
        f"The cohort {cohort.title} ({cohort.name}) holds {plural(len(cohort), 'patient')} (format "
        f"{source.format}{made}; SHA-256 of its content {cohort.content_hash}).",
        f"At import {plural(out, 'patient')} were excluded ({reasons})." if out else "Nobody was excluded at import.",
    ]
    have = cohort.availability
    counts = ", ".join(f"{name} {int(have[name].sum()):,}" for name in have.columns)
    lines += [f"Patients with each kind of data: {counts}."] if counts else []
    if cohort.synthetic:
        lines.append("These patients are synthetic: generated, with a planted truth, and no one's data.")
    return lines


def _outcome(session: Session) -> list[str]:
    endpoint = session.cohort.endpoint(session.endpoint)
    span = f"months from {endpoint.time_zero} to {endpoint.event_label}"
    lines = [f"The endpoint is {endpoint.label} ({endpoint.name}): {span}."]
    if endpoint.has_competing:
        how = {
            CompetingAs.CENSORED: "ends follow-up (censoring)",
            CompetingAs.COMPETING: "is a competing event, counted apart",
            CompetingAs.EVENT: "counts as the event",
        }
        label = endpoint.competing_label
        lines.append(f"{label[:1].upper()}{label[1:]} {how[session.competing_as]}.")
    if session.landmark:
        lines.append(f"Time is counted from a landmark {session.landmark:g} months after {endpoint.time_zero}: only "
                     "patients still followed and free of the event then are analysed.")  # fmt: skip
    return lines


def _selection(session: Session, named: bool) -> list[str]:
    total = len(session.cohort)
    lines = ["No patient was filtered out."] if not session.selected.counts else []
    before = total
    for i, count in enumerate(session.selected.counts):
        start = "Of" if i == 0 else "Of these"
        words = _without_names(count.filter.words(session.cohort), session.cohort, named)
        lines.append(f"{start} {before:,} those with “{words}” were kept ({count.left:,}).")
        before = count.left
    if session.outcome is None:
        return [*lines, f"No outcome of the selected patients was analysed: {session.no_outcome}."]
    found = session.outcome
    middle = float(np.median(found.time))
    lines.append(
        f"{plural(len(found), 'patient')} with {plural(found.n_events, 'event')} ({found.event_label}) were analysed; "
        f"the median time to the event or the end of follow-up is {middle:.1f} months."
    )
    if found.excluded:
        lines.append("Not analysed: " + "; ".join(f"{e.count:,} {e.reason}" for e in found.excluded) + ".")
    return lines


def _model(session: Session) -> list[str]:
    run = session.run
    if run is None:
        return ["No model was used."]
    seeds = ", ".join(str(s) for s in run.seeds)
    lines = [
        f"Estimates come from run {run.id}: {model_words(run.model)} on {' + '.join(run.modalities)}, trained for "
        f"{run.endpoint} on {plural(run.patients, 'patient')} with {plural(run.events, 'event')}.",
        f"Validation: {run.n_folds} outer folds ({run.folds}), seeds {seeds}; every estimate is out-of-fold, by models "
        "that never saw the patient.",
        f"Settings: {settings_sentence(run)}.",
        f"Code version {run.code_version}, trained {run.created_at[:10]} on data with SHA-256 {run.cohort_hash}.",
    ]
    if run.protocol == "upstream":
        lines.append("The upstream protocol chose the epoch on the test fold: all its numbers are optimistic.")
    if run.cohort_hash != session.cohort.content_hash:
        lines.append("That is not the data of the cohort above: it was trained on another import or another cohort.")
    lines += [f"{words} {_interval(metric)}." for words, metric in
              (("Harrell's C of the run", run.metrics.harrell_c), ("Its integrated Brier score", run.metrics.ibs))
              if metric.mean is not None]  # fmt: skip
    return lines


def _interval(metric: Metric) -> str:
    if metric.low is None or metric.high is None:
        return f"{metric.mean:.3f}"
    return f"{metric.mean:.3f} (95 % bootstrap interval {metric.low:.3f} to {metric.high:.3f})"


def _statistics(session: Session) -> list[str]:
    lines = curve_sentences(session.competing_as, session.options)
    if "Survival" in session.trail.pages:
        lines.append(f"{grouping_words(session.by, session.cohort)}.")
        if session.by.source is Source.RISK:
            lines.append("Thresholds of predicted risk are those of each patient's training fold.")
        lines += group_sentences(session.by, session.options, session.competing_as)
    if session.phenotypes:
        lines.append(f"Phenotypes were made {session.phenotypes}.")
    return [*lines, *page_sentences(session.trail.pages, session.run is not None), software_sentence()]


def grouping_words(by: GroupBy, cohort: Cohort) -> str:
    """How patients are put into groups, in words."""
    if by.source is Source.RISK:
        return f"Groups by predicted risk, {CUT_WORDS[by.cut]}"
    if by.source is Source.NAMED:
        return "Groups are the named ones"
    if by.source is Source.COLUMN and by.column in cohort.patients.columns:
        cut = f", {CUT_WORDS[by.cut]}" if is_numeric(cohort, by.column) else ""
        points = " (" + ", ".join(f"{p:g}" for p in by.points) + ")" if cut and by.cut is Cut.CLINICAL else ""
        return f"Groups by {cohort.label(by.column)}{cut}{points}"
    return "Everybody is one group"


def _course(trail: Trail, cohort: Cohort, named: bool) -> list[str]:
    path = trail.path
    lines = [f"{number}. {_line(trail.steps[i], cohort, named)}" for number, i in enumerate(path, start=1)]
    undone = len(trail.steps) - len(path)
    if undone:
        lines.append(f"\n{plural(undone, 'step')} that {'was' if undone == 1 else 'were'} undone are not listed.")
    return lines or ["Nothing was changed."]


def _line(step: Step, cohort: Cohort, named: bool) -> str:
    who = f" ({step.patient})" if named and step.patient else ""
    return f"{step.at.replace('T', ' ').removesuffix('+00:00')} UTC: {_without_names(step.words, cohort, named)}{who}."


def _without_names(words: str, cohort: Cohort, named: bool) -> str:
    """Without any pseudonym of the cohort: somebody may have typed one into the name of a group."""
    for name in () if named else cohort.ids:
        if name in words:
            words = re.sub(rf"(?<![\w-]){re.escape(name)}(?![\w-])", A_PATIENT, words)
    return words
