"""Earlier and other estimates of the same patient, beside the one shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from core.analysis.patient_estimate import Number, PatientEstimate
from core.analysis.patient_sentences import count_words, percent_words
from core.results.naming import model_words
from core.results.run import Run

NOT_ESTIMABLE = "not estimable"
NO_NUMBER = "no estimate"


@dataclass(frozen=True, eq=False)
class Earlier:
    """One run's estimate. ``outdated`` the run was trained on another import of the cohort."""

    run: Run
    estimate: PatientEstimate
    outdated: bool


def history_table(shown: Earlier, others: Sequence[Earlier], month: float) -> pd.DataFrame:
    """The shown estimate first, then the others, the newest first."""
    rows = [_row(shown, month, "shown")]
    rows += [_row(e, month, "") for e in sorted(others, key=lambda e: e.run.created_at, reverse=True)]
    return pd.DataFrame(rows)


def _row(entry: Earlier, month: float, mark: str) -> dict[str, str]:
    run = entry.run
    unchecked = "support not checked" if entry.estimate.support is None else ""
    made = [run.created_at[:10], mark, "of an earlier import" if entry.outdated else "", unchecked]
    return {
        "Run of": " · ".join(part for part in made if part),
        "Model": f"{model_words(run.model)}, {' + '.join(run.modalities)}, {run.cohort}",
        "Estimate": estimate_words(entry.estimate, month),
        "Models differ": spread_words(entry.estimate, month),
    }


def estimate_words(estimate: PatientEstimate, month: float) -> str:
    """``"62 %"``, or why there is none."""
    if estimate.refused:
        return NO_NUMBER
    number = estimate.at(month)
    return NOT_ESTIMABLE if number is None else percent_words(number.value)


def spread_words(estimate: PatientEstimate, month: float) -> str:
    """``"58 to 66 %, 10 models"``."""
    number: Number | None = None if estimate.refused else estimate.at(month)
    if number is None or number.low is None or number.high is None:
        return "–"
    return f"{count_words(number.low)} to {count_words(number.high)} %, {estimate.models} models"
