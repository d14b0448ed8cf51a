"""Open a stored run for explanations."""

from __future__ import annotations

from dataclasses import replace

from core.cohort.storage import load_cohort
from core.explain.run_models import RunModels
from core.features.alignment import align
from core.features.encoded import load_features
from core.results.erasures import only_erased_since
from core.results.run_store import load_predictions, load_run
from core.results.workspace import Workspace
from core.tasks.scoring import encoded_bags
from core.training.scoring_files import read_run_inputs


def open_run(run_id: str, workspace: Workspace, new: str = "") -> RunModels:
    """The run, its patients' inputs and its models; every stored file is checked against its hash first.

    ``new`` names a cohort of patients that are new to the run: they stand after the run's own, brought into its form
    as for scoring.
    """
    run = load_run(run_id, workspace)
    cohort = load_cohort(run.cohort, workspace)
    features = load_features(cohort.name, workspace, run.config.get("encoders", {}))
    if only_erased_since(run.cohort_hash, cohort.content_hash, cohort.name, workspace):
        run = replace(run, cohort_hash=cohort.content_hash)  # the same data but for patients who are gone from both
    folder = workspace.run(run.id) / "checkpoints"
    models = RunModels.of(run, cohort, load_predictions(run.id, workspace), folder, features)
    if not new or new == run.cohort:
        return models
    strangers, inputs = load_cohort(new, workspace), read_run_inputs(folder, run.id)
    encoded = load_features(new, workspace, run.config.get("encoders", {}))
    return models.with_new(align(strangers, inputs, *encoded_bags(strangers, inputs, encoded)).inputs, new)
