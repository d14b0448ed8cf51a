"""From reports and genes with planted factors through training to the audit's verdict."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.cli.__main__ import main
from core.cohort.media_index import MediaFile, MediaIndex, MediaKind, save_media
from core.cohort.modality import Modality
from core.cohort.sample import SPECIFICATION, SampleTruth, make_sample_cohort
from core.cohort.storage import save_cohort
from core.features.encoded import load_features
from core.features.encoders import Encoded
from core.features.store import FeatureStore
from core.media.synthetic.report_writer import write_report
from core.results.audit import AuditReport, labels_of, load_audit
from core.results.feature_records import EncodedModality, FeatureRecord, save_record
from core.results.run import Run
from core.results.run_store import load_run
from core.results.workspace import Workspace
from core.tasks.audit import AuditRequest, audit, control_folder
from core.tasks.encode import EncodeRequest, encode
from core.tasks.model_encoders import encode_for_model
from core.tasks.train import TrainRequest, train

pytestmark = pytest.mark.slow

SCANS, REPORTS = Modality.VOLUMES, Modality.REPORTS
SMALL = {"training.epochs": 20, "training.learning_rate": 1e-3, "width": 48, "hidden": 48}


WIDTH = 12


def scanned(truth: SampleTruth, patient: int) -> Encoded:
    """Three phases: the same fixed mixture of both factors for everybody, and noise."""
    factors = np.array([truth.latents[name][patient] for name in ("liver_reserve", "tumour_burden")])
    mixture = np.random.default_rng(0).normal(size=(2, WIDTH))
    noise = np.random.default_rng(1000 + patient).normal(size=(3, WIDTH))
    return Encoded((factors @ mixture + noise).astype(np.float32))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """150 patients of the sample: reports written anew, and numbers of three phases that show the same two factors."""
    folder = tmp_path_factory.mktemp("audit")
    workspace = Workspace(folder / "workspace")
    cohort, truth = make_sample_cohort(150, name="planted")
    law = json.loads(SPECIFICATION.read_text(encoding="utf-8"))["media"]["reports"]
    files = []
    for number, patient in enumerate(cohort.ids):
        path = folder / f"{number}.txt"
        path.write_text(write_report(truth.findings.loc[patient], law, np.random.default_rng(number)).text)
        files.append(MediaFile(patient, REPORTS, MediaKind.REPORT, str(path)))
    availability = cohort.availability[["genomics", "clinical"]].copy()
    for modality in (REPORTS, SCANS):
        availability.insert(0, modality.value, True)
    ordered = [m.value for m in Modality if m.value in availability]
    save_cohort(replace(cohort, availability=availability[ordered]), None, workspace)
    save_media("planted", MediaIndex(tuple(files)), workspace)
    keys = {}
    for number, patient in enumerate(cohort.ids):
        keys[patient] = f"{number:064x}"
        FeatureStore(workspace).write(keys[patient], scanned(truth, number))
    scans = EncodedModality("shape-intensity", 1, {}, WIDTH, (), keys)
    save_record(FeatureRecord("planted", {SCANS.value: scans}), workspace)
    return workspace


def trained(workspace: Workspace, **settings: object) -> Run:
    request = TrainRequest(
        "planted", "biofact", (SCANS, REPORTS), folds="2", seeds=3, settings={**SMALL, **settings}, references=False,
        processes=1, horizons=(24.0,),
    )  # fmt: skip
    return train(request, workspace)


def audited(workspace: Workspace, run: Run, controls: bool = False) -> AuditReport:
    return audit(AuditRequest(run.id, controls, permutations=199, processes=1), workspace)


def test_planted_factors_are_found_and_the_controls_lose_what_they_must(place: Workspace) -> None:
    # the model's own encoder for reports is used, whatever they were encoded with before
    encode(EncodeRequest("planted", (REPORTS,), {REPORTS: "lexicon"}), place)
    run = trained(place)
    assert run.config["encoders"]["reports"]["name"] == "report-parts"
    report = audited(place, run, controls=True)
    assert report.labels == "as named"
    assert set(report.leaked) == {"tumour_size", "tumour_number", "vascular_invasion"}
    assert {m.marker for m in report.markers if m.block == "tumour"} == {"log10_afp"}
    assert report.gate is not None
    assert report.gate.correlation > 0
    assert report.gate.p < 0.05
    controls = {c.name: c for c in report.controls}
    # with three seeds one block of an untaught control may pass by chance; the verdict takes both
    assert {labels_of(controls[name].selectivity) for name in ("no_supervision", "shuffled_parts")} == {"not shown"}
    random = controls["random_router"].gate
    assert random is not None
    assert abs(random.correlation) < report.gate.correlation
    assert random.p > 0.05
    assert load_audit(run.id, place) == report


def test_experts_and_gate_taught_swapped_turn_round(place: Workspace) -> None:
    report = audited(place, trained(place, supervision="swapped"))
    assert all(s.value < 0 for s in report.selectivity.values())
    assert report.gate is not None
    assert report.gate.correlation < 0
    assert report.gate.p < 0.05


def command(capsys: pytest.CaptureFixture[str], *argv: str) -> dict[str, Any]:
    """What one command answers, as JSON."""
    assert main([*argv, "--json"]) == 0
    return dict(json.loads(capsys.readouterr().out.strip().splitlines()[-1]))


def test_redacting_by_the_commands_removes_the_mentions_and_going_back_costs_nothing(
    place: Workspace, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROGNOSCOPE_WORKSPACE", str(place.root))
    modalities = (SCANS, REPORTS)
    encode_for_model("planted", "biofact", modalities, False, place)
    plain = load_features("planted", place).fingerprint(modalities)
    assert encode_for_model("planted", "biofact", modalities, True, place) == (REPORTS,)
    assert load_features("planted", place).of(REPORTS).settings["redact"] is True
    trained = command(
        capsys, "train", "--cohort", "planted", "--model", "biofact", "--modalities", "volumes,reports", "--folds", "2",
        "--seeds", "1", "--processes", "1", "--horizons", "24", "--no-references", "--redact-markers",
        "--set", "training.epochs=1", "--set", "width=48", "--set", "hidden=48",
    )  # fmt: skip
    assert any("removed" in w for w in load_run(trained["run"], place).warnings)
    assert encode_for_model("planted", "biofact", modalities, False, place) == (REPORTS,)
    assert load_features("planted", place).fingerprint(modalities) == plain
    # the audit reads the run's own form of the reports again
    report = command(capsys, "audit", trained["run"], "--permutations", "199", "--processes", "1")
    assert report["redacted"] is True
    assert set(report["leaked"]) == {"tumour_size", "tumour_number"}  # measured on the scans
    assert {"vascular_invasion", "log10_afp"} == {m["marker"] for m in report["markers"] if m["block"] == "tumour"}
    assert set(report["selectivity"]) == {"liver", "tumour"}


class Stopped(Exception):
    """Whoever pulls the plug."""


def test_a_stopped_audit_goes_on_with_the_controls_it_has(place: Workspace) -> None:
    encode(EncodeRequest("planted", (REPORTS,), {REPORTS: "lexicon"}), place)
    run = trained(place, **{"training.epochs": 1, "training.pretrain_epochs": 1})
    said: list[str] = []

    def stop(_: float, words: str) -> None:
        if words.startswith("sentence parts shuffled: fold 2"):
            raise Stopped

    request = AuditRequest(run.id, True, permutations=19, processes=1)
    with pytest.raises(Stopped):
        audit(request, place, stop)
    kept = control_folder(run.id, place)
    before = {p: p.stat().st_mtime_ns for p in kept.rglob("*.safetensors")}
    assert len(before) == 2 * (6 + 2)  # 6 fits of one control, 2 of the next, each with its model
    report = audit(request, place, lambda _, words: said.append(words))
    assert "without biological supervision: 6 of 6 fits found finished" in said
    assert "sentence parts shuffled: 2 of 6 fits found finished" in said
    assert not kept.exists()
    whole = audit(request, place)
    assert {c.name: c.selectivity for c in report.controls} == {c.name: c.selectivity for c in whole.controls}


def test_a_measured_marker_is_leaked(tmp_path: Path) -> None:
    from core.cohort.marker_blocks import markers_of
    from core.tasks.audit_leaks import leaked_markers

    cohort, _ = make_sample_cohort(60)
    markers = markers_of(cohort, 30)

    class Scans:
        modalities = ("volumes",)
        cohort = "sample"
        config = {"encoders": {"volumes": {"name": "shape-intensity"}}}  # noqa: RUF012

    found = leaked_markers(Scans(), markers, cohort.ids, Workspace(tmp_path))  # type: ignore[arg-type]
    assert set(found) == {"tumour_size", "tumour_number"}
