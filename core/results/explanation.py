"""Which values of a patient moved the estimate, by how many percentage points of survival, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from core.results.explained import Kind, explained_folder, opened
from core.results.files import new_folder, read_json, write_json
from core.results.workspace import Workspace

FAMILY_SEPARATOR = " | "
"""Between the names of the families of a gene that stands in several."""
FEATURE_COLUMNS = ("name", "group", "family", "value", "std", "sign_share", "observed", "check")
LEVEL_COLUMNS = ("name", "value", "std")


@dataclass(frozen=True, eq=False)
class Explanation:
    """The difference between a patient's estimate and the average one, shared out over the inputs.

    Parameters
    ----------
    run, patient, month
        What is explained: the mean S(month) of the models of ``run`` that never saw the patient.
    unit : str
        ``"percentage points of survival at month 36"``.
    prediction, baseline : float
        S(month) in percent, of the patient and of the mean background patient. prediction = baseline + sum of
        ``features.value`` + residual, to 1e-6.
    residual : float
        Percentage points that no input explains (the method's own error).
    features : DataFrame
        One row an input, sorted by \\|value\\|: ``name`` · ``group`` the modality (genomics, clinical, slides, volumes,
        reports) · ``family`` gene family, several joined by :data:`FAMILY_SEPARATOR`, or "" · ``value`` percentage
        points, negative = lowers survival · ``std`` over the models and over background patients drawn again ·
        ``sign_share`` share of these that have the value's sign, 0.5..1 · ``observed`` what the patient's value is,
        as text · ``check`` the cross-check's value, NaN where not asked. A modality of bags (slides, volumes,
        reports) is one row named after the modality. What the patient lacks has no row.
    method, check_method : str
        Names of the method and of its cross-check ("" = none).
    agreement : float or None
        Spearman correlation of value and check over the genes and clinical columns.
    models, background : int
        Models averaged; background patients each.
    stable_ranks : bool
        Whether the order of the largest features may be shown: the models agree on it (``rank_agreement`` ≥ .5).
    rank_agreement : float or None
        Mean Spearman correlation of |value| between models; None with one model.
    notes : tuple of str
        Whole sentences to show beside the values.
    extra : mapping
        ``switched`` percentage points among the values that come from routers switching expert (no gradient) ·
        ``composed`` background patients put together of several · ``steps`` of the integral · ``levels`` tables of
        KernelSHAP over few players, by name (:meth:`level`).
    """

    run: str
    patient: str
    month: float
    unit: str
    prediction: float
    baseline: float
    residual: float
    features: pd.DataFrame
    method: str
    check_method: str
    agreement: float | None
    models: int
    background: int
    stable_ranks: bool
    rank_agreement: float | None
    synthetic: bool
    code_version: str
    seconds: float
    notes: tuple[str, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)

    def by_group(self) -> pd.DataFrame:
        """``group``, ``value``, ``features`` (how many), largest first."""
        return _summed(self.features, ["group"])

    def by_family(self) -> pd.DataFrame:
        """``group``, ``family``, ``value``, ``features``, largest first.

        A gene of several families counts in each, its value in equal parts: the families' sum is the genes' sum.
        """
        names = self.features["family"].str.split(FAMILY_SEPARATOR, regex=False)
        parts = self.features.assign(family=names, value=self.features["value"] / names.str.len()).explode("family")
        return _summed(parts, ["group", "family"])

    def level(self, name: str) -> pd.DataFrame | None:
        """``name``, ``value``, ``std`` of a stored table of few players, largest first; None where it was not made.

        ``"modality"``: exact Shapley values of the modalities · ``"expert"``: of the experts, switched off and on for
        this patient alone; one that has no name stands with the number of its model, since number 3 of another has
        nothing to do with it, and its ``std`` is NaN.
        """
        rows = self.extra.get("levels", {}).get(name)
        return None if rows is None else pd.DataFrame(rows, columns=list(LEVEL_COLUMNS)).astype({"std": float})


def _summed(features: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    grouped = features.groupby(columns, sort=False)["value"].agg(value="sum", features="count").reset_index()
    return grouped.sort_values("value", key=abs, ascending=False, ignore_index=True)


def save_explanation(found: Explanation, workspace: Workspace) -> None:
    """Store it; an earlier one of the same run, patient and month is replaced."""
    facts = {k: v for k, v in vars(found).items() if k != "features"}
    with new_folder(explained_folder(Kind.VALUES, found.run, found.patient, found.month, workspace)) as folder:
        write_json(folder / "explanation.json", facts)
        found.features[list(FEATURE_COLUMNS)].to_parquet(folder / "features.parquet")


def load_explanation(run: str, patient: str, month: float, workspace: Workspace) -> Explanation:
    """A stored explanation; raises when there is none."""
    folder = opened(Kind.VALUES, run, patient, month, workspace)
    facts = read_json(folder / "explanation.json")
    facts["notes"] = tuple(facts["notes"])
    return Explanation(features=pd.read_parquet(folder / "features.parquet"), **facts)
