"""Runs on disk: what was stored comes back, half-written is never read, altered is named, nothing is overwritten."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import PrognoscopeError
from core.results import files
from core.results.prediction import Predictions
from core.results.run import Metric, Metrics, Reference, Run
from core.results.run_store import delete_run, list_runs, load_predictions, load_run, save_run
from core.results.workspace import Workspace
from tests.results.generated import make_predictions, make_run


def test_a_run_and_its_predictions_come_back_equal(workspace: Workspace) -> None:
    run, predictions = make_run("one"), make_predictions(seeds=(0, 1))
    save_run(run, predictions, workspace, lambda folder: (folder / "extra.bin").write_bytes(b"x") and None)
    assert load_run("one", workspace) == run
    found = load_predictions("one", workspace)
    assert found.table.equals(predictions.table)
    assert found.survival.tobytes() == predictions.survival.tobytes()
    assert found.times.tobytes() == predictions.times.tobytes()
    assert (workspace.run("one") / "extra.bin").read_bytes() == b"x"


@settings(deadline=None, max_examples=25)
@given(st.lists(st.floats(0.001, 500), min_size=1, max_size=5, unique=True))
def test_months_of_any_precision_come_back_equal(tmp_path_factory: pytest.TempPathFactory, months: list[float]) -> None:
    times = np.sort(np.array(months))
    folder = tmp_path_factory.mktemp("predictions")
    made = make_predictions(n=20, times=times)
    made.write(folder)
    found = Predictions.read(folder)
    assert found.times.tolist() == times.tolist()
    assert found.survival.tobytes() == made.survival.tobytes()


def test_metrics_with_and_without_numbers_survive_json(workspace: Workspace) -> None:
    metrics = Metrics(
        Metric(0.7, 0.02, 0.6, 0.8, 0.69, "σ"),
        Metric(None, note="why"),
        Metric(0.2),
        Metric(0.25),
        auc={"12": Metric(0.71)},
        auc_naive={"12": Metric(None, note="few events")},
        tau=44.5,
    )
    run = make_run("m", metrics=metrics, references=(Reference("null", metrics),), excluded=(("no time", 3),))
    save_run(run, make_predictions(), workspace)
    assert load_run("m", workspace) == run


def test_a_run_is_immutable(workspace: Workspace) -> None:
    save_run(make_run("one"), make_predictions(), workspace)
    before = {p.name: files.sha256_of(p) for p in workspace.run("one").iterdir()}
    with pytest.raises(PrognoscopeError, match=r"a run 'one' exists.*immutable"):
        save_run(make_run("one", model="other"), make_predictions(), workspace)
    assert {p.name: files.sha256_of(p) for p in workspace.run("one").iterdir()} == before
    with pytest.raises(AttributeError):
        load_run("one", workspace).model = "x"  # type: ignore[misc]


@pytest.mark.parametrize("name", ["run.json", "predictions.parquet", "checkpoints/fold0.safetensors"])
def test_an_altered_or_missing_file_is_named(name: str, workspace: Workspace) -> None:
    def add(folder: Path) -> None:
        (folder / "checkpoints").mkdir()
        (folder / "checkpoints" / "fold0.safetensors").write_bytes(b"weights")

    save_run(make_run("one"), make_predictions(), workspace, add)
    path = workspace.run("one") / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(PrognoscopeError, match=f"{name} was altered") as caught:
        load_run("one", workspace)
    assert caught.value.where == "one"
    used = {"run.json": lambda: list_runs(workspace), "predictions.parquet": lambda: load_predictions("one", workspace)}
    if name in used:  # what a page reads without loading the whole run
        with pytest.raises(PrognoscopeError, match=f"{name} was altered"):
            used[name]()
    path.unlink()
    with pytest.raises(PrognoscopeError, match=f"{name} is missing"):
        load_run("one", workspace)


def test_a_failure_while_writing_leaves_nothing(workspace: Workspace) -> None:
    def fails(folder: Path) -> None:
        (folder / "half").write_bytes(b"half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        save_run(make_run("one"), make_predictions(), workspace, fails)
    assert list_runs(workspace) == ()
    assert list(workspace.runs.iterdir()) == []


ROOT = Path(__file__).resolve().parents[2]
KILLED = """
import sys, time
from pathlib import Path
from core.results.run_store import save_run
from core.results.workspace import Workspace
from tests.results.generated import make_predictions, make_run

