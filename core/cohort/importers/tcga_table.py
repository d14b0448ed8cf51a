"""TCGA tables as the multimodal survival projects publish them: outcomes, a few clinical columns, genes.

One line a slide. ``censorship`` is 1 for the living, the inverse of an event flag, and is turned round here,
once. The ``train`` column contradicts the published splits and is ignored.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from core.arrays import Float32Array
from core.cohort.importers.draft import Draft, GeneTable, Progress, silent
from core.cohort.importers.tcga_slides import (
    CENSORSHIP,
    GENE_SUFFIXES,
    GENE_UNITS,
    descriptive_columns,
    endpoint_of,
    gene_warnings,
    study_title,
)
from core.cohort.importers.wide_table import read_wide
from core.cohort.splits import split_files
from core.errors import PrognoscopeError

FORMAT = "tcga-table"


def find_table(path: Path) -> Path:
    """The table of a study folder: its one CSV, plain or zipped; or ``path`` itself when it is a file."""
    if path.is_file():
        return path
    found = sorted(p for p in path.iterdir() if p.is_file() and p.name.lower().endswith((".csv", ".csv.zip", ".zip")))
    if len(found) != 1:
        raise PrognoscopeError(f"{len(found)} tables instead of one", path.name, "give the path of the table itself")
    return found[0]


def read_tcga_table(path: Path, events: Mapping[str, str] | None = None, progress: Progress = silent) -> Draft:
    """Read a table, and the folder ``splits`` beside it where there is one.

    Parameters
    ----------
    path : Path
        The table (``.csv`` or ``.zip``) or the folder it lies in.
    events : mapping, optional
        Meaning of each value of ``censorship``; 0 = event and 1 = censored when it is not given.
    """
    file = find_table(path)
    table = read_wide(file, "case_id", lambda c: c.endswith(GENE_SUFFIXES), progress)
    endpoint = endpoint_of(
        table, "survival_months", "censorship", "OS", "Overall survival", events or CENSORSHIP, file.name
    )
    columns = descriptive_columns(table, {"survival_months", "censorship"})
    genes = _genes(table.genes, table.gene_columns)
    splits = file.parent / "splits"
    published = {"published": splits} if split_files(splits) else {}
    return Draft(
        format=FORMAT,
        title=study_title(file),
        ids=table.ids,
        patients=pd.DataFrame(columns.frame),
        roles=columns.roles,
        endpoints={"OS": endpoint},
        genes=genes,
        splits=published,
        units=columns.units,
        files=(file, *(split_files(splits) if published else ())),
        warnings=(*table.warnings, *columns.warnings, *(gene_warnings(genes) if genes else ())),
    )


def _genes(values: Float32Array, columns: tuple[str, ...]) -> GeneTable | None:
    if not columns:
        return None
    kinds = {c.rpartition("_")[2] for c in columns}
    return GeneTable(values, columns, {k: u for k, u in GENE_UNITS.items() if k in kinds})
