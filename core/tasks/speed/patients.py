"""How browsing a cohort and importing a table grow with the number of patients; 100,000 of them against the limits."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter

import numpy as np
import pandas as pd

from core.analysis.cohort_overview import chartable_columns, summarise
from core.analysis.group_survival import SurvivalOptions, analyse_groups
from core.analysis.grouping import GroupBy, Source, column_groups
from core.analysis.outcome import make_outcome
from core.cohort.cohort import Cohort, Role
from core.cohort.importing import import_into
from core.cohort.sample import make_sample_cohort
from core.cohort.selection import CategoryFilter, Filter, ModalityFilter, RangeFilter, Selection
from core.figures.survival import survival_figure
from core.results.workspace import Workspace
from core.statistics.kaplan_meier import kaplan_meier
from core.statistics.logrank import logrank_test
from core.tasks.bench import BenchRow
from core.tasks.speed.growth import Growth, timed

MANY, LIMIT_S = 100_000, 1.0
"""A cohort that can still be browsed: a filter's p95, and both curves with their test, each within a second."""
SELECTIONS = 40
GROUP = "stage"


def patient_rows(sizes: Sequence[int], progress: Callable[[float, str], None]) -> list[BenchRow]:
    """Filter, curves with log-rank test, a page's figures, import: seconds at each size and the exponents."""
    found: dict[str, list[float]] = {}
    for i, size in enumerate(sizes):
        progress(i / len(sizes), f"a cohort of {size:,} simulated patients")
        cohort = make_sample_cohort(size, 1)[0]
        measured = {
            "filter p95": filter_p95(cohort),
            "Kaplan-Meier + log-rank": timed(lambda c=cohort: curves_and_test(c)),  # type: ignore[misc]
            "figures of a page": timed(lambda c=cohort: page_figures(c), 2),  # type: ignore[misc]
            "import of a table": import_seconds(cohort),
        }
        for name, seconds in measured.items():
            found.setdefault(name, []).append(seconds)
    limits = {"filter p95": ((MANY, LIMIT_S),), "Kaplan-Meier + log-rank": ((MANY, LIMIT_S),)}
    rows = []
    for name, taken in found.items():
        rows += Growth(name, "patients", tuple(sizes), tuple(taken), limits.get(name, ())).rows()
    return rows


def filter_p95(cohort: Cohort, repeats: int = SELECTIONS) -> float:
    """The slowest twentieth of selections as a reader makes them: what is left, each filter's count, the outcomes."""
    random, taken = np.random.default_rng(0), []
    for _ in range(repeats):
        selection = Selection(_filters(cohort, random))
        started = perf_counter()
        rows = np.flatnonzero(selection.apply(cohort).mask)
        if len(rows):
            make_outcome(cohort, rows)
        taken.append(perf_counter() - started)
    return float(np.quantile(taken, 0.95))


def _filters(cohort: Cohort, random: np.random.Generator) -> tuple[Filter, ...]:
    """An age range, some values of two columns of words, and a modality."""
    low, high = sorted(random.uniform(45, 80, 2).tolist())
    words = [c for c in cohort.columns(Role.INPUT) if not pd.api.types.is_numeric_dtype(cohort.patients[c])][:2]
    kept: list[Filter] = [RangeFilter("age", low, high + 10)]
    for column in words:
        values = sorted(cohort.patients[column].dropna().unique().tolist())
        kept.append(CategoryFilter(column, tuple(str(v) for v in values[: max(1, len(values) - 1)])))
    return (*kept, ModalityFilter("genomics"))


def curves_and_test(cohort: Cohort) -> None:
    """A curve for every stage, and the test over all of them."""
    endpoint = cohort.endpoint()
    known = endpoint.known
    time, event = endpoint.time[known], endpoint.event[known]
    group = cohort.patients[GROUP].astype(str).to_numpy()[known]
    for name in np.unique(group):
        kaplan_meier(time[group == name], event[group == name])
    logrank_test(time, event, group)


def page_figures(cohort: Cohort) -> None:
    """What the Survival and the Cohort page compute: groups with all their numbers, a figure, every column's chart."""
    everybody = np.ones(len(cohort), dtype=bool)
    outcome = make_outcome(cohort, np.arange(len(cohort)))
    grouping = column_groups(outcome, cohort, GroupBy(Source.COLUMN, GROUP))
    result = analyse_groups(outcome, grouping, SurvivalOptions())
    survival_figure(result, "Overall survival by stage", synthetic=True).to_json()
    for column in chartable_columns(cohort):
        summarise(cohort, column, everybody)


def import_seconds(cohort: Cohort, genes: int = 0) -> float:
    """Seconds to import the cohort's clinical table from CSV into an empty workspace, once.

    ``genes`` columns of random numbers stand beside it.
    """
    with tempfile.TemporaryDirectory(prefix="prognoscope-bench-") as folder:
        path = Path(folder) / "patients.csv"
        write_table(cohort, path, genes)
        started = perf_counter()
        import_into(
            Workspace(Path(folder) / "workspace"), path, "bench", format="table",
            columns={"id": "case", "time": "months", "event": "dead"},
        )  # fmt: skip
        return perf_counter() - started


def write_table(cohort: Cohort, path: Path, genes: int = 0) -> None:
    """The clinical columns with the default outcome as ``case``, ``months``, ``dead``, and random genes."""
    endpoint = cohort.endpoint()
    table = cohort.patients.reset_index(drop=True)
    front = pd.DataFrame({"case": cohort.ids, "months": endpoint.time, "dead": endpoint.event.astype(int)})
    parts = [front, table]
    if genes:
        values = np.random.default_rng(0).normal(size=(len(cohort), genes)).astype(np.float32)
        parts.append(pd.DataFrame(values, columns=[f"GENE{i:05d}_rnaseq" for i in range(genes)]))
    pd.concat(parts, axis=1).to_csv(path, index=False, float_format="%.4f")
