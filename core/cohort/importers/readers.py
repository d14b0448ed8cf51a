"""The importers by the name of their format."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from core.cohort.importers.biotab import read_biotab
from core.cohort.importers.cbioportal import read_cbioportal
from core.cohort.importers.draft import Draft, Progress
from core.cohort.importers.folder import read_folder
from core.cohort.importers.gdc_clinical import read_gdc
from core.cohort.importers.survpath import read_survpath
from core.cohort.importers.table import read_table
from core.cohort.importers.tcga_table import read_tcga_table


@dataclass(frozen=True)
class ReadOptions:
    """What the user said beyond the path; each importer takes what concerns it."""

    events: Mapping[str, str] | None
    columns: Mapping[str, str]
    progress: Progress
    unpack_to: Path | None = None


READERS: Mapping[str, Callable[[Path, ReadOptions], Draft]] = {
    "tcga-table": lambda path, o: read_tcga_table(path, o.events, o.progress),
    "survpath": lambda path, o: read_survpath(path, o.events, o.progress),
    "cbioportal": lambda path, o: read_cbioportal(path, o.events, o.progress),
    "gdc-clinical": lambda path, o: read_gdc(path, o.events),
    "biotab": lambda path, o: read_biotab(path, o.events),
    "table": lambda path, o: read_table(path, o.columns, o.events, o.progress),
    "folder": lambda path, o: read_folder(path, o.columns, o.events, o.progress, o.unpack_to),
}
