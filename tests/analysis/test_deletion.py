"""Deleting a cohort or a run: everything that is said to go goes, and nothing else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.analysis.deletion import cohort_deletion, remove_cohort, remove_run, run_deletion
from core.cohort.importing import import_into
from core.cohort.storage import list_cohorts, load_original_ids
from core.errors import PrognoscopeError
from core.results.board_store import Verdict, add_patients, list_boards, new_board, note_opinion
from core.results.feature_records import EncodedModality, FeatureRecord, load_record, save_record
from core.results.prediction_set import Kind, PredictionSet, list_prediction_sets, save_prediction_set
from core.results.run_store import list_runs, save_run
from core.results.workspace import Workspace
from tests.results.generated import make_predictions, make_run


def study(folder: Path, name: str) -> Path:
    root = folder / name
    rows = ["id,time,event,age"]
    for i in range(12):
        rows.append(f"{name}-case{i},{i + 1},{i % 2},{50 + i}")
        (root / f"{name}-case{i}" / "reports").mkdir(parents=True)
        (root / f"{name}-case{i}" / "reports" / "ct.txt").write_text(f"A lesion of {i} cm.")
    (root / "patients.csv").write_text("\n".join(rows) + "\n")
    return root


def estimates(set_id: str, run: str, cohort: str) -> PredictionSet:
    table = pd.DataFrame(
        {"id": ["P-1"], "supported": [True], "reason": [""], "overlap": [False], "members": [3], "risk": [0.1],
         "distance": [0.5]}
    )  # fmt: skip
    curve = np.array([[0.8]])
    return PredictionSet(
        set_id, run, "hdmoe", cohort, "", "OS", False, Kind.UNSTATED, (12.0,), None, 3, (0.05, 0.95), table,
        np.array([12.0]), curve, curve, curve, {}, (), (), "no outcome", (), "test", "2026-01-01T00:00:00", 1.0,
    )  # fmt: skip


@pytest.fixture
def two(workspace: Workspace, tmp_path: Path) -> Workspace:
    """Two cohorts with reports and features, a run on each, and estimates by the runs for the other's patients."""
    for name, shared in (("first", "common"), ("second", "common")):
        import_into(workspace, study(tmp_path, name), name)
        save_run(make_run(f"run-{name}", cohort=name), make_predictions(), workspace)
        encoded = EncodedModality("lexicon", 1, {}, 4, (), {"P-1": f"{name}-only", "P-2": shared})
        save_record(FeatureRecord(name, {"reports": encoded}), workspace)
        (workspace.features / f"{name}-only.safetensors").write_bytes(b"x")
    (workspace.features / "common.safetensors").write_bytes(b"x")
    save_prediction_set(estimates("set-1", "run-first", "second"), workspace)
    save_prediction_set(estimates("set-2", "run-second", "first"), workspace)
    return workspace


def files_about(name: str, workspace: Workspace) -> list[str]:
    places = (workspace.cohorts, workspace.protected, workspace.features, workspace.media, workspace.predictions)
    return sorted(str(p) for place in places if place.is_dir() for p in place.rglob("*") if name in str(p))


def test_what_goes_with_a_cohort_is_said_first(two: Workspace) -> None:
    found = cohort_deletion("first", two)
    assert found.goes == (
        "12 patients with their outcomes and values",
        "the list of which patient has which pseudonym (12 ids)",
        "12 report texts",
        "the encoded reports of 2 patients, where no other cohort uses them",
        "1 set of estimates that runs made for its patients",
    )
    assert [r.id for r in found.runs] == ["run-first"]
    assert len(list_cohorts(two)) == 2


def test_a_deleted_cohort_leaves_nothing_of_its_own_and_everything_of_the_others(two: Workspace) -> None:
    other = files_about("second", two)
    remove_cohort("first", two)
    assert [c.name for c in list_cohorts(two)] == ["second"]
    assert files_about("first", two) == []
    assert load_original_ids("first", two) == {}
    assert load_record("first", two).modalities == {}
    assert files_about("second", two) == other
    assert (two.features / "common.safetensors").is_file()
    assert [s.id for s in list_prediction_sets(None, two)] == ["set-1"]
    assert {r.id for r in list_runs(two)} == {"run-first", "run-second"}


def test_its_runs_go_with_it_when_asked_for(two: Workspace) -> None:
    remove_cohort("first", two, with_runs=True)
    assert [r.id for r in list_runs(two)] == ["run-second"]
    assert list_prediction_sets(None, two) == ()


def test_a_run_takes_its_estimates_along_and_nothing_else(two: Workspace) -> None:
    assert "1 set of estimates it made for other cohorts" in run_deletion("run-first", two).goes
    remove_run("run-first", two)
    assert [r.id for r in list_runs(two)] == ["run-second"]
    assert [s.id for s in list_prediction_sets(None, two)] == ["set-2"]
    assert len(list_cohorts(two)) == 2


def test_what_is_not_there_cannot_be_deleted(two: Workspace) -> None:
    for act in (lambda: cohort_deletion("third", two), lambda: remove_cohort("third", two),
                lambda: remove_run("third", two)):  # fmt: skip
        with pytest.raises(PrognoscopeError, match="third"):
            act()


def test_board_lists_go_with_their_patients_and_stay_when_a_run_goes(two: Workspace) -> None:
    mine = add_patients(new_board("Monday", "IRB 1", "first", "run-first", 12.0, two).id, ("P-1",), two)
    other = new_board("Tuesday", "IRB 1", "second", "run-second", 12.0, two)
    note_opinion(mine.id, "P-1", Verdict.AGREE, "a thought", two)
    assert any("1 board list of it" in words for words in run_deletion("run-first", two).stays)
    assert "1 board list with the pages frozen for it and what was noted" in cohort_deletion("first", two).goes
    remove_cohort("first", two)
    assert [b.id for b in list_boards(two)] == [other.id]
    assert not [p for p in two.boards.rglob("*") if p.is_file() and "a thought" in p.read_text(encoding="utf-8")]
