"""A queue of fits computes what a cross-validation computes, and nothing twice."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.cohort.modality import Modality
from core.cohort.storage import load_cohort, save_cohort
from core.errors import PrognoscopeError
from core.results.workspace import Workspace
from core.tasks.cells import CellSpec, run_cell
from core.tasks.fit_queue import Fit, FitSeries, checkpoint, collected, fits_of, plan_of, run_fits
from core.tasks.train import silent
from core.training.config import TrainingConfig
from core.training.estimators import EstimatorSpec
from core.training.units import unit_name
from tests.tasks.scoring_cohort import make_cohort

BOTH = (Modality.GENOMICS, Modality.CLINICAL)
ESTIMATOR = EstimatorSpec("snn", {"width": 16, "family_hidden": 16}, TrainingConfig(epochs=2))


def test_the_queue_gives_the_numbers_of_a_cross_validation_and_takes_up_where_it_stopped(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    save_cohort(make_cohort(60, "small", 0), None, workspace)
    series = FitSeries("small", "3", ESTIMATOR, BOTH, permutations=True, keep=True)
    with pytest.raises(PrognoscopeError, match="0 of 3 fits"):
        collected(series, (0,), workspace)
    run_fits(fits_of(series, (0, 1), workspace), workspace, 1, silent)
    found = collected(series, (0, 1), workspace)
    spec = CellSpec("SNN", "small", "3", ESTIMATOR, BOTH, 2)
    cell = run_cell(spec, load_cohort("small", workspace), workspace, 1, silent)
    assert np.array_equal(found.predictions.table["risk"], cell.predictions.table["risk"])
    assert np.array_equal(found.predictions.survival, cell.predictions.survival, equal_nan=True)
    assert set(found.permuted) == {"genomics", "clinical"}
    assert checkpoint(Fit(series, 2, 0), workspace).is_file()
    assert not checkpoint(Fit(series, 2, 1), workspace).exists()  # the first seed's models alone are kept

    units = plan_of(series, workspace).units
    assert units is not None
    before = {p.name: p.stat().st_mtime_ns for p in units.glob("*.safetensors")}
    (units / unit_name(1, 1)).unlink()
    said: list[str] = []
    run_fits(fits_of(series, (0, 1), workspace), workspace, 1, lambda _, words: said.append(words))
    after = {p.name: p.stat().st_mtime_ns for p in units.glob("*.safetensors")}
    assert said == ["5 of 6 fits found finished", "snn on small, 3, fold 2, seed 1"]
    assert {k for k in after if after[k] != before[k]} == {unit_name(1, 1)}
    again = collected(series, (0, 1), workspace)
    assert np.array_equal(again.predictions.table["risk"], found.predictions.table["risk"])


def test_a_series_is_known_by_all_that_decides_its_numbers(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    save_cohort(make_cohort(60, "small", 0), None, workspace)
    series = FitSeries("small", "3", ESTIMATOR, BOTH)
    other = replace(ESTIMATOR, training=TrainingConfig(epochs=3))
    changed = [replace(series, folds="4"), replace(series, estimator=other), replace(series, modalities=BOTH[:1])]
    folders = {plan_of(s, workspace).units for s in (series, *changed)}
    assert len(folders) == 4
