"""Any one table, a line a patient (or a slide), with the columns named by the user.

``columns`` maps: ``id``, ``time`` and ``event`` (both once, or ``time:NAME`` and ``event:NAME`` for several
endpoints), ``entry``, ``time_unit`` (months, days, weeks or years), ``site``, and comma-separated lists
``input``, ``marker`` and ``drop`` (separated by line ends where a name holds a comma). ``event_label`` and
``competing_label``, once or with ``:NAME``, are the words for what the two kinds of event are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from core.arrays import FloatArray
from core.cohort.cohort import Role
from core.cohort.endpoint import Endpoint
from core.cohort.importers.clinical_words import sex
from core.cohort.importers.draft import Draft, GeneTable, Progress, silent
from core.cohort.importers.tcga_slides import GENE_SUFFIXES, GENE_UNITS, endpoint_of, gene_warnings
from core.cohort.importers.values import numbers, times, words
from core.cohort.importers.wide_table import WideTable, read_wide
from core.cohort.wording import plural
from core.errors import PrognoscopeError

FORMAT = "table"
EVENTS = {"0": "censored", "1": "event"}
ONCE = ("id", "time", "event", "entry", "time_unit", "time_zero", "event_label", "competing_label", "site")
WORDS = ("time_unit", "time_zero", "event_label", "competing_label")
"""Roles whose value is a word, not the name of a column."""
LISTS = ("input", "marker", "drop")
LONGEST = 600.0
"""Months; a follow-up of more than fifty years is more likely a wrong unit."""
PER_MONTH = {"months": 1.0, "days": 30.4375, "weeks": 4.348214, "years": 1 / 12}
INPUTS = ("age", "sex", "gender", "stage", "grade")
LABELS = {
    "OS": "Overall survival", "RFS": "Recurrence-free survival", "DFS": "Disease-free survival",
    "PFS": "Progression-free survival", "DSS": "Disease-specific survival",
}  # fmt: skip


def read_table(
    path: Path,
    columns: Mapping[str, str],
    events: Mapping[str, str] | None = None,
    progress: Progress = silent,
) -> Draft:
    """Read one table under the user's mapping.

    Parameters
    ----------
    columns : mapping
        See the module; ``id``, ``time`` and ``event`` are required.
    events : mapping, optional
        Meaning of each event code; 0 = censored and 1 = event when it is not given. Any other code is refused.
        ``COLUMN:CODE`` instead of ``CODE`` speaks of that event column alone.
    """
    names = _endpoint_names(columns, path.name)
    table = read_wide(path, columns["id"], lambda c: c.endswith(GENE_SUFFIXES), progress)
    unit = columns.get("time_unit", "months")
    if unit not in PER_MONTH:
        raise PrognoscopeError(f"the time unit {unit!r}", path.name, f"use one of {', '.join(PER_MONTH)}")
    _check_columns(table, columns, path.name)
    entry = _entry(table, columns, path.name) / PER_MONTH[unit]
    endpoints = {
        name: _endpoint(table, name, suffix, columns, events or EVENTS, entry, path.name)
        for name, suffix in names.items()
    }
    frame, roles = _patients(table, columns)
    genes = None
    if table.gene_columns:
        kinds = {c.rpartition("_")[2] for c in table.gene_columns}
        genes = GeneTable(table.genes, table.gene_columns, {k: u for k, u in GENE_UNITS.items() if k in kinds})
    return Draft(
        format=FORMAT,
        title=path.name.partition(".")[0],
        ids=table.ids,
        patients=frame,
        roles=roles,
        endpoints=endpoints,
        genes=genes,
        files=(path,),
        warnings=(
            *table.warnings, *_time_warnings(endpoints, entry, unit), *(gene_warnings(genes) if genes else ()),
        ),
    )  # fmt: skip


def _endpoint_names(columns: Mapping[str, str], where: str) -> dict[str, str]:
    """Endpoint name → suffix of its keys (empty for the plain ``time`` and ``event``)."""
    names = {"OS": ""} if "time" in columns else {}
    names |= {k.partition(":")[2]: k[4:] for k in columns if k.startswith("time:")}
    complete = "id" in columns and names and all(f"event{s}" in columns for s in names.values())
    if not complete:
        raise PrognoscopeError(
            "a table of no known study format",
            where,
            "say which columns are the patient id, the time and the event (id=, time=, event=)",
        )
    return names


def _check_columns(table: WideTable, columns: Mapping[str, str], where: str) -> None:
    """Refuse a role nobody reads and a column the table lacks: what is misspelt must not be passed over."""
    for role, named in columns.items():
        if role not in (*ONCE, *LISTS) and role.partition(":")[0] not in ("time", "event", *WORDS[2:]):
            known = ", ".join((*ONCE, *LISTS))
            raise PrognoscopeError(f"no column role named {role!r}", "--column", f"use one of {known}, time:NAME")
        if role.partition(":")[0] in WORDS:
            continue
        wanted = _listed(columns, role) if role in LISTS else {named}
        missing = sorted(wanted - table.columns.keys() - set(table.gene_columns))
        if missing:
            raise PrognoscopeError(f"no column {missing[0]!r}", where, f"check what --column {role}= names")


def _entry(table: WideTable, columns: Mapping[str, str], where: str) -> FloatArray:
    """(n,) when observation began, in the table's unit: 0 where nobody enters late, NaN where it is not known."""
    if "entry" not in columns:
        return np.zeros(len(table.ids))
    return times(table.first(columns["entry"]), columns["entry"], where)


