"""The GDC portal's ``clinical.tsv``: one line a case (newer exports: a treatment), ``--`` for missing, age in days."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from core.arrays import FloatArray, IntArray
from core.cohort.cohort import Role
from core.cohort.importers.clinical_words import grade, sex, stage
from core.cohort.importers.draft import ClinicalTable, Draft, first_rows
from core.cohort.importers.narrow_table import NarrowTable, read_narrow
from core.cohort.importers.tcga_slides import CASE, Columns, disagreeing, make_endpoint, number_column
from core.cohort.importers.values import as_objects, outcome_codes, times, words
from core.cohort.importers.wide_table import read_header
from core.cohort.wording import plural
from core.errors import PrognoscopeError

FORMAT = "gdc-clinical"
DAYS_PER_MONTH = 30.44
DAYS_PER_YEAR = 365.25
VITAL = {"Alive": "censored", "alive": "censored", "Dead": "event", "dead": "event"}
ID_COLUMNS = ("case_submitter_id", "submitter_id", "cases.submitter_id")
_WORDS = {"race": "race", "ethnicity": "ethnicity", "primary_diagnosis": "histology", "project_id": "project"}


def id_column(header: Sequence[str]) -> str | None:
    """The column with the case id of a GDC export of whatever age, or None when it is not one."""
    names = {_bare(c) for c in header}
    if not {"vital_status", "days_to_death"} <= names:
        return None
    return next((c for c in ID_COLUMNS if c in header), None)


def _find_file(path: Path) -> Path:
    if path.is_file():
        return path
    found = [p for p in sorted(path.glob("*.tsv")) if id_column(read_header(p))]
    if len(found) != 1:
        raise PrognoscopeError(
            f"{len(found)} GDC clinical tables instead of one", path.name, "give the path of the file"
        )
    return found[0]


def _bare(column: str) -> str:
    """``"demographic.vital_status"`` (newer exports) → ``"vital_status"``."""
    return column if column in ID_COLUMNS else column.rpartition(".")[2]


def read_gdc_clinical(
    path: Path, events: Mapping[str, str] | None = None, only: Collection[str] | None = None
) -> ClinicalTable:
    """Clinical columns and overall survival of a GDC ``clinical.tsv``.

    Parameters
    ----------
    path : Path
        The file, or the folder it lies in.
    events : mapping, optional
        Meaning of each ``vital_status``; alive = censored and dead = event when it is not given.
    only : collection of case ids, optional
        Other cases are not looked at, so that every count is about these.
    """
    file = _find_file(path)
    raw = read_narrow(file)
    identity = id_column(list(raw.columns))
    if identity is None:
        raise PrognoscopeError("no GDC clinical columns", file.name, "export 'clinical' as TSV from the GDC portal")
    if only is not None:
        raw = raw.keep([r for r, i in enumerate(raw[identity]) if i.strip() in only])
    table = NarrowTable(raw.name, {_bare(c): v for c, v in reversed(raw.columns.items())}, raw.warnings)
    ids = [i.strip() for i in raw[identity]]
    rows = first_rows(ids)
    months, codes = _survival(table, events or VITAL)
    number = {ids[r]: k for k, r in enumerate(rows)}
    two = disagreeing(np.array([number[i] for i in ids]), months, codes)
    if len(two):
        raise PrognoscopeError(
            f"{plural(len(two), 'patient')} with two different outcomes", file.name, "keep one outcome a patient"
        )
    one = table.keep([int(r) for r in rows])
    columns = _columns(one, [ids[r] for r in rows])
    frame = pd.DataFrame(columns.frame)
    frame.index = pd.Index([ids[r] for r in rows], dtype=object)
    endpoint = make_endpoint("OS", "Overall survival", months[rows], codes[rows])
    warnings = (*table.warnings, *columns.warnings)
    return ClinicalTable(frame, columns.roles, {"OS": endpoint}, columns.units, {}, (file,), warnings)


def read_gdc(path: Path, events: Mapping[str, str] | None = None) -> Draft:
    """A GDC ``clinical.tsv`` as a cohort of its own."""
    table = read_gdc_clinical(path, events)
    return Draft(
        format=FORMAT,
        title="GDC clinical data",
        ids=tuple(table.frame.index),
        patients=table.frame.reset_index(drop=True),
        roles=table.roles,
        endpoints=table.endpoints,
        units=table.units,
        files=table.files,
        warnings=table.warnings,
    )


def _survival(table: NarrowTable, events: Mapping[str, str]) -> tuple[FloatArray, IntArray]:
    """Months (days / 30.44) to death or to the last follow-up, and the outcome code."""
    codes, unknown = outcome_codes(table["vital_status"], events, "vital_status", table.name)
    death = times(table["days_to_death"], "days_to_death", table.name)
    last = times(table.get("days_to_last_follow_up"), "days_to_last_follow_up", table.name)
    days = np.where(codes == 1, death, last)
    return np.where(unknown, np.nan, days) / DAYS_PER_MONTH, codes


def _columns(table: NarrowTable, ids: list[str]) -> Columns:
    found = Columns()
    age = number_column(table.get("age_at_diagnosis"), "age", found.warnings) / DAYS_PER_YEAR
    found.add("age", age.round(1), Role.INPUT, "years")
    found.add("sex", sex(table.get("gender")), Role.INPUT)
    staged = "tumor_stage" if "tumor_stage" in table else "ajcc_pathologic_stage"
    found.add("stage", stage(table.get(staged)), Role.INPUT)
    found.add("grade", grade(table.get("tumor_grade")), Role.INPUT)
    for source, name in _WORDS.items():
        found.add(name, words(table.get(source)), Role.DESCRIPTION)
    sites = [m["site"] if (m := CASE.match(i)) else None for i in ids]
    found.add("site", as_objects(sites), Role.SITE)
    for empty in [c for c, v in found.frame.items() if v.isna().all()]:
        del found.frame[empty], found.roles[empty]
    return found
