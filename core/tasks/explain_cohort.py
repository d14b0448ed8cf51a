"""Explain many patients of a run, and store what moves its estimates."""

from __future__ import annotations

from dataclasses import dataclass

from core.errors import PrognoscopeError
from core.explain.cohort_values import CohortSettings, explain_cohort
from core.results.cohort_explanation import CohortExplanation, save_cohort_explanation
from core.results.explained import default_month
from core.results.workspace import Workspace
from core.tasks.provenance import code_version
from core.tasks.run_models import open_run
from core.tasks.train import Progress, silent

FEWEST = 10


@dataclass(frozen=True)
class ExplainCohortRequest:
    """Which run: ``month`` None for its horizon nearest 36, ``patients`` at most."""

    run: str
    month: float | None = None
    patients: int = CohortSettings.patients


def explain_run(request: ExplainCohortRequest, workspace: Workspace, progress: Progress = silent) -> CohortExplanation:
    """Compute and store; an earlier one of the same run and month is replaced."""
    if request.patients < FEWEST:
        raise PrognoscopeError(f"{request.patients} patients", "the number to explain", f"use at least {FEWEST}")
    progress(0.0, "reading the run")
    models = open_run(request.run, workspace)
    month = default_month(models.run.horizons) if request.month is None else float(request.month)
    settings = CohortSettings(patients=request.patients)
    found = explain_cohort(models, month, code_version(), settings, lambda s, text: progress(0.02 + 0.97 * s, text))
    save_cohort_explanation(found, workspace)
    progress(1.0, "stored")
    return found