def hang(folder):
    (folder / "big.bin").write_bytes(b"half of it")
    Path(sys.argv[2]).touch()
    time.sleep(60)

save_run(make_run("killed"), make_predictions(), Workspace(Path(sys.argv[1])), hang)
"""


def test_a_process_killed_while_writing_leaves_no_run(workspace: Workspace, tmp_path: Path) -> None:
    """A real kill -9: no clean-up runs. The name stays free and the remains are never listed."""
    save_run(make_run("good"), make_predictions(), workspace)
    reached = tmp_path / "reached"
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(workspace.root), str(reached)], cwd=ROOT)
    try:
        for _ in range(600):
            if reached.exists():
                break
            time.sleep(0.05)
        assert reached.exists()
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert any(p.name.startswith(".killed") for p in workspace.runs.iterdir())  # the remains are there
    assert [run.id for run in list_runs(workspace)] == ["good"]
    with pytest.raises(PrognoscopeError, match=r"no run named 'killed'.*good"):
        load_run("killed", workspace)
    save_run(make_run("killed"), make_predictions(), workspace)
    assert load_run("killed", workspace).id == "killed"


def test_a_folder_without_a_manifest_is_not_a_run(workspace: Workspace) -> None:
    save_run(make_run("one"), make_predictions(), workspace)
    save_run(make_run("two"), make_predictions(), workspace)
    (workspace.run("two") / files.MANIFEST).unlink()
    with pytest.raises(PrognoscopeError, match="without a manifest"):
        load_run("two", workspace)
    assert [run.id for run in list_runs(workspace)] == ["one"]


def test_deleting_stopped_half_way_leaves_no_half_run(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    save_run(make_run("one"), make_predictions(), workspace)
    save_run(make_run("two"), make_predictions(), workspace)

    def stopped(folder: Path, **_: object) -> None:
        next(p for p in Path(folder).iterdir() if p.name == "run.json").unlink()
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("shutil.rmtree", stopped)
        with pytest.raises(KeyboardInterrupt):
            delete_run("two", workspace)
    assert [run.id for run in list_runs(workspace)] == ["one"]
    delete_run("one", workspace)
    assert list_runs(workspace) == ()
    with pytest.raises(PrognoscopeError, match="no run named 'one'"):
        delete_run("one", workspace)


def test_a_broken_run_can_still_be_deleted(workspace: Workspace) -> None:
    save_run(make_run("one"), make_predictions(), workspace)
    (workspace.run("one") / "run.json").write_text("{")
    delete_run("one", workspace)
    assert not workspace.run("one").exists()


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".hidden", "UPPER", "x" * 70])
def test_names_that_leave_the_workspace_are_refused(name: str, workspace: Workspace) -> None:
    with pytest.raises(PrognoscopeError, match="cannot be used"):
        load_run(name, workspace)


def _fail_inside(target: Path) -> None:
    with files.new_folder(target) as folder:
        (folder / "a.txt").write_text("broken")
        raise OSError("disk full")


def test_replacing_a_folder_is_all_or_nothing(tmp_path: Path) -> None:
    target = tmp_path / "thing"
    for text in ("old", "new"):
        with files.new_folder(target) as folder:
            (folder / "a.txt").write_text(text)
    assert (target / "a.txt").read_text() == "new"
    with pytest.raises(OSError, match="disk full"):
        _fail_inside(target)
    files.verify_folder(target)
    assert (target / "a.txt").read_text() == "new"
    assert [p.name for p in tmp_path.iterdir()] == ["thing"]


def test_runs_are_listed_oldest_first(workspace: Workspace) -> None:
    for i, name in enumerate(("c", "a", "b")):
        save_run(make_run(name), make_predictions(), workspace)
        os.utime(workspace.run(name), (1000 + i, 1000 + i))
    assert [run.id for run in list_runs(workspace)] == ["c", "a", "b"]
    assert isinstance(list_runs(workspace)[0], Run)
