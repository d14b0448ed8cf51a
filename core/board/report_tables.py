"""The tables of a report as words: simple predictions, genes, calibration, and what makes the report repeatable."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from core.analysis.comparisons import interval
from core.analysis.model_quality import HorizonQuality
from core.analysis.patient_estimate import PatientEstimate
from core.analysis.patient_history import estimate_words, spread_words
from core.analysis.patient_markers import markers_of_patient
from core.analysis.patient_person import Person
from core.analysis.patient_reference import simple_predictions
from core.analysis.patient_sentences import month_words, percent_words, state_words
from core.analysis.waterfall import value_name
from core.cohort.cohort import Cohort
from core.cohort.modality import Modality
from core.cohort.wording import plural
from core.results.explanation import Explanation
from core.results.naming import model_words
from core.results.run import Run

if TYPE_CHECKING:
    from core.board.sources import ReportSources

MOST_GENES = 8


@dataclass(frozen=True)
class Rows:
    """A table of words."""

    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()

    @classmethod
    def of(cls, table: pd.DataFrame) -> Rows:
        """Every cell as text."""
        names = tuple(str(c) for c in table.columns)
        return cls(names, tuple(tuple(str(v) for v in row) for row in table.itertuples(index=False)))


def simple_rows(person: Person, estimate: PatientEstimate | None, month: float) -> Rows:
    """The run's estimate beside those from the stage or the ALBI grade alone."""
    state, rows = state_words(person.endpoint), []
    if estimate is not None:
        rows.append((f"This run ({model_words(person.run.model)})", "–", estimate_words(estimate, month),
                     spread_words(estimate, month)))  # fmt: skip
    for found in simple_predictions(person, month):
        name = f"{found.name}{f' ({found.level})' if found.level else ''}"
        if found.value is None:
            rows.append((name, str(found.n or "–"), found.note, "–"))
        else:
            low, high = (f"{100 * v:.0f}" if v is not None else "–" for v in (found.low, found.high))
            rows.append((name, str(found.n), percent_words(found.value), f"{low} to {high} %, 95 % CI"))
    columns = "Prediction from", "Patients", f"{state[:1].upper()}{state[1:]} at {month_words(month)}", "Uncertainty"
    return Rows(columns, tuple(rows))


def marker_rows(person: Person) -> Rows:
    """Every known clinical value with whether the run used it."""
    return Rows(("Value", "Patient", "Model"), tuple((m.label, m.words, m.badge) for m in markers_of_patient(person)))


def genes_of(found: Explanation | None) -> Rows:
    """The genes that moved the estimate most, each with how sure its sign is."""
    if found is None:
        return Rows()
    table = found.features[found.features["group"] == Modality.GENOMICS.value]
    table = table.reindex(table["value"].abs().sort_values(ascending=False, kind="stable").index)
    rows = [
        (value_name(str(r["name"])), str(r["observed"] or "–"), f"{r['value']:+.1f}".replace("-", "\N{MINUS SIGN}"),
         f"{100 * float(r['sign_share']):.0f} %")
        for r in table.head(MOST_GENES).to_dict("records")
    ]  # fmt: skip
    return Rows(("Gene", "Observed", "Percentage points of survival", "Models that agree on the sign"), tuple(rows))


def calibration_words(run: Run, quality: HorizonQuality) -> tuple[str, ...]:
    """How far the run's numbers can be trusted at the month, with intervals."""
    when, c = month_words(quality.month), run.metrics.harrell_c
    ranking = f"Harrell C of the run: {interval(c.mean, c.low, c.high)} (0.5 is a coin, 1 is perfect)."
    if quality.slope.value is None and quality.calibration is None:
        return ranking, f"Calibration at {when}: {quality.note or 'not estimable'}."
    slope = interval(quality.slope.value, quality.slope.low, quality.slope.high)
    ici = interval(quality.ici.value, quality.ici.low, quality.ici.high, 3)
    return ranking, f"Calibration at {when}: slope {slope}, 1 is right; ICI {ici}, 0 is right."


def _data_date(cohort: Cohort) -> str:
    """When the data came in: the day of the import, never the date of a person."""
    if cohort.provenance.imported_at:
        return f"imported {cohort.provenance.imported_at[:10]}"
    return "generated, without a date" if cohort.synthetic else "day of import not kept"


def record_rows(sources: ReportSources, protocol: str) -> Rows:
    """Versions, dates and hashes; no date of a person is among them."""
    run, cohort = sources.run, sources.cohort
    rows = [
        ("Protocol", protocol or "none given"),
        ("Run", f"{run.id}, {run.folds}, {plural(len(run.seeds), 'seed')}, trained {run.created_at[:10]}"),
        ("Model", f"{model_words(run.model)}, {' + '.join(run.modalities)}"),
        ("Models stored", str(sources.card.models)),
        ("Code", run.code_version),
        ("Data", f"{cohort.title}, {_data_date(cohort)}"),
        ("SHA-256 of the data", cohort.content_hash),
        ("SHA-256 of the run's data", run.cohort_hash),
        ("Settings", run.command),
    ]  # fmt: skip
    if run.cohort_hash == cohort.content_hash:
        rows = [r for r in rows if r[0] != "SHA-256 of the run's data"]
    return Rows(("What", "Which"), tuple(rows))
