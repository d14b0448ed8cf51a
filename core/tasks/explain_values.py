"""Make and store the explanation of one patient's estimate by its values."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from core.explain.estimate import PERCENT
from core.explain.few_players import Level, level_values
from core.explain.patient_estimates import PatientEstimates
from core.explain.run_models import RunModels
from core.explain.values import explain_values
from core.results.explanation import save_explanation
from core.results.run_store import load_predictions
from core.results.workspace import Workspace
from core.tasks.provenance import code_version
from core.tasks.train import Progress
from core.tasks.values_trust import keep_values_trust

VALUES_SHARE = 0.7


def make(models: RunModels, patient: str, month: float, workspace: Workspace, progress: Progress) -> None:
    """Compute and store; an earlier explanation of the same patient and month is replaced.

    Beside the values stand two tables of few players (:mod:`core.explain.few_players`): the modalities, and the experts
    where the model has any.
    """
    estimates = PatientEstimates(models, patient, month)
    found = explain_values(
        models,
        patient,
        month,
        code_version(),
        progress=lambda share, text: progress(VALUES_SHARE * share, text),
        shown=_shown(models, patient, month, workspace),
        estimates=estimates,
    )
    routers = models.unseen(patient)[0].fitted.network.capabilities().routers
    levels: dict[str, list[list[object]]] = {}
    new = models.is_new(patient)  # all models speak: what is tried on each would take minutes
    wanted: tuple[Level, ...] = ("modality", "expert") if routers and not new else ("modality",)
    for i, level in enumerate(wanted):
        progress(VALUES_SHARE + (1 - VALUES_SHARE) * i / len(wanted), f"{level} by {level}")
        table = level_values(models, patient, month, level, estimates=estimates).astype(object)
        levels[level] = table.where(table.notna(), None).to_numpy().tolist()
    save_explanation(replace(found, extra={**found.extra, "levels": levels}), workspace)
    keep_values_trust(models.run.id, workspace)


def _shown(models: RunModels, patient: str, month: float, workspace: Workspace) -> float | None:
    """The stored estimate in percent; None at a month that is not among the stored ones, where it is interpolated."""
    stored = load_predictions(models.run.id, workspace).ensemble()
    places = np.flatnonzero(stored.times == month)
    if not len(places):
        return None
    rows = np.flatnonzero((stored.table["id"] == patient).to_numpy())
    if not len(rows):  # a patient who is new to the run: its estimate lies in a set of its own
        return None
    value = float(stored.survival[rows[0], places[0]])
    return PERCENT * value if np.isfinite(value) else None
