"""What a run needs to score patients it has never seen, beside its checkpoints: its inputs and each fold's support."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from core.cohort.cohort import Cohort
from core.cohort.endpoint import Endpoint
from core.cohort.folds import Folds
from core.errors import PrognoscopeError
from core.features.inputs import Dataset
from core.features.run_inputs import RunInputs
from core.models.estimator import State
from core.training.state_files import read_state, write_state
from core.training.support import Support

INPUTS = "inputs.safetensors"


def support_file(fold: int) -> str:
    """Name of a fold's file."""
    return f"support-fold{fold}.safetensors"


def write_scoring_files(cohort: Cohort, endpoint: Endpoint, dataset: Dataset, folds: Folds, folder: Path) -> None:
    """Describe the inputs and fit the support of every fold on that fold's training patients."""
    described = RunInputs.describe(cohort, dataset, endpoint)
    write_state(State(described.as_json(), described.arrays()), folder / INPUTS)
    test_fold = folds.test_fold[dataset.rows]
    for fold in range(folds.k):
        train = np.flatnonzero((test_fold != fold) & (test_fold >= 0))
        write_state(Support.fit(dataset.inputs.take(train)).state(), folder / support_file(fold))


def read_run_inputs(folder: Path, run_id: str) -> RunInputs:
    """The inputs of a run; raises for one that was stored before new patients could be scored."""
    if not (folder / INPUTS).is_file():
        raise PrognoscopeError(
            "a run without a description of its inputs and training support",
            f"run {run_id}",
            "train it again with the command that stands in its record (./run cli runs)",
        )
    state = read_state(folder / INPUTS)
    return RunInputs.restore(state.settings, state.arrays)


def read_support(folder: Path, fold: int) -> Support:
    """The support of one fold."""
    return Support.restore(read_state(folder / support_file(fold)))
