"""What the Cohort page counts: modality combinations, column summaries, the patients table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.analysis.grouping import is_numeric
from core.arrays import BoolArray, FloatArray, IntArray
from core.cohort.cohort import Cohort, Role
from core.cohort.selection import MISSING, ModalityFilter

MOST_CATEGORIES = 12
BINS = 16
NO_MODALITY = "none"


@dataclass(frozen=True)
class ModalityPattern:
    """Patients with exactly these modalities: ``selected`` of ``total`` in the cohort."""

    modalities: tuple[str, ...]
    selected: int
    total: int

    @property
    def code(self) -> str:
        """The combination as one word, for events of a chart."""
        return "+".join(self.modalities) or NO_MODALITY

    @property
    def words(self) -> str:
        return " + ".join(self.modalities) or "no modality"


@dataclass(frozen=True, eq=False)
class ColumnSummary:
    """Counts of one column among the selected and among all patients.

    ``names`` are the categories (empty for numbers), ``edges`` the bin edges (empty for categories); ``selected`` and
    ``total`` are counts for each. ``missing`` counts selected patients without a value.
    """

    column: str
    label: str
    unit: str
    numeric: bool
    names: tuple[str, ...]
    edges: FloatArray
    selected: IntArray
    total: IntArray
    n: int
    missing: int
    median: float | None
    quartiles: tuple[float, float] | None


def modality_patterns(cohort: Cohort, selected: BoolArray) -> tuple[ModalityPattern, ...]:
    """Every combination of modalities that occurs, the most frequent first."""
    table = cohort.availability.to_numpy(dtype=bool)
    names = [str(c) for c in cohort.availability.columns]
    code = table @ (1 << np.arange(table.shape[1], dtype=np.int64)) if table.size else np.zeros(len(cohort), np.int64)
    values, inverse = np.unique(code, return_inverse=True)
    total = np.bincount(inverse, minlength=len(values))
    chosen = np.bincount(inverse[selected], minlength=len(values))
    order = np.argsort(-total, kind="stable")
    return tuple(
        ModalityPattern(
            tuple(n for bit, n in enumerate(names) if int(values[i]) >> bit & 1), int(chosen[i]), int(total[i])
        )
        for i in order
    )


def modality_filters(cohort: Cohort, code: str) -> tuple[ModalityFilter, ...]:
    """Filters that leave exactly the combination of a :attr:`ModalityPattern.code`."""
    wanted = set() if code == NO_MODALITY else set(code.split("+"))
    return tuple(ModalityFilter(str(name), str(name) in wanted) for name in cohort.availability.columns)


def chartable_columns(cohort: Cohort) -> tuple[str, ...]:
    """Columns worth a chart: numbers, and categories with 2 to :data:`MOST_CATEGORIES` values; the cancer first, then
    inputs."""
    order = (Role.CANCER, Role.INPUT, Role.MARKER, Role.DESCRIPTION, Role.SITE)
    found = [c for role in order for c in cohort.columns(role)]
    counts = {c: int(cohort.patients[c].nunique()) for c in found}
    cancers = cohort.columns(Role.CANCER)  # however many there are
    return tuple(
        c for c in found if is_numeric(cohort, c) or (counts[c] >= 2 and (c in cancers or counts[c] <= MOST_CATEGORIES))
    )


def summarise(cohort: Cohort, column: str, selected: BoolArray) -> ColumnSummary:
    """Counts of one column, in the selection and in the whole cohort."""
    values = cohort.patients[column]
    numeric = is_numeric(cohort, column)
    shared = {"column": column, "label": cohort.label(column), "unit": cohort.units.get(column, "")}
    n, missing = int(selected.sum()), int(values[selected].isna().sum())
    if not numeric:
        text = _as_words(values)
        counts, chosen = text.value_counts(), text[selected].value_counts()
        most = len(counts) if cohort.roles[column] is Role.CANCER else MOST_CATEGORIES + 1
        names = tuple(sorted(counts.index[:most], key=lambda name: (name == MISSING, name)))
        return ColumnSummary(
            **shared, numeric=False, names=names, edges=np.zeros(0),
            selected=np.array([int(chosen.get(k, 0)) for k in names]), total=np.array([int(counts[k]) for k in names]),
            n=n, missing=missing, median=None, quartiles=None,
        )  # fmt: skip
    numbers = pd.to_numeric(values).to_numpy(dtype=float, na_value=np.nan)
    known = np.isfinite(numbers)
    edges = np.histogram_bin_edges(numbers[known], bins=BINS)
    inside = numbers[known & selected]
    middle = np.quantile(inside, [0.25, 0.5, 0.75]) if len(inside) else None
    return ColumnSummary(
        **shared, numeric=True, names=(), edges=edges,
        selected=np.histogram(inside, edges)[0], total=np.histogram(numbers[known], edges)[0], n=n, missing=missing,
        median=None if middle is None else float(middle[1]),
        quartiles=None if middle is None else (float(middle[0]), float(middle[2])),
    )  # fmt: skip


def _as_words(values: pd.Series) -> pd.Series:
    """Categories as a filter writes them: ``2.0`` is "2", an empty cell has its own word."""
    words = {v: f"{v:g}" if isinstance(v, float) else str(v) for v in values.dropna().unique()}
    text: pd.Series = values.map(words).astype(object).where(values.notna(), MISSING)
    return text


def column_statistics(cohort: Cohort, columns: Sequence[str], selected: BoolArray) -> pd.DataFrame:
    """One row a column: known and missing, median and quartiles or the most frequent value, among the selected."""
    rows = []
    for column in columns:
        values = cohort.patients[column][selected]
        known = values.dropna()
        row: dict[str, object] = {
            "Column": cohort.label(column),
            "Unit": cohort.units.get(column, ""),
            "Use": str(cohort.roles[column]),
        }
        row |= {"Known": len(known), "Missing": len(values) - len(known)}
        if is_numeric(cohort, column) and len(known):
            low, middle, high = np.quantile(pd.to_numeric(known).to_numpy(dtype=float), [0.25, 0.5, 0.75])
            row["Typical value"] = f"{middle:.4g} ({low:.4g} to {high:.4g})"
        elif len(known):
            counts = known.astype("string").value_counts()
            row["Typical value"] = f"{counts.index[0]} ({int(counts.iloc[0])})"
        else:
            row["Typical value"] = "–"
        rows.append(row)
    return pd.DataFrame(rows)


def patients_table(cohort: Cohort, selected: BoolArray, endpoint: str | None) -> pd.DataFrame:
    """The selected patients: pseudonym, outcome in words, clinical columns, which modalities each has."""
    rows = np.flatnonzero(selected)
    outcome = cohort.endpoint(endpoint).take(rows)
    words = np.array(["censored", outcome.event_label, outcome.competing_label or "competing event"], dtype=object)
    table = cohort.patients.iloc[rows].rename(columns=cohort.label)
    have = cohort.availability.iloc[rows]
    front = pd.DataFrame(
        {
            "Patient": table.index,
            f"{outcome.name} months": np.round(outcome.time, 1),
            f"{outcome.name} status": np.where(outcome.known, words[outcome.codes], "unknown"),
        },
        index=table.index,
    )
    back = pd.DataFrame({str(c): have[c].to_numpy(dtype=bool) for c in have.columns}, index=table.index)
    return pd.concat([front, table, back.add_prefix("has ")], axis=1).reset_index(drop=True)
