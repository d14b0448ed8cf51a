"""Any one table, a line a patient (or a slide), with the columns named by the user.

``columns`` maps: ``id``, ``time`` and ``event`` (both once, or ``time:NAME`` and ``event:NAME`` for several
endpoints), ``entry``, ``time_unit`` (months, days, weeks or years), ``site``, and comma-separated lists
``input``, ``marker`` and ``drop``.
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
from core.errors import PrognoscopeError

FORMAT = "table"
EVENTS = {"0": "censored", "1": "event"}
PER_MONTH = {"months": 1.0, "days": 30.4375, "weeks": 4.348214, "years": 1 / 12}
_INPUTS = ("age", "sex", "gender", "stage", "grade")
_LABELS = {
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
    """
    names = _endpoint_names(columns, path.name)
    table = read_wide(path, columns["id"], lambda c: c.endswith(GENE_SUFFIXES), progress)
    unit = columns.get("time_unit", "months")
    if unit not in PER_MONTH:
        raise PrognoscopeError(f"the time unit {unit!r}", path.name, f"use one of {', '.join(PER_MONTH)}")
    endpoints = {
        name: _endpoint(table, name, suffix, columns, events or EVENTS, unit, path.name)
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
        warnings=(*table.warnings, *(gene_warnings(genes) if genes else ())),
    )


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


def _endpoint(
    table: WideTable,
    name: str,
    suffix: str,
    columns: Mapping[str, str],
    events: Mapping[str, str],
    unit: str,
    where: str,
) -> Endpoint:
    time, event = columns[f"time{suffix}"], columns[f"event{suffix}"]
    plain = endpoint_of(table, time, event, name, _LABELS.get(name, name), events, where)
    entry: FloatArray = np.zeros(len(table.ids))
    if "entry" in columns:
        entry = np.nan_to_num(times(table.first(columns["entry"]), columns["entry"], where)) / PER_MONTH[unit]
    zero = columns.get("time_zero", "entry into the study")
    return replace(plain, entry=entry, time=plain.time / PER_MONTH[unit], time_zero=zero)


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
    if name in inputs or (name.lower() in _INPUTS and name not in markers):
        return Role.INPUT
    return Role.MARKER if name in markers or number else Role.DESCRIPTION


def _listed(columns: Mapping[str, str], key: str) -> set[str]:
    return {c.strip() for c in columns.get(key, "").split(",") if c.strip()}