def _endpoint(
    table: WideTable,
    name: str,
    suffix: str,
    columns: Mapping[str, str],
    events: Mapping[str, str],
    entry: FloatArray,
    where: str,
) -> Endpoint:
    """One endpoint; whoever entered at an unknown time has an unknown outcome, not one counted from time zero."""
    time, event = columns[f"time{suffix}"], columns[f"event{suffix}"]
    plain = endpoint_of(table, time, event, name, LABELS.get(name, name), _codes_of(event, events), where)
    unknown = np.isnan(entry)
    return replace(
        plain,
        entry=np.where(unknown, 0.0, entry),
        time=np.where(unknown, np.nan, plain.time / PER_MONTH[columns.get("time_unit", "months")]),
        event=plain.event & ~unknown,
        competing=plain.competing & ~unknown,
        time_zero=columns.get("time_zero", "entry into the study"),
        event_label=columns.get(f"event_label{suffix}", plain.event_label),
        competing_label=columns.get(f"competing_label{suffix}", plain.competing_label) if plain.has_competing else "",
    )


def _codes_of(column: str, events: Mapping[str, str]) -> dict[str, str]:
    """The codes of one event column: those said for it alone, and those said for all columns."""
    own = {code.removeprefix(f"{column}:"): m for code, m in events.items() if code.startswith(f"{column}:")}
    return own or dict(events)


def _time_warnings(endpoints: Mapping[str, Endpoint], entry: FloatArray, unit: str) -> list[str]:
    """Counts of unknown entries, and times too long for their unit."""
    found = []
    if np.isnan(entry).any():
        found.append(f"{plural(int(np.isnan(entry).sum()), 'patient')} without an entry time: outcome unknown.")
    for name, endpoint in endpoints.items():
        longest = float(np.nanmax(endpoint.time, initial=0.0))
        if longest > LONGEST:
            found.append(
                f"{name} times reach {longest:,.0f} months ({longest / 12:,.0f} years): they were read as {unit}; "
                "name the true unit with time_unit= if that is wrong."
            )
    return found


def _patients(table: WideTable, columns: Mapping[str, str]) -> tuple[pd.DataFrame, dict[str, Role]]:
    used = {v for k, v in columns.items() if k.partition(":")[0] in ("id", "time", "event", "entry")}
    used |= _listed(columns, "drop")
    inputs, markers = _listed(columns, "input"), _listed(columns, "marker")
    frame: dict[str, pd.Series] = {}
    roles: dict[str, Role] = {}
    for name in table.columns:
        if name in used:
            continue
        cells = table.first(name)
        values, unreadable = numbers(cells)
        number = not unreadable.any() and bool(np.isfinite(values).any())
        frame[name] = pd.Series(values) if number else words(cells)
        if name.lower() in ("sex", "gender") and not number:
            frame[name] = sex(cells)
        roles[name] = _role(name, number, columns, inputs, markers)
    return pd.DataFrame(frame, index=range(len(table.ids))), roles


def _role(name: str, number: bool, columns: Mapping[str, str], inputs: set[str], markers: set[str]) -> Role:
    """What the user said; otherwise age, sex, stage and grade are inputs and other numbers markers."""
    if columns.get("site") == name:
        return Role.SITE
    if name in inputs or (name.lower() in INPUTS and name not in markers):
        return Role.INPUT
    return Role.MARKER if name in markers or number else Role.DESCRIPTION


def _listed(columns: Mapping[str, str], key: str) -> set[str]:
    names = columns.get(key, "")
    return {c.strip() for c in names.split("\n" if "\n" in names else ",") if c.strip()}
