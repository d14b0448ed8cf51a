"""What the TCGA tables of several projects share: one line a slide, inverted censoring, case ids that name the site."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from core.arrays import FloatArray, IntArray
from core.cohort.cohort import Role
from core.cohort.endpoint import Endpoint
from core.cohort.importers.draft import GeneTable
from core.cohort.importers.values import numbers, outcome_codes, times, words
from core.cohort.importers.wide_table import WideTable
from core.cohort.wording import plural
from core.errors import PrognoscopeError

CASE = re.compile(r"TCGA-(?P<site>[A-Z0-9]{2})-[A-Z0-9]{4}")
CENSORSHIP = {"0": "event", "1": "censored"}
TIME_ZERO = "diagnosis"
GENE_SUFFIXES = ("_rnaseq", "_cnv", "_mut")
GENE_UNITS = {"rnaseq": "z-score", "cnv": "copy-number call", "mut": "0/1"}
NUMERIC_INPUTS = {"age": "years"}
WORD_INPUTS = ("stage", "grade")
IGNORED = ("case_id", "slide_id", "train")
EXTREME = 100.0


@dataclass
class Columns:
    """Columns of the patients table as they are collected, with what was repaired on the way."""

    frame: dict[str, pd.Series] = field(default_factory=dict)
    roles: dict[str, Role] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def add(self, name: str, values: pd.Series, role: Role, unit: str = "") -> None:
        """Add one column."""
        self.frame[name] = values.reset_index(drop=True)
        self.roles[name] = role
        if unit:
            self.units[name] = unit


def endpoint_of(
    table: WideTable, time: str, censorship: str, name: str, label: str, events: Mapping[str, str], where: str
) -> Endpoint:
    """One endpoint of a slide-level table; raises when a patient's lines disagree about it.

    Parameters
    ----------
    time, censorship : str
        Columns; months, and a code that ``events`` maps to censored / event / competing.
    """
    for column in (time, censorship):
        if column not in table.columns:
            raise PrognoscopeError(f"no column {column!r}", where, "check the table or force another --format")
    months = times(table.columns[time], time, where)
    codes, unknown = outcome_codes(table.columns[censorship], events, censorship, where)
    months = np.where(unknown, np.nan, months)
    two = disagreeing(table.patient, months, codes)
    if len(two):
        lines = ", ".join(str(i) for i in _lines_of(table.patient, int(two[0])))
        raise PrognoscopeError(
            f"{plural(len(two), 'patient')} with two different {name} outcomes (the first on lines {lines})",
            where,
            "correct the table so that all lines of a patient agree",
        )
    rows = np.unique(table.patient, return_index=True)[1]
    return make_endpoint(name, label, months[rows], codes[rows])


def make_endpoint(name: str, label: str, months: FloatArray, codes: IntArray, competing_label: str = "") -> Endpoint:
    """An endpoint counted from diagnosis, without delayed entry. Unknown times carry no event."""
    known = np.isfinite(months)
    competing = known & (codes == 2)
    return Endpoint(
        name, label, TIME_ZERO, np.zeros(len(months)), months, known & (codes == 1), competing,
        event_label={"OS": "death", "DSS": "death of the disease"}.get(name, "event"),
        competing_label=(competing_label or "competing event") if competing.any() else "",
    )  # fmt: skip


def disagreeing(patient: IntArray, months: FloatArray, codes: IntArray) -> IntArray:
    """Patients whose lines carry different outcomes."""
    frame = pd.DataFrame({"p": patient, "t": np.nan_to_num(months, nan=-1.0), "c": codes})
    groups = frame.groupby("p")
    several = (groups["t"].nunique() > 1) | (groups["c"].nunique() > 1)
    found: IntArray = several.index[several].to_numpy(dtype=np.int64)
    return found


def _lines_of(patient: IntArray, which: int) -> IntArray:
    rows: IntArray = np.flatnonzero(patient == which) + 2
    return rows


def descriptive_columns(table: WideTable, outcome_columns: set[str]) -> Columns:
    """Patients table of a slide-level file: age, sex, stage, grade, site, slide count and whatever else it holds."""
    found = Columns()
    for name in table.columns:
        if name in outcome_columns or name in IGNORED:
            continue
        cells = table.first(name)
        if name == "is_female":
            found.add("sex", _sex(cells, found.warnings), Role.INPUT)
        elif name == "site":
            found.add("site", repaired_sites(cells, table.ids, found.warnings), Role.SITE)
        elif name in NUMERIC_INPUTS:
            found.add(name, number_column(cells, name, found.warnings), Role.INPUT, NUMERIC_INPUTS[name])
        else:
            found.add(name, _any_column(cells), Role.INPUT if name in WORD_INPUTS else Role.DESCRIPTION)
        _note_variation(table, name, found.warnings)
    if "slide_id" in table.columns:
        counts = np.bincount(table.patient, minlength=len(table.ids))
        found.add("slides", pd.Series(counts.astype(np.int64)), Role.DESCRIPTION)
        extra = int((counts > 1).sum())
        if extra:
            found.warnings.append(
                f"{plural(extra, 'patient')} with several lines (one a slide, {len(table.patient):,} in all): "
                "joined to one."
            )
    return found


def _sex(cells: list[str], warnings: list[str]) -> pd.Series:
    values, unreadable = numbers(cells)
    wrong = unreadable | (np.isfinite(values) & ~np.isin(values, (0, 1)))
    if wrong.any():
        warnings.append(f"{plural(int(wrong.sum()), 'value')} of is_female neither 0 nor 1: set missing.")
    named = np.where(values == 1, "female", "male").astype(object)
    named[wrong | ~np.isfinite(values)] = None
    return pd.Series(named, dtype=object)


def number_column(cells: list[str], name: str, warnings: list[str]) -> pd.Series:
    """Cells as numbers; what is neither one nor a missing mark is set missing and counted."""
    values, unreadable = numbers(cells)
    if unreadable.any():
        warnings.append(f"{plural(int(unreadable.sum()), 'value')} of {name} not a number: set missing.")
    return pd.Series(values)


def _any_column(cells: list[str]) -> pd.Series:
    """Numbers where every filled cell is one, words otherwise."""
    values, unreadable = numbers(cells)
    return words(cells) if unreadable.any() or not np.isfinite(values).any() else pd.Series(values)


def _note_variation(table: WideTable, name: str, warnings: list[str]) -> None:
    if len(table.patient) == len(table.ids):
        return
    distinct = pd.DataFrame({"p": table.patient, "v": table.columns[name]}).groupby("p")["v"].nunique()
    if (distinct > 1).any():
        count = int((distinct > 1).sum())
        warnings.append(f"{plural(count, 'patient')} with several values of {name}: the first was kept.")


def repaired_sites(cells: list[str], ids: tuple[str, ...], warnings: list[str]) -> pd.Series:
    """Site codes; where a spreadsheet ate a leading zero, the code in the case id restores it.

    ``"2"`` becomes ``"02"`` for TCGA-02-0047. A code that contradicts the case id is kept and counted.
    """
    sites: list[str | None] = []
    restored = contradicting = 0
    for cell, original in zip(words(cells), ids, strict=True):
        match = CASE.match(original)
        code = match["site"] if match else None
        plain = None if cell is None else cell.removesuffix(".0")
        if code is None or plain == code:
            sites.append(plain)
        elif plain is None or plain.zfill(2) == code:
            sites.append(code)
            restored += 1
        else:
            sites.append(plain)
            contradicting += 1
    if restored:
        warnings.append(f"{plural(restored, 'site')} without the leading zero: restored from the case id.")
    if contradicting:
        warnings.append(f"{plural(contradicting, 'site')} different from the case id: kept as given.")
    return pd.Series(sites, dtype=object)


def gene_warnings(genes: GeneTable) -> list[str]:
    """Counts of columns that carry nothing and of values far outside a z-score's range; both are kept."""
    values = genes.values
    low, high = np.fmin.reduce(values, axis=0), np.fmax.reduce(values, axis=0)
    with np.errstate(invalid="ignore"):
        constant, empty = int((low == high).sum()), int(np.isnan(low).sum())
        rna = np.array([c.endswith("_rnaseq") for c in genes.columns])
        extreme = int((np.fmax(np.abs(low), np.abs(high))[rna] > EXTREME).sum())
    found = []
    if constant:
        found.append(f"{plural(constant, 'gene column')} with one value for every patient: kept.")
    if empty:
        found.append(f"{plural(empty, 'gene column')} without any value: kept.")
    if extreme and genes.units.get("rnaseq") == "z-score":
        found.append(f"{plural(extreme, 'gene column')} with a z-score beyond ±{EXTREME:.0f}: kept as given.")
    return found


def study_title(path: Path) -> str:
    """``TCGA-BLCA`` for any file or folder name that says so."""
    match = re.search(r"tcga[_-]([a-z]+)", path.name.lower())
    return f"TCGA-{match[1].upper()}" if match else path.name.partition(".")[0]
