"""A training keeps which of its own patients it may speak of: the same verdicts as scoring them afterwards."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.cohort.storage import load_cohort, save_cohort
from core.errors import PrognoscopeError
from core.results.evaluation import Repeats
from core.results.own_support import FILE, read_own_support
from core.results.workspace import Workspace
from core.tasks.predict import PredictRequest, predict
from core.tasks.train import TrainRequest, train
from tests.tasks.scoring_cohort import make_cohort

SMALL = {"family_hidden": 8, "width": 16, "training.epochs": 1}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, str, str]:
    workspace = Workspace(tmp_path_factory.mktemp("own"))
    save_cohort(make_cohort(), None, workspace)
    request = TrainRequest("one", "snn", seeds=1, settings=SMALL, horizons=(12.0, 24.0), references=False, processes=1)
    return workspace, train(request, workspace).id, load_cohort("one", workspace).content_hash


def test_the_stored_verdicts_are_those_of_scoring_the_own_cohort(trained: tuple[Workspace, str, str]) -> None:
    workspace, run, content = trained
    stored = read_own_support(run, "one", content, workspace)
    assert stored is not None
    found = predict(PredictRequest(run, "one", Repeats(harrell=20, other=5, calibration=2)), workspace).table
    pd.testing.assert_frame_equal(
        stored.table.set_index("id").sort_index(),
        found[["id", "supported", "reason", "distance"]].set_index("id").sort_index(),
    )
    outside = found[~found["supported"]]
    assert 0 < len(outside) < 0.1 * len(found)
    first = stored.of(outside["id"].iloc[0])
    assert first is not None
    assert not first.supported
    assert "times as far" in first.reason
    assert first.distance is not None
    assert first.distance > 1
    assert stored.of("nobody") is None


def test_a_run_without_stored_verdicts_takes_those_of_its_estimates(trained: tuple[Workspace, str, str]) -> None:
    workspace, run, content = trained
    path = workspace.run(run) / FILE
    aside = Path(f"{path}.aside")
    expected = predict(PredictRequest(run, "one", Repeats(harrell=20, other=5, calibration=2)), workspace).table
    path.rename(aside)
    try:
        found = read_own_support(run, "one", content, workspace)
        assert found is not None
        np.testing.assert_array_equal(found.table["supported"], expected["supported"])
        assert read_own_support(run, "one", "another import", workspace) is None
    finally:
        aside.rename(path)


def test_altered_verdicts_are_not_believed(trained: tuple[Workspace, str, str]) -> None:
    workspace, run, content = trained
    path = workspace.run(run) / FILE
    before = path.read_bytes()
    path.write_bytes(before + b"x")
    try:
        with pytest.raises(PrognoscopeError, match="altered"):
            read_own_support(run, "one", content, workspace)
    finally:
        path.write_bytes(before)
