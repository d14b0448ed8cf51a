"""The trained models of a benchmark cell, each with the patients it was tested on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from core.cohort.cohort import Cohort
from core.errors import PrognoscopeError
from core.features.inputs import Inputs, Outcome, build_dataset
from core.tasks.cells import Cell
from core.training.neural import FittedNeural, restore_neural
from core.training.state_files import read_state
from core.training.units import unit_name


@dataclass(frozen=True, eq=False)
class KeptModel:
    """One fold and seed: the model, and the inputs and outcomes of its test patients."""

    fold: int
    seed: int
    model: FittedNeural
    inputs: Inputs
    outcome: Outcome


def kept_models(cell: Cell, cohort: Cohort) -> Iterator[KeptModel]:
    """Every model of a cell that kept them, one at a time; raises for a cell that did not."""
    if cell.checkpoints is None:
        raise PrognoscopeError("a cell without its models", cell.spec.label, "compute it with models=True")
    dataset = build_dataset(cohort, cohort.endpoint(), cell.spec.modalities)
    place = {name: row for row, name in enumerate(dataset.inputs.ids)}
    for (fold, seed), part in cell.predictions.table.groupby(["fold", "seed"]):
        rows = np.array([place[name] for name in part["id"]], dtype=np.int64)
        model = restore_neural(read_state(cell.checkpoints / unit_name(int(fold), int(seed))))
        yield KeptModel(int(fold), int(seed), model, dataset.inputs.take(rows), dataset.outcome.take(rows))
