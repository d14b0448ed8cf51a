"""Open a stored run for explanations."""

from __future__ import annotations

from core.cohort.storage import load_cohort
from core.explain.run_models import RunModels
from core.features.encoded import load_features
from core.results.run_store import load_predictions, load_run
from core.results.workspace import Workspace


def open_run(run_id: str, workspace: Workspace) -> RunModels:
    """The run, its patients' inputs and its models; every stored file is checked against its hash first."""
    run = load_run(run_id, workspace)
    cohort = load_cohort(run.cohort, workspace)
    features = load_features(cohort.name, workspace, run.config.get("encoders", {}))
    folder = workspace.run(run.id) / "checkpoints"
    return RunModels.of(run, cohort, load_predictions(run.id, workspace), folder, features)
