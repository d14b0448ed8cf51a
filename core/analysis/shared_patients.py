"""Which runs can be compared, on which patients, and why the others cannot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from core.analysis.model_quality import FEWEST_AT_RISK, FEWEST_EVENTS
from core.results.prediction import Predictions
from core.results.run import Run


@dataclass(frozen=True)
class Refusal:
    """A run that cannot be compared, and why."""

    run: Run
    reason: str


def share(
    runs: tuple[Run, ...], predictions: Mapping[str, Predictions], ids: frozenset[str] | None = None
) -> tuple[tuple[Run, ...], tuple[Refusal, ...], tuple[str, ...]]:
    """The runs that can be compared with the first, the others with the reason, and the patients all of them share.

    Runs are taken up in their order for as long as enough patients (20, with 5 events) are left for a comparison.
    """
    first, *others = runs
    tables = {run.id: _table(predictions[run.id], ids) for run in runs}
    shared = tables[first.id].index
    kept, refused = [first], []
    for run in others:
        left = shared.intersection(tables[run.id].index, sort=False)
        reason = _cohort_or_endpoint(run, first) or _rows(tables[run.id], tables[first.id], left, run, first)
        if reason:
            refused.append(Refusal(run, reason))
        else:
            kept.append(run)
            shared = left
    return tuple(kept), tuple(refused), tuple(str(i) for i in shared)


def _table(predictions: Predictions, ids: frozenset[str] | None) -> pd.DataFrame:
    """One row a patient: fold and outcome."""
    table = predictions.table.drop_duplicates("id").set_index("id")
    return table if ids is None else table[table.index.isin(ids)]


def _cohort_or_endpoint(run: Run, first: Run) -> str:
    if run.cohort != first.cohort:
        return f"another cohort ({run.cohort}, not {first.cohort})"
    if run.endpoint != first.endpoint:
        return f"another endpoint ({run.endpoint}, not {first.endpoint})"
    return ""


def _rows(table: pd.DataFrame, other: pd.DataFrame, left: pd.Index, run: Run, first: Run) -> str:
    """Why these patients cannot be compared, or ''."""
    if not len(left):
        return "no patient that all of them predicted"
    a, b = table.loc[left], other.loc[left]
    if not (a[["entry", "time", "event"]].to_numpy() == b[["entry", "time", "event"]].to_numpy()).all():
        return "other outcomes of the same patients (an earlier import of the cohort)"
    if not (a["fold"].to_numpy() == b["fold"].to_numpy()).all():
        named = f"{run.folds}, not {first.folds}" if run.folds != first.folds else f"of the same name, {run.folds}"
        return f"other folds ({named}): risks are ranked within a fold"
    events = int((a["event"] == 1).sum())
    if len(left) < FEWEST_AT_RISK or events < FEWEST_EVENTS:
        return f"only {len(left)} patients with {events} events in common ({FEWEST_AT_RISK} and {FEWEST_EVENTS} needed)"
    return ""
