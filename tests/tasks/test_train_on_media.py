"""A training on slides, scans and reports: default modalities, honest references, and a record that says how."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.cohort.endpoint import Endpoint
from core.cohort.modality import Modality
from core.cohort.storage import save_cohort
from core.errors import PrognoscopeError
from core.features.encoded import load_features
from core.models.registry import MODELS
from core.results.run_store import load_run
from core.results.workspace import Workspace
from core.tasks.encode import EncodeRequest, encode
from core.tasks.train import TrainRequest, prepare, train
from core.training.neural import restore_neural
from core.training.state_files import read_state
from tests.tasks.media_cohort import REPORTS, SLIDES, VOLUMES, make_media_cohort

SMALL = {"width": 32, "token_dim": 8, "family_hidden": 16, "expert_hidden": 16, "training.epochs": 8}
ALL = (SLIDES, VOLUMES, Modality.GENOMICS, REPORTS, Modality.CLINICAL)


def request(**changes: object) -> TrainRequest:
    settings = {"folds": "2", "seeds": 1, "processes": 1, "settings": SMALL, "references": False, **changes}
    return TrainRequest("study", **settings)  # type: ignore[arg-type]


def test_modalities_of_a_run_are_those_that_can_be_read(workspace: Workspace, tmp_path: Path) -> None:
    make_media_cohort(workspace, tmp_path, patients=60, volumes=6, reports=6)
    assert prepare(request(), workspace).dataset.inputs.modalities == (Modality.GENOMICS, Modality.CLINICAL)
    with pytest.raises(PrognoscopeError, match="the volumes are not encoded"):
        prepare(request(modalities=(VOLUMES,)), workspace)
    encode(EncodeRequest("study", (REPORTS,), processes=1), workspace)
    prepared = prepare(request(), workspace)
    assert prepared.dataset.inputs.modalities == (Modality.GENOMICS, REPORTS, Modality.CLINICAL)


def test_a_run_on_all_five_modalities(workspace: Workspace, tmp_path: Path) -> None:
    """Every reader takes real bags; the permutation audit, the references and the checkpoints hold them too."""
    made = make_media_cohort(workspace, tmp_path, patients=60, slides=16, volumes=56, reports=58)
    encode(EncodeRequest("study", processes=1), workspace)
    run = train(request(references=True), workspace)
    assert run.modalities == tuple(m.value for m in ALL)
    assert {m: e["name"] for m, e in run.config["encoders"].items()} == {
        "slides": "colour-texture-nuclei",
        "volumes": "shape-intensity",
        "reports": "lexicon",
    }
    assert load_run(run.id, workspace).config == run.config
    names = [r.name for r in run.references]
    assert "penalised Cox, same inputs (bags averaged)" in names
    assert {f"{m.value} alone, 1 seed" for m in ALL if m is not SLIDES} <= set(names)
    # eight training patients with slides leave no time with 20 at risk: the row is missing, and said
    assert any(w.startswith("no reference row 'slides alone, 1 seed'") for w in run.warnings)
    assert "this run, slides permuted" in names
    checkpoint = next((workspace.run(run.id) / "checkpoints").glob("fold0-*.safetensors"))
    restored = restore_neural(read_state(checkpoint))
    inputs = prepare(request(), workspace).dataset.inputs
    risk = restored.predict(inputs, np.array([12.0])).risk
    assert np.isfinite(risk).all()
    assert set(restored.preparation.bags) == {SLIDES, VOLUMES, REPORTS}
    assert len(made.cohort) == 60


@pytest.mark.parametrize("model", ["snn", "late-fusion", "forest", "cox-penalised"])
def test_simpler_models_read_averaged_bags(workspace: Workspace, tmp_path: Path, model: str) -> None:
    make_media_cohort(workspace, tmp_path, patients=60, volumes=54, reports=56)
    encode(EncodeRequest("study", processes=1), workspace)
    neural = model in MODELS or model == "late-fusion"
    settings = {"width": 16, "family_hidden": 8, "training.epochs": 2} if neural else {}
    run = train(request(model=model, modalities=(VOLUMES, REPORTS), settings=settings), workspace)
    assert run.metrics.harrell_c.mean is not None
    assert run.patients == len(prepare(request(modalities=(VOLUMES, REPORTS)), workspace).dataset.inputs)


def test_a_signal_that_only_the_reports_carry_is_learned(workspace: Workspace, tmp_path: Path) -> None:
    """Times are made from the size a report states: what is read must reach the risk, out of fold."""
    made = make_media_cohort(workspace, tmp_path, patients=120, reports=120)
    encode(EncodeRequest("study", (REPORTS,), processes=1), workspace)
    features = load_features("study", workspace)
    sizes = []
    for patient in made.cohort.ids:
        encoded = features.read(patient, REPORTS)
        assert encoded is not None
        sizes.append(encoded.features[:, encoded.columns.index("largest size, log cm")].max())
    size = np.array(sizes)
    random = np.random.default_rng(0)
    time = random.exponential(np.exp(3.5 - 2.5 * (size - size.mean()) / size.std()))
    event = random.random(len(time)) < 0.8
    endpoint = Endpoint(
        name="os", label="death", time_zero="start", entry=np.zeros(len(time)), time=np.clip(time, 0.1, 200),
        event=event, competing=np.zeros(len(time), dtype=bool), event_label="death", competing_label="",
    )  # fmt: skip
    save_cohort(replace(made.cohort, endpoints={"os": endpoint}, folds={}), None, workspace)
    learned = {**SMALL, "training.epochs": 25, "training.learning_rate": 0.003}
    for model, settings in (("hdmoe", learned), ("cox-penalised", {})):
        run = train(request(model=model, modalities=(REPORTS,), settings=settings), workspace)
        assert run.metrics.harrell_c.mean is not None
        assert run.metrics.harrell_c.mean > 0.7, model
