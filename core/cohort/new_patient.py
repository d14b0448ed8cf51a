"""A new patient: a study folder of one line (or a few), without an outcome, read under the columns of a known cohort.

The folder is that of an import (:mod:`core.cohort.importers.folder`): ``patients.csv`` with a column ``id`` and the
cohort's columns by name or words, ``SYMBOL_kind`` columns of genes, and folders of slides, scans and reports. A unit
may stand in brackets, ``albumin [g/L]``; a column without one is taken to be in the cohort's unit.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from core.cohort.assembling import Imported, ReadFolds, assemble, match_genes
from core.cohort.cohort import Cohort, Role
from core.cohort.endpoint import Endpoint
from core.cohort.importers.clinical_words import sex
from core.cohort.importers.draft import Draft, GeneTable, Progress, silent
from core.cohort.importers.folder import patients_table, with_media
from core.cohort.importers.report_tables import join_reports, read_reports
from core.cohort.importers.tcga_slides import GENE_SUFFIXES
from core.cohort.importers.values import numbers, words
from core.cohort.importers.wide_table import WideTable, read_header, read_wide
from core.cohort.report_findings import Identifying
from core.errors import PrognoscopeError

ID, REPORTS, FORMAT = "id", "reports.csv", "new patient"
MOST_PATIENTS = 20
"""A longer list is a cohort and is imported as one."""
_UNIT = re.compile(r"^(?P<name>.*?)\s*\[(?P<unit>[^\]]+)\]\s*$")
_OUTCOMES = ("time", "event", "entry", "status")


def read_new_patient(
    folder: Path,
    base: Cohort,
    name: str,
    title: str,
    secret: bytes,
    gene_units: Mapping[str, str] | None = None,
    progress: Progress = silent,
) -> Imported:
    """Read the patients of a folder as a small cohort without outcomes.

    Parameters
    ----------
    folder : Path
    base : Cohort
        The cohort whose columns, units, roles and endpoints the table is read under.
    name, title : str
        Of the small cohort.
    secret : bytes
        Key of the pseudonyms.
    gene_units : mapping of kind to unit, optional
        The base's units when not given.

    Raises
    ------
    PrognoscopeError
        For a folder without a readable table, or one with more than :data:`MOST_PATIENTS` patients.
    """
    path = patients_table(folder)
    if path is None:
        raise PrognoscopeError("no patients.csv", "the new patient's folder", "add a table with one line a patient")
    if ID not in read_header(path):
        raise PrognoscopeError("no column id", path.name, "add a column id; it is replaced by a pseudonym")
    known = set(base.genomics.columns) if base.genomics is not None else set[str]()
    table = read_wide(path, ID, lambda c: c in known or c.endswith(GENE_SUFFIXES), progress)
    if len(table.ids) > MOST_PATIENTS:
        raise PrognoscopeError(f"{len(table.ids):,} patients", path.name, "import them as a cohort, then score it")
    draft = replace(with_media(_draft(table, base, path, title, gene_units), folder, progress), format=FORMAT)
    if (folder / REPORTS).is_file():
        draft = join_reports(draft, read_reports(folder / REPORTS))
    # nobody looks at one patient's report before it is read: what may identify is blanked, and said
    return assemble(draft, name, match_genes(draft, None), ReadFolds({}), secret, Identifying.BLANK)


def _draft(table: WideTable, base: Cohort, path: Path, title: str, gene_units: Mapping[str, str] | None) -> Draft:
    frame, roles = dict[str, pd.Series](), dict[str, Role]()
    units, left_out, unknown = dict[str, str](), list[str](), list[str]()
    for header in table.columns:
        if header == ID:
            continue
        if header.lower() in _OUTCOMES:
            left_out.append(header)
            continue
        column, unit = _column(header, base)
        if column in frame:
            raise PrognoscopeError(f"two columns that both mean {column!r}", path.name, "leave one out")
        values = _values(table.first(header), column, base)
        if column not in base.roles and not pd.api.types.is_numeric_dtype(values):
            unknown.append(header)  # a text the run never saw can only tell who somebody is
            continue
        frame[column] = values
        roles[column] = base.roles.get(column, Role.DESCRIPTION)
        if unit:
            units[column] = unit
    genes = None
    if table.gene_columns:
        own = dict(base.genomics.units) if base.genomics is not None else {}
        kinds = {c.rpartition("_")[2] for c in table.gene_columns}
        given = {**own, **(gene_units or {})}
        genes = GeneTable(table.genes, table.gene_columns, {k: given[k] for k in kinds if k in given})
    notes: list[str] = []
    if left_out:
        notes.append(f"outcome columns left out ({', '.join(left_out)}): a new patient has none")
    if unknown:
        notes.append(f"texts left out that the run's cohort has no column for ({', '.join(unknown)})")
    return Draft(
        format=FORMAT,
        title=title,
        ids=table.ids,
        patients=pd.DataFrame(frame, index=range(len(table.ids))),
        roles=roles,
        endpoints={k: _unknown(e, len(table.ids)) for k, e in base.endpoints.items()},
        genes=genes,
        units=units,
        labels={c: base.labels[c] for c in frame if c in base.labels},
        files=(path,),
        warnings=table.warnings,
        notes=tuple(notes),
    )


def _column(header: str, base: Cohort) -> tuple[str, str]:
    """The cohort's column a header means and its unit; a column the cohort does not have keeps its own name."""
    found = _UNIT.match(header)
    name, unit = (str(found["name"]), str(found["unit"]).strip()) if found else (header, "")
    plain = {_plain(base.label(c)): c for c in base.patients.columns}
    plain |= {_plain(c): c for c in base.patients.columns}
    column = str(plain.get(_plain(name), name))
    return column, unit or base.units.get(column, "")


def _values(cells: list[str], column: str, base: Cohort) -> pd.Series:
    """Cells as the cohort has them: numbers where its column holds numbers, else words."""
    if column in base.patients.columns and not pd.api.types.is_numeric_dtype(base.patients[column]):
        return sex(cells) if column.lower() in ("sex", "gender") else words(cells)
    values, unreadable = numbers(cells)
    return words(cells) if unreadable.any() else pd.Series(values)


def _plain(name: object) -> str:
    return re.sub(r"[^a-z0-9]+", "", str(name).lower())


def _unknown(endpoint: Endpoint, n: int) -> Endpoint:
    """The endpoint of ``n`` patients of whom nothing is known yet."""
    nothing = np.zeros(n, dtype=bool)
    return replace(endpoint, entry=np.zeros(n), time=np.full(n, np.nan), event=nothing, competing=nothing.copy())
