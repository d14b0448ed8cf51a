"""The layout with overall, disease-specific and progression-free outcomes: slide table, clinical file, splits, RNA.

Its months are days / 30, those of the other TCGA tables days / 30.44, so one patient's times differ by 1.5 %.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from core.cohort.cohort import Role
from core.cohort.importers.clinical_words import grade, stage
from core.cohort.importers.draft import Draft, GeneTable, Progress, silent
from core.cohort.importers.narrow_table import NarrowTable, read_narrow
from core.cohort.importers.tcga_slides import (
    CENSORSHIP,
    Columns,
    descriptive_columns,
    endpoint_of,
    gene_warnings,
    study_title,
)
from core.cohort.importers.values import words
from core.cohort.importers.wide_table import read_header, read_wide
from core.cohort.splits import split_files
from core.cohort.wording import plural
from core.errors import PrognoscopeError

FORMAT = "survpath"
ENDPOINTS = (
    ("OS", "Overall survival", "survival_months", "censorship"),
    ("DSS", "Disease-specific survival", "survival_months_dss", "censorship_dss"),
    ("PFI", "Progression-free interval", "survival_months_pfi", "censorship_pfi"),
)
MONTH_WARNING = "Times of this layout are days / 30, those of the other TCGA tables days / 30.44 (1.5 % shorter)."


def find_table(path: Path) -> Path:
    """The slide table of a study folder: the CSV with the disease-specific outcome."""
    if path.is_file():
        return path
    candidates = [p for p in sorted(path.glob("*.csv")) if not p.name.startswith(("splits_", "rna_"))]
    found = [p for p in candidates if "survival_months_dss" in read_header(p)]
    if len(found) != 1:
        raise PrognoscopeError(f"{len(found)} tables instead of one", path.name, "give the path of the table itself")
    return found[0]


def read_survpath(path: Path, events: Mapping[str, str] | None = None, progress: Progress = silent) -> Draft:
    """Read a study folder, or its slide table together with the files beside it.

    Parameters
    ----------
    path : Path
    events : mapping, optional
        Meaning of each censorship value; 0 = event and 1 = censored when it is not given.
    """
    file = find_table(path)
    table = read_wide(file, "case_id", lambda _: False, progress)
    endpoints = {
        name: endpoint_of(table, time, code, name, label, events or CENSORSHIP, file.name)
        for name, label, time, code in ENDPOINTS
    }
    columns = descriptive_columns(table, {c for _, _, time, code in ENDPOINTS for c in (time, code)})
    warnings = [*table.warnings, *columns.warnings, MONTH_WARNING]
    files = [file]
    clinical = file.with_name(f"{file.stem}_clinical.csv")
    if clinical.is_file():
        files.append(clinical)
        _add_clinical(read_narrow(clinical), table.ids, columns, warnings)
    files += split_files(file.parent)
    genes = None
    rna = sorted(file.parent.glob("rna_*.csv"))
    if rna:
        files.append(rna[0])
        genes, more = _read_rna(rna[0], table.ids, progress)
        warnings += [*more, *gene_warnings(genes)]
    return Draft(
        format=FORMAT,
        title=study_title(file),
        ids=table.ids,
        patients=pd.DataFrame(columns.frame),
        roles=columns.roles,
        endpoints=endpoints,
        genes=genes,
        splits={"published": file.parent} if split_files(file.parent) else {},
        units=columns.units,
        files=tuple(files),
        warnings=tuple(warnings),
    )


def _add_clinical(table: NarrowTable, ids: Sequence[str], columns: Columns, warnings: list[str]) -> None:
    """Stage, grade and subtype by case id; a case listed twice with two values has none."""
    wanted = set(ids)
    strangers = len({i for i in table["case_id"] if i not in wanted})
    if strangers:
        warnings.append(f"{plural(strangers, 'patient')} of {table.name} not in the cohort: left out.")
    parsers = {"stage": (stage, Role.INPUT), "grade": (grade, Role.INPUT), "subtype": (words, Role.DESCRIPTION)}
    for name, (parse, role) in parsers.items():
        if name not in table:
            continue
        values: dict[str, set[str]] = {}
        for original, value in zip(table["case_id"], parse(table[name]), strict=True):
            if original in wanted and value is not None:
                values.setdefault(original, set()).add(value)
        two = sum(len(v) > 1 for v in values.values())
        if two:
            warnings.append(f"{plural(two, 'patient')} with two values of {name} in {table.name}: set missing.")
        single = [next(iter(values[i])) if len(values.get(i, ())) == 1 else None for i in ids]
        if any(v is not None for v in single):
            columns.add(name, pd.Series(single, dtype=object), role)


def _read_rna(path: Path, ids: Sequence[str], progress: Progress) -> tuple[GeneTable, list[str]]:
    """RNA by patient (log2), in the cohort's order; NaN for patients without."""
    table = read_wide(path, "", lambda _: True, progress)
    row = {i: r for r, i in enumerate(table.ids)}
    values = np.full((len(ids), len(table.gene_columns)), np.nan, dtype=np.float32)
    here = [k for k, i in enumerate(ids) if i in row]
    values[here] = table.genes[[row[ids[k]] for k in here]]
    warnings = list(table.warnings)
    if len(here) < len(ids):
        warnings.append(f"{plural(len(ids) - len(here), 'patient')} without RNA in {path.name}.")
    return GeneTable(values, tuple(f"{c}_rnaseq" for c in table.gene_columns), {"rnaseq": "log2"}), warnings
