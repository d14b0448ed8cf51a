"""The importers by the name of their format."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from core.cohort.importers.draft import Draft, Progress
from core.cohort.importers.tcga_table import read_tcga_table


@dataclass(frozen=True)
class ReadOptions:
    """What the user said beyond the path; each importer takes what concerns it."""

    events: Mapping[str, str] | None
    columns: Mapping[str, str]
    clinical: tuple[Path, ...]
    progress: Progress


def _tcga_table(path: Path, options: ReadOptions) -> Draft:
    return read_tcga_table(path, options.events, options.progress)


READERS: Mapping[str, Callable[[Path, ReadOptions], Draft]] = {"tcga-table": _tcga_table}
