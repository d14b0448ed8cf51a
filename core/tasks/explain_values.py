"""Make and store the explanation of one patient's estimate by its values."""

from __future__ import annotations

from core.explain.run_models import RunModels
from core.explain.values import explain_values
from core.results.explanation import save_explanation
from core.results.workspace import Workspace
from core.tasks.provenance import code_version
from core.tasks.train import Progress


def make(models: RunModels, patient: str, month: float, workspace: Workspace, progress: Progress) -> None:
    """Compute and store; an earlier explanation of the same patient and month is replaced."""
    save_explanation(explain_values(models, patient, month, code_version(), progress=progress), workspace)
