"""A training that goes on from the models of another run: fold k and seed s from that run's fold k and seed s.

What it may never do is test a patient with a model that began from one trained on that patient. Pseudonyms are the
same within a workspace, so this is checked patient by patient.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from core.cohort.cohort import Cohort, Exclusion
from core.cohort.endpoint import Endpoint
from core.cohort.folds import Folds
from core.cohort.wording import plural
from core.errors import PrognoscopeError
from core.features.alignment import align
from core.features.encoded import EncodedCohort
from core.features.inputs import Dataset, build_dataset
from core.models.registry import MODELS
from core.results.files import verify_folder
from core.results.run import Run
from core.results.run_store import load_predictions, load_run
from core.results.workspace import Workspace
from core.training.scoring_files import read_run_inputs

NAMED = 8
"""Pseudonyms a refusal names."""


@dataclass(frozen=True)
class Start:
    """``run`` the run to start from · ``folder`` its checkpoints, one a fold and seed."""

    run: Run
    folder: Path


def find_start(run_id: str, model: str, seeds: int, workspace: Workspace) -> Start:
    """The run's checkpoints, checked against their hashes; refuses a run that cannot start this training."""
    run = load_run(run_id, workspace)
    where = f"--start-from {run_id}"
    if model not in MODELS or run.model != model:
        raise PrognoscopeError(f"a run of {run.model}, to start {model}", where, "start a neural model from its own")
    if run.protocol != "honest":
        raise PrognoscopeError("a run whose epoch was chosen on its test folds", where, "start from an honest run")
    if seeds > len(run.seeds):
        raise PrognoscopeError(
            f"{seeds} seeds, the run has {len(run.seeds)}", where, f"use at most {len(run.seeds)} seeds"
        )
    verify_folder(workspace.run(run_id))
    return Start(run, workspace.run(run_id) / "checkpoints")


def started_dataset(
    cohort: Cohort, endpoint: Endpoint, features: EncodedCohort, start: Start
) -> tuple[Dataset, tuple[str, ...]]:
    """The cohort's patients with their inputs in the form of the run's, by name, and what differs, in words.

    Raises
    ------
    PrognoscopeError
        For another endpoint, a modality the cohort has not (or not encoded alike), or a cancer the run does not know.
    """
    run, where = read_run_inputs(start.folder, start.run.id), f"--start-from {start.run.id}"
    if run.endpoint.name != endpoint.name:
        raise PrognoscopeError(
            f"a run that predicts {run.endpoint.name}, not {endpoint.name}",
            where,
            f"use --endpoint {run.endpoint.name}",
        )
    own = tuple(m for m in run.modalities if m in cohort.modalities)
    dataset = build_dataset(cohort, endpoint, own, features)
    for modality, how in dataset.encoders.items():
        if run.encoders.get(modality) != how:
            raise PrognoscopeError(f"{modality} encoded otherwise than those of the run", where, "encode them alike")
    bags = {m: _all_rows(b, dataset, len(cohort)) for m, b in dataset.inputs.bags.items()}
    aligned = align(cohort, run, bags)
    masked = [f"{m.value} ({why})" for m, why in aligned.masked.items() if m in own]
    if masked:
        raise PrognoscopeError(f"inputs of another form than the run's: {'; '.join(masked)}", where, "use its inputs")
    if aligned.unknown_cancer[dataset.rows].any():
        raise PrognoscopeError(
            f"{plural(int(aligned.unknown_cancer[dataset.rows].sum()), 'patient')} of a cancer the run does not know",
            where,
            f"it knows {', '.join(run.groups)}",
        )
    notes = tuple(f"start: {n.words} ({n.count})" for n in aligned.notes)
    left = np.stack([aligned.inputs.present[m][dataset.rows] for m in run.modalities]).any(axis=0)
    rows = dataset.rows[left]
    lost = (Exclusion("none of the run's inputs", int((~left).sum())),) if not left.all() else ()
    outcome, excluded = dataset.outcome.take(np.flatnonzero(left)), (*dataset.excluded, *lost)
    return replace(dataset, inputs=aligned.inputs.take(rows), outcome=outcome, rows=rows, excluded=excluded), notes


def _all_rows(bags: tuple[np.ndarray | None, ...], dataset: Dataset, n: int) -> tuple[np.ndarray | None, ...]:
    """Bags of the dataset's patients, row for row with the cohort."""
    place: Mapping[int, np.ndarray | None] = dict(zip(dataset.rows.tolist(), bags, strict=True))
    return tuple(place.get(i) for i in range(n))


def check_start(start: Start, dataset: Dataset, folds: Folds, workspace: Workspace) -> None:
    """Refuse when the model of fold k would begin from one that was trained on a patient fold k tests.

    Raises
    ------
    PrognoscopeError
        With the pseudonyms of such patients.
    """
    table = load_predictions(start.run.id, workspace).table
    there = dict(zip(table["id"].astype(str), table["fold"].astype(int), strict=True))
    here = folds.test_fold[dataset.rows]
    pairs = [(i, int(f)) for i, f in zip(dataset.inputs.ids, here, strict=True) if f >= 0 and i in there]
    apart = [i for i, fold in pairs if there[i] != fold]
    where, fix = f"--start-from {start.run.id}", f"use --folds {start.run.folds}, and runs of one workspace"
    if apart:
        more = f" and {len(apart) - NAMED} more" if len(apart) > NAMED else ""
        raise PrognoscopeError(
            f"{plural(len(apart), 'patient')} tested here in a fold whose first model was trained on them: "
            f"{', '.join(apart[:NAMED])}{more}",
            where,
            fix,
        )
    if folds.k > start.run.n_folds:
        raise PrognoscopeError(f"{folds.k} folds, the run has {start.run.n_folds}", where, fix)
