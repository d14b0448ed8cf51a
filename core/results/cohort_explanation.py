"""Which values move a run's estimates over many patients: beeswarm, dependence plot and ranking are drawn of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from safetensors.numpy import load_file, save_file

from core.arrays import Float32Array
from core.errors import PrognoscopeError
from core.results.files import MANIFEST, new_folder, read_json, verify_folder, write_json
from core.results.workspace import Workspace, checked_name

COHORT_COLUMNS = ("name", "group", "family", "importance", "std", "direction", "rank", "rank_low", "rank_high")


@dataclass(frozen=True, eq=False)
class CohortExplanation:
    """Out-of-fold explanations of n patients over f inputs, each patient by the models that never saw it.

    Parameters
    ----------
    run, month, unit
        As in :class:`core.results.explanation.Explanation`.
    patients : (n,) pseudonyms
    contributions : (n, f) float32
        Percentage points of survival at ``month``, mean over the models; NaN where the patient lacks the modality.
        Column for column with ``features``.
    values : (n, f) float32
        What the patients have, unscaled: gene values, clinical numbers, the number of a category among
        ``categories[name]``, the rows of a bag; NaN where missing.
    features : DataFrame of f rows, the most important first
        ``name``, ``group``, ``family`` as in an explanation · ``importance`` mean over the patients of
        \\|contribution\\| · ``std`` of the importance over the seeds · ``direction`` Spearman correlation of value and
        contribution, positive = a high value raises survival, NaN for a category or a bag · ``rank`` 1 the most
        important · ``rank_low``, ``rank_high`` best and worst rank that any seed alone gives it.
    categories : mapping of clinical column to its levels
    rank_agreement : float or None
        Mean Spearman correlation of the importances between seeds; None with one.
    stable_ranks : bool
        Whether the order may be shown.
    """

    run: str
    month: float
    unit: str
    patients: tuple[str, ...]
    contributions: Float32Array
    values: Float32Array
    features: pd.DataFrame
    categories: Mapping[str, tuple[str, ...]]
    models: int
    background: int
    method: str
    rank_agreement: float | None
    stable_ranks: bool
    synthetic: bool
    code_version: str
    seconds: float
    notes: tuple[str, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)

    def ranking(self, group: str = "") -> tuple[str, ...]:
        """Names, the most important first; of one ``group`` (``"genomics"``) alone where it is given."""
        rows = self.features if not group else self.features[self.features["group"] == group]
        return tuple(rows["name"])

    def points(self, name: str) -> pd.DataFrame:
        """``patient``, ``value``, ``contribution`` of one input, patients without it left out."""
        column = self.ranking().index(name)
        table = pd.DataFrame(
            {
                "patient": self.patients,
                "value": self.values[:, column].astype(float),
                "contribution": self.contributions[:, column].astype(float),
            }
        )
        return table[np.isfinite(table["contribution"])].reset_index(drop=True)


def cohort_folder(run: str, month: float, workspace: Workspace) -> Path:
    """Where the explanation of a run's patients lies."""
    return workspace.explanations / checked_name(run, "run id") / f"cohort-m{month:g}".replace(".", "_")


def has_cohort_explanation(run: str, month: float, workspace: Workspace) -> bool:
    """Whether it was made and is whole, by its manifest alone."""
    return (cohort_folder(run, month, workspace) / MANIFEST).is_file()


def save_cohort_explanation(found: CohortExplanation, workspace: Workspace) -> None:
    """Store it; an earlier one of the same run and month is replaced."""
    apart = ("features", "contributions", "values")
    facts = {k: v for k, v in vars(found).items() if k not in apart}
    arrays = {name: np.ascontiguousarray(getattr(found, name), dtype=np.float32) for name in apart[1:]}
    with new_folder(cohort_folder(found.run, found.month, workspace)) as folder:
        write_json(folder / "cohort.json", facts)
        found.features[list(COHORT_COLUMNS)].to_parquet(folder / "features.parquet")
        save_file(arrays, folder / "arrays.safetensors")


def load_cohort_explanation(run: str, month: float, workspace: Workspace) -> CohortExplanation:
    """A stored one, every file checked against its hash; raises when there is none."""
    if not has_cohort_explanation(run, month, workspace):
        raise PrognoscopeError(
            f"no explanation of the whole cohort at month {month:g} yet", f"run {run}",
            "make it (./run cli explain RUN --all)",
        )  # fmt: skip
    folder = cohort_folder(run, month, workspace)
    verify_folder(folder)
    facts = read_json(folder / "cohort.json")
    facts["patients"], facts["notes"] = tuple(facts["patients"]), tuple(facts["notes"])
    facts["categories"] = {k: tuple(v) for k, v in facts["categories"].items()}
    arrays = load_file(folder / "arrays.safetensors")
    return CohortExplanation(
        features=pd.read_parquet(folder / "features.parquet"),
        contributions=arrays["contributions"],
        values=arrays["values"],
        **facts,
    )
