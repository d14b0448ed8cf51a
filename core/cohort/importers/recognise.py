"""Which format a path is in, told by what it holds, not by what it is called."""

from __future__ import annotations

from pathlib import Path

from core.cohort.importers.archive import is_study_archive
from core.cohort.importers.folder import patients_table
from core.cohort.importers.gdc_clinical import id_column
from core.cohort.importers.wide_table import read_header
from core.errors import PrognoscopeError

FORMATS = ("tcga-table", "survpath", "cbioportal", "gdc-clinical", "biotab", "folder", "table")
_TABLES = (".csv", ".csv.gz", ".tsv", ".txt", ".zip")


def recognise(path: Path) -> str:
    """Name of the format, one of :data:`FORMATS`.

    Raises
    ------
    PrognoscopeError
        When the path does not exist, is unsafe to read, or looks like none of them.
    """
    if not path.exists():
        raise PrognoscopeError("no such file or folder", path.name, "check the path")
    if path.is_dir():
        return _folder_format(path)
    return "folder" if is_study_archive(path) else _file_format(path)


def _folder_format(folder: Path) -> str:
    if (folder / "meta_study.txt").is_file():
        return "cbioportal"
    if any(folder.glob("*clinical_patient*.txt")):
        return "biotab"
    if patients_table(folder) is not None:
        return "folder"
    formats = {_file_format(p) for p in sorted(folder.iterdir()) if _may_be_cohort(p)}
    for known in ("survpath", "tcga-table", "gdc-clinical"):
        if known in formats:
            return known
    raise PrognoscopeError(
        "no study of a known format", folder.name, f"give a table, or a folder of {', '.join(FORMATS[:6])}"
    )


def _may_be_cohort(path: Path) -> bool:
    name = path.name.lower()
    return path.is_file() and name.endswith(_TABLES) and not name.startswith(("splits_", "rna_", "readme"))


def _file_format(path: Path) -> str:
    if path.name == "meta_study.txt":
        return "cbioportal"
    header = read_header(path)
    if {"case_id", "survival_months_dss"} <= set(header):
        return "survpath"
    if {"case_id", "survival_months", "censorship"} <= set(header):
        return "tcga-table"
    if "bcr_patient_uuid" in header:
        return "biotab"
    if id_column(header):
        return "gdc-clinical"
    return "table"
