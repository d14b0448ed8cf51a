"""The worked examples of CONTRIBUTING.md do what they say: they are taken from the file and used."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.cohort import importing
from core.cohort.importers.readers import READERS
from core.cohort.importing import import_into
from core.cohort.modality import Modality
from core.cohort.sample import save_sample
from core.errors import PrognoscopeError
from core.models import registry
from core.results.workspace import Workspace
from core.tasks.train import TrainRequest, train

TEXT = (Path(__file__).resolve().parents[1] / "CONTRIBUTING.md").read_text(encoding="utf-8")
BLOCKS = dict(re.findall(r"```python (\w+)\n(.*?)```", TEXT, flags=re.DOTALL))


def used(name: str) -> dict[str, Any]:
    """The names an example defines; it is a module of its own, as dataclasses need."""
    module = ModuleType(f"contributing_{name}")
    sys.modules[module.__name__] = module
    exec(compile(BLOCKS[name], f"CONTRIBUTING.md:{name}", "exec"), module.__dict__)
    return module.__dict__


def test_every_example_is_short() -> None:
    assert set(BLOCKS) == {"model", "importer", "page"}
    assert all(len(code.splitlines()) <= 45 for code in BLOCKS.values())


def test_a_model_written_so_is_trained_and_judged(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = used("model")["SPEC"]
    monkeypatch.setitem(registry.MODELS, "linear", spec)  # type: ignore[arg-type]
    save_sample(workspace)
    request = TrainRequest(
        "sample", "linear", (Modality.GENOMICS,), folds="2", seeds=1, processes=1, references=False,
        settings={"training.epochs": 30, "dropout": 0.2}, horizons=(24.0,),
    )  # fmt: skip
    run = train(request, workspace)
    assert run.model == "linear"
    assert run.metrics.harrell_c.mean is not None
    assert run.metrics.harrell_c.mean > 0.55  # the sample's genes are planted: a linear model finds some of it


def test_an_importer_written_so_makes_a_cohort(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = used("importer")["read_json_lines"]
    monkeypatch.setitem(READERS, "json-lines", lambda path, o: read(path, o.events))  # type: ignore[arg-type]
    monkeypatch.setattr(importing, "FORMATS", (*importing.FORMATS, "json-lines"))
    rows = [{"id": f"P{i}", "age": 50 + i, "days": 365.25 * (i + 1), "dead": i % 2 == 0} for i in range(6)]
    path = tmp_path / "registry.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    cohort = import_into(workspace, path, "registry", format="json-lines")
    assert sorted(cohort.endpoint().time) == pytest.approx([12.0 * (i + 1) for i in range(6)])
    assert int(cohort.endpoint().event.sum()) == 3
    assert not {f"P{i}" for i in range(6)} & set(cohort.ids)
    assert np.array_equal(np.sort(cohort.patients["age"]), np.arange(50, 56))
    path.write_text('{"id": "P1", "age": 1, "days": 2, "dead": "maybe"}', encoding="utf-8")
    with pytest.raises(PrognoscopeError, match="line 1: write true or false"):
        read(path)


def test_a_page_written_so_has_its_states(workspace: Workspace) -> None:
    assert "No cohort yet" in _html(AppTest.from_string(BLOCKS["page"], default_timeout=30).run())
    save_sample(workspace)
    test = AppTest.from_string(BLOCKS["page"], default_timeout=30).run()
    assert not test.exception
    assert len(test.get("plotly_chart")) == 1
    assert "Research use only" in _html(test)


def _html(test: AppTest) -> str:
    return " ".join(str(e.value) for e in test.get("html"))
