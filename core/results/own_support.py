"""Which of a run's own patients lie where it was trained, each judged by the fold that never saw them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from core.results.files import verify_folder
from core.results.prediction_set import list_prediction_sets, load_prediction_set
from core.results.workspace import Workspace

FILE = "support.parquet"
COLUMNS = ("id", "supported", "reason", "distance")


@dataclass(frozen=True)
class Support:
    """Of one patient: ``reason`` why there is no number ("" where there is) · ``distance`` the farthest input as a
    multiple of the distance allowed, None without any."""

    supported: bool
    reason: str
    distance: float | None


@dataclass(frozen=True, eq=False)
class OwnSupport:
    """Of all patients of a run; ``table`` has :data:`COLUMNS`, one row a patient."""

    table: pd.DataFrame

    def of(self, patient: str) -> Support | None:
        """Of one pseudonym; None for a patient that was not judged."""
        found = self.table[self.table["id"] == patient]
        if found.empty:
            return None
        row = found.iloc[0]
        distance = float(row["distance"])
        return Support(bool(row["supported"]), str(row["reason"]), distance if distance == distance else None)


def write_own_support(support: OwnSupport, folder: Path) -> None:
    """Put it beside a run's predictions, before the run is sealed."""
    support.table[list(COLUMNS)].to_parquet(folder / FILE)


def read_own_support(run: str, cohort: str, cohort_hash: str, workspace: Workspace) -> OwnSupport | None:
    """What the training stored, else what the run's estimates of its own cohort say; None where neither exists.

    Parameters
    ----------
    run, cohort, cohort_hash : str
        The run, and the cohort it was trained on as it was then.
    """
    folder = workspace.run(run)
    if (folder / FILE).is_file():
        verify_folder(folder, (FILE,))
        return OwnSupport(pd.read_parquet(folder / FILE))
    for summary in list_prediction_sets(cohort, workspace):
        if summary.run == run and summary.cohort_hash == cohort_hash:
            return OwnSupport(load_prediction_set(summary.id, workspace).table[list(COLUMNS)])
    return None
