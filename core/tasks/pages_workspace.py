"""A workspace as the pages meet it at a thousand patients: a synthetic cohort, its runs, and what explains them.

Everything is made by the tasks that make it for a user. The models are small and hardly trained: the pages read records
of the same shape whatever the numbers in them are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.cohort.modality import Modality
from core.cohort.sample import NAME, save_sample
from core.results.board_store import add_patients, new_board
from core.results.explained import Kind, default_month
from core.results.workspace import Workspace
from core.tasks.bench import Progress
from core.tasks.explain import ExplainRequest, explain
from core.tasks.explain_cohort import ExplainCohortRequest, explain_run
from core.tasks.routing import RoutingRequest, read_routing
from core.tasks.train import TrainRequest, train

PATIENTS, SEEDS = 1000, 10
"""Ten models that never saw a patient: what the spread of an estimate is read from."""
EXPLAINED, ON_BOARD, OF_COHORT = 2, 12, 10
INPUTS = (Modality.GENOMICS, Modality.CLINICAL)
TINY = {
    "width": 32, "token_dim": 8, "family_hidden": 16, "expert_hidden": 16, "n_experts": 4, "training.epochs": 1,
}  # fmt: skip


def fill_workspace(workspace: Workspace, progress: Progress) -> str:
    """Fill an empty workspace; the id of the newest run, whose routing and explanations are stored."""
    progress(0.0, f"{PATIENTS:,} synthetic patients")
    cohort = save_sample(workspace, patients=PATIENTS)
    for model, modalities in (("cox-clinical", (Modality.CLINICAL,)), ("snn", INPUTS)):
        settings: Mapping[str, Any] = {"training.epochs": 1, "width": 16, "family_hidden": 16} if model == "snn" else {}
        train(_request(model, modalities, 1, settings), workspace)
    progress(0.1, "a run of ten seeds")
    run = train(_request("hdmoe", INPUTS, SEEDS, TINY), workspace, lambda s, m: progress(0.1 + 0.5 * s, m))
    month = default_month(run.horizons)
    for number, patient in enumerate(cohort.ids[:EXPLAINED]):
        progress(0.6 + 0.1 * number, "explaining patients")
        explain(ExplainRequest(run.id, patient, month, (Kind.VALUES,)), workspace)
    progress(0.8, "explaining the run")
    explain_run(ExplainCohortRequest(run.id, month, OF_COHORT), workspace)
    progress(0.9, "reading the routing")
    read_routing(RoutingRequest(run.id, month), workspace)
    board = new_board("Retrospective list", "synthetic", NAME, run.id, month, workspace)
    add_patients(board.id, cohort.ids[:ON_BOARD], workspace)
    return run.id


def _request(model: str, modalities: tuple[Modality, ...], seeds: int, settings: Mapping[str, Any]) -> TrainRequest:
    return TrainRequest(
        NAME, model, modalities, folds="2", seeds=seeds, settings=settings, references=False, processes=1
    )
