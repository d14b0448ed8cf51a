"""The command line's contract: keys, exit codes, one sentence for a failure, nothing half-imported."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from core.cli.__main__ import MODULES, main
from core.cohort.storage import load_cohort
from core.results.run_store import load_run
from core.results.workspace import Workspace
from core.tasks.train import TrainRequest, prepare, reference_specs
from core.training.config import TrainingConfig


def call(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, dict[str, Any], str]:
    code = main([*argv, "--json"])
    captured = capsys.readouterr()
    return code, json.loads(captured.out.strip().splitlines()[-1]), captured.err


QUICK = ("--seeds", "1", "--folds", "3", "--processes", "1", "--set", "training.epochs=1", "--set", "width=32",
         "--set", "token_dim=8", "--set", "family_hidden=16")  # fmt: skip


@pytest.fixture
def sample(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    code, answer, _ = call(capsys, "import", "sample")
    assert code == 0
    return answer


def test_import_sample_gives_the_keys_of_the_contract(sample: dict[str, Any]) -> None:
    assert sample["patients"] >= 160
    assert sample["synthetic"] is True
    assert set(sample["modalities"]) == {"slides", "volumes", "genomics", "reports", "clinical"}
    assert 0 < sample["events"] < sample["patients"]
    assert all(set(e) == {"reason", "count"} for e in sample["excluded"])


def test_train_evaluate_compare(
    sample: dict[str, Any], workspace: Workspace, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code, trained, progress = call(capsys, "train", "--cohort", sample["cohort"], *QUICK)
    assert code == 0
    assert "100 %" in progress
    assert {"run", "cohort", "model", "protocol", "folds", "seeds", "seconds", "metrics"} <= set(trained)
    c = trained["metrics"]["harrell_c"]
    assert c["low"] < c["mean"] < c["high"]
    assert {"mean", "low", "high"} <= set(trained["metrics"]["auc"]["12"])
    names = {r["name"] for r in trained["references"]}
    assert {"Kaplan-Meier null", "Cox, clinical inputs", "this run, genomics permuted"} <= names

    out = tmp_path / "predictions.csv"
    code, again, _ = call(capsys, "evaluate", trained["run"], "--predictions", str(out))
    assert code == 0
    assert again["metrics"]["harrell_c"]["mean"] == pytest.approx(c["mean"])
    table = pd.read_csv(out)
    assert len(table) == load_run(trained["run"], workspace).patients
    assert {"id", "fold", "seed", "time", "event", "risk", "S(12)"} <= set(table.columns)

    code, refused, _ = call(capsys, "evaluate", trained["run"], "--predictions", str(tmp_path / "no" / "folder.csv"))
    assert code == 1
    assert "cannot be written" in refused["error"]

    code, other, _ = call(
        capsys, "train", "--cohort", sample["cohort"], "--model", "cox-clinical", "--modalities", "clinical,genomics",
        "--seeds", "1", "--folds", "3", "--no-references", "--processes", "1",
    )  # fmt: skip
    assert code == 0
    code, compared, _ = call(capsys, "compare", trained["run"], other["run"])
    assert code == 0
    difference = compared["difference"]["harrell_c"]
    assert difference["low"] <= difference["mean"] <= difference["high"]


@pytest.mark.parametrize(
    ("argv", "word"),
    [
        (("train", "--cohort", "absent"), "absent"),
        (("train", "--cohort", "sample", "--modalities", "slides"), "slides"),
        (("train", "--cohort", "sample", "--modalities", "blood"), "blood"),
        (("train", "--cohort", "sample", "--endpoint", "XYZ"), "XYZ"),
        (("train", "--cohort", "sample", "--folds", "published"), "published"),
        (("train", "--cohort", "sample", "--folds", "1"), "fold"),
        (("train", "--cohort", "sample", "--set", "nonsense=1"), "nonsense"),
        (("train", "--cohort", "sample", "--set", "training.nonsense=1"), "nonsense"),
        (("train", "--cohort", "sample", "--set", "token_dim=7"), "token_dim"),
        (("train", "--cohort", "sample", "--model", "forest", "--protocol", "upstream"), "upstream"),
        (("train", "--cohort", "sample", "--set", "training.batch_size=0"), "batch_size"),
        (("train", "--cohort", "sample", "--set", "training.learning_rate=fast"), "a number from 0 on"),
        (("train", "--cohort", "sample", "--set", "training.gene_scale=log"), "rank or z-score"),
        (("train", "--cohort", "sample", "--set", "width=wide"), "a whole number"),
        (("train", "--cohort", "sample", "--model", "forest", "--set", "trees=none"), "trees"),
        (("train", "--cohort", "sample", "--device", "gpu"), "gpu"),
        (("train", "--cohort", "sample", "--seeds", "0"), "seeds"),
        (("train", "--cohort", "sample", "--horizons", "soon"), "soon"),
        (("train", "--cohort", "sample", "--horizons=-5,12"), "above 0"),
        (("train", "--cohort", "sample", "--horizons", "12,inf"), "above 0"),
        (("evaluate", "no-such-run"), "no-such-run"),
        (("evaluate", "../escape"), "escape"),
        (("compare", "one"), "two runs"),
        (("import", "/no/such/path", "--name", "x"), "path"),
        (("import", "sample", "--name", "Not Allowed"), "Not Allowed"),
    ],
)
def test_a_failure_is_one_sentence(
    sample: dict[str, Any], capsys: pytest.CaptureFixture[str], argv: tuple[str, ...], word: str
) -> None:
    code, answer, err = call(capsys, *argv)
    assert code == 1
    assert set(answer) == {"error", "where", "fix"}
    assert word.lower() in " ".join(answer.values()).lower()
    assert "Traceback" not in err
    assert len([line for line in err.strip().splitlines() if not line.startswith("[")]) == 1


def test_relative_paths_begin_where_the_user_stands(
    workspace: Workspace, tmp_path: Path, shared_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """``run`` changes the folder; a competing event carries the words the user gave it."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "pbc.csv").write_bytes((shared_data / "hcc" / "pbc.csv").read_bytes())
    columns = ("--column", "id=id", "--column", "time=time", "--column", "event=status", "--column", "time_unit=days")
    codes = ("--event", "0=censored", "--event", "1=competing", "--event", "2=event")
    command = [Path(__file__).resolve().parents[2] / "run", "cli", "import", "data/pbc.csv", "--name", "pbc", *columns]
    done = subprocess.run(
        [*command, *codes, "--competing-label", "liver transplant", "--json"],
        cwd=tmp_path, capture_output=True, text=True, check=False, env=os.environ | {"PROGNOSCOPE_WORKSPACE": "ws"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    endpoint = load_cohort("pbc", Workspace(tmp_path / "ws")).endpoint()
    assert (int(endpoint.event.sum()), int(endpoint.competing.sum())) == (161, 25)
    assert (endpoint.event_label, endpoint.competing_label) == ("death", "liver transplant")
    code, refused, _ = call(capsys, *map(str, command[2:]), "--competing-label", "liver transplant")
    assert code == 1
    assert refused["error"] == "words for a competing event that no code stands for"


def test_wrong_use_is_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["train"])
    assert stop.value.code == 2


def test_nothing_is_left_of_a_failed_training(
    sample: dict[str, Any], workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, _ = call(capsys, "train", "--cohort", "sample", "--set", "token_dim=7", *QUICK[:6])
    assert code == 1
    assert not workspace.runs.exists() or not list(workspace.runs.iterdir())


def test_an_upstream_run_stands_beside_its_honest_number(sample: dict[str, Any], workspace: Workspace) -> None:
    request = TrainRequest("sample", protocol="upstream")
    prepared = prepare(request, workspace)
    rows = {name: spec for name, spec, _ in reference_specs(request, prepared)}
    assert prepared.spec.training.protocol == "upstream"
    assert rows["the same model, honest protocol, 1 seed"].training == TrainingConfig(protocol="honest")
    assert not any("honest" in name for name, *_ in reference_specs(TrainRequest("sample"), prepared))


def test_doctor_names_what_it_looked_at(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    code, answer, _ = call(capsys, "doctor")
    assert code == 0
    names = {f["name"] for f in answer["findings"]}
    assert {"Python", "torch", "GPU", "OpenSlide", "browser", "disk", "workspace"} <= names
    assert all(f["fix"] for f in answer["findings"] if not f["fine"])


@pytest.mark.parametrize("command", ["cohorts", "runs"])
def test_a_list_does_not_wait_for_torch(command: str, tmp_path: Path) -> None:
    script = f"import sys; from core.cli.__main__ import main; main(['{command}']); sys.exit('torch' in sys.modules)"
    environment = os.environ | {"PROGNOSCOPE_WORKSPACE": str(tmp_path)}
    assert subprocess.run([sys.executable, "-c", script], env=environment, check=False).returncode == 0


def test_every_command_stands_in_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    for argv in (["--help"], ["nonsense"]):
        with pytest.raises(SystemExit):
            main(argv)
        captured = capsys.readouterr()
        assert all(word in captured.out + captured.err for word in MODULES)
    for word in MODULES:
        with pytest.raises(SystemExit) as stop:
            main([word, "--help"])
        assert stop.value.code == 0
        assert f"./run cli {word}" in capsys.readouterr().out
