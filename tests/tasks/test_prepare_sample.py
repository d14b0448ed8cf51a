"""The sample's show run: made once, after its files and their features, with ten models that never saw each patient."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.cohort.modality import Modality
from core.cohort.sample import save_sample
from core.results.run_store import save_run
from core.results.workspace import Workspace
from core.tasks import prepare_sample as module
from core.tasks.train import TrainRequest
from tests.pages.builders import make_predictions, make_run


def test_a_run_on_all_modalities_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = Workspace(tmp_path)
    cohort = save_sample(workspace)
    predictions = make_predictions(cohort)
    steps: list[Any] = []
    monkeypatch.setattr(module, "complete_sample", lambda *_, **__: steps.append("media"))
    monkeypatch.setattr(module, "encode", lambda *_, **__: steps.append("features"))

    def train(request: TrainRequest, *_: object) -> Any:
        steps.append(request)
        run = replace(
            make_run(cohort, predictions), id="hdmoe-shown", seeds=tuple(range(request.seeds)),
            modalities=tuple(m.value for m in request.modalities),
        )  # fmt: skip
        save_run(run, predictions, workspace)
        return run

    monkeypatch.setattr(module, "train", train)
    small = make_run(cohort, predictions)
    save_run(small, predictions, workspace)  # on fewer modalities: not the one that is asked for
    assert module.prepare_sample(workspace).trained
    request = steps.pop()
    assert steps == ["media", "features"]
    assert set(request.modalities) == set(Modality)
    assert request.seeds >= 10
    again = module.prepare_sample(workspace)
    assert (again.run, again.trained) == ("hdmoe-shown", False)
