"""Erasing a patient: gone from everything the workspace holds, proved without keeping the name; others untouched."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import save_file

from core.access.actor import Actor, NotAllowedError, acting
from core.access.audit_check import verify
from core.access.audit_entry import Action
from core.access.record import record
from core.access.roles import Role
from core.care.erasure import ask_to_erase, erase, erasure_plan, unfinished_erasures, verify_erased
from core.care.needles import KnownNames
from core.care.search import search
from core.cohort.importing import import_into
from core.cohort.media_index import load_media
from core.cohort.storage import load_cohort, load_original_ids
from core.cohort.tombstones import FILE, bury
from core.errors import PrognoscopeError
from core.jobs.queue import JobQueue
from core.results.board_store import list_boards, opinions_of
from core.results.erasures import erased_patients, load_erasures, only_erased_since
from core.results.feature_records import EncodedModality, FeatureRecord, load_record, save_record
from core.results.files import verify_folder
from core.results.image_means import ImageMeans, load_image_means, save_image_means
from core.results.prediction_set import load_prediction_set
from core.results.run_store import load_predictions, load_run
from core.results.workspace import Workspace
from tests.care.canary import GONE, OTHER, PATIENTS, Planted, every_kind, planted, study


@pytest.fixture
def before(workspace: Workspace, tmp_path: Path) -> Planted:
    return planted(workspace, tmp_path)


def raw_hits(root: Path, names: tuple[str, ...]) -> list[str]:
    """An independent look: bytes of every file, and cells of every table."""
    found = []
    for path in (p for p in root.rglob("*") if p.is_file()):
        text = path.read_bytes() + str(path.relative_to(root)).encode()
        if path.suffix == ".parquet":
            text += pd.read_parquet(path).reset_index().to_csv().encode()
        found += [str(path) for name in names if name.encode() in text]
    return found


def test_nothing_of_the_patient_is_left_and_the_others_are_whole(before: Planted) -> None:
    workspace, names = before.workspace, (before.pseudonym, GONE)
    assert len(raw_hits(workspace.root, names)) > 15
    hash_before = load_cohort("clinic", workspace).content_hash
    left = erase(ask_to_erase("clinic", GONE, workspace), workspace)
    assert left.found == ()
    assert left.unread == ()
    assert raw_hits(workspace.root, names) == []
    assert verify_erased(workspace).found == ()
    assert unfinished_erasures(workspace) == ()

    cohort = load_cohort("clinic", workspace)
    assert len(cohort) == PATIENTS - 1
    assert before.other in cohort.ids
    assert len(load_original_ids("clinic", workspace)) == PATIENTS - 1
    assert load_media("clinic", workspace).of(before.other)
    assert not (workspace.features / f"{'a' * 64}.safetensors").exists()
    assert (workspace.features / f"{'b' * 64}.safetensors").is_file()
    assert list(load_prediction_set("set-1", workspace).table["id"]) == [before.other]
    board = list_boards(workspace)[0]
    assert board.patients == (before.other,)
    assert [o.note for o in opinions_of(board.id, workspace)] == ["as [erased]"]
    assert len(list(workspace.views.glob("*.json"))) == 1
    assert [j.arguments["patient"] for j in JobQueue(workspace).jobs()] == [before.other]
    assert "another line" in (workspace.root / "jobs" / "resident.log").read_text()
    assert only_erased_since(hash_before, cohort.content_hash, "clinic", workspace)
    assert not only_erased_since("another", cohort.content_hash, "clinic", workspace)


def test_the_run_says_so_and_its_predictions_lose_the_rows(before: Planted) -> None:
    workspace = before.workspace
    rows = len(load_predictions("hdmoe-clinic", workspace))
    assert erasure_plan("clinic", GONE, workspace).runs == ("hdmoe-clinic",)
    for number, name in enumerate((GONE, OTHER), start=1):
        erase(ask_to_erase("clinic", name, workspace), workspace)
        verify_folder(workspace.run("hdmoe-clinic"))
        run = load_run("hdmoe-clinic", workspace)
        assert erased_patients(run) == number
        assert len([w for w in run.warnings if "withdrew consent" in w]) == 1
    left = load_predictions("hdmoe-clinic", workspace)
    assert len(left) == rows - 4  # two seeds, two patients
    assert [e.runs for e in load_erasures(workspace)] == [("hdmoe-clinic",)] * 2


def test_an_erasure_that_was_stopped_goes_on_where_it_was(before: Planted, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = before.workspace
    request = ask_to_erase("clinic", before.pseudonym, workspace)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    for stage in ("erase_from_boards", "erase_leftovers"):
        with monkeypatch.context() as patch:
            patch.setattr(f"core.care.erasure.{stage}", killed)
            with pytest.raises(KeyboardInterrupt):
                erase(request, workspace)
        assert unfinished_erasures(workspace) == (request,)
    assert erase(request, workspace).found == ()
    assert load_erasures(workspace)[0].runs == ("hdmoe-clinic",)
    assert raw_hits(workspace.root, (before.pseudonym, GONE)) == []


def test_a_tombstone_names_nobody_and_an_import_that_brings_them_again_is_told(before: Planted, tmp_path: Path) -> None:
    workspace = before.workspace
    erase(ask_to_erase("clinic", GONE, workspace), workspace)
    stones = json.loads((workspace.protected / FILE).read_text())
    assert len(stones) == 2
    assert set(stones[0]) == {"digest", "window", "length", "digits", "at"}
    again = import_into(workspace, tmp_path / "study", "again")
    assert any("erased here on" in w and "1 patient" in w for w in again.warnings)
    assert not any(GONE in w or before.pseudonym in w for w in again.warnings)
    assert verify_erased(workspace).found  # they are back, and the search says so


@pytest.mark.parametrize("kind", sorted(every_kind("x")))
def test_the_search_opens_every_kind_of_file(kind: str, workspace: Workspace, tmp_path: Path) -> None:
    """By name and by tombstone alone."""
    name = "TCGA-AB-1234"
    bury([name], "2026-01-01T00:00:00", workspace)
    path = workspace.root / "somewhere" / kind
    path.parent.mkdir(parents=True)
    path.write_bytes(every_kind("TCGA-AB-1235")[kind])
    assert verify_erased(workspace).found == ()
    path.write_bytes(every_kind(name)[kind])
    assert [f.path for f in verify_erased(workspace).found] == [f"somewhere/{kind}"]
    assert [f.path for f in search(workspace.root, KnownNames([name])).found] == [f"somewhere/{kind}"]


def test_names_in_safetensors_metadata_sqlite_and_paths_are_found(workspace: Workspace) -> None:
    name = "P-ABCDEFGH"
    bury([name], "2026-01-01T00:00:00", workspace)
    place = workspace.root / "x"
    place.mkdir(parents=True)
    save_file({"a": np.zeros(3)}, place / "m.safetensors", metadata={"settings": f'{{"who": "{name}"}}'})
    with sqlite3.connect(place / "q.sqlite") as connection:
        connection.execute("CREATE TABLE t (a TEXT)")
        connection.execute("INSERT INTO t VALUES (?)", ["y" * 5000 + f" {name} " + "z" * 5000])
    (place / f"{name}-1.txt").write_text("nothing")
    (place / "longer.txt").write_text(f"{name}J and x{name}")  # other patients' names that begin or end alike
    found = {f.path for f in verify_erased(workspace).found}
    assert found == {"x/m.safetensors", "x/q.sqlite", f"x/{name}-1.txt"}


def test_a_short_number_is_looked_for_as_a_whole_value_alone(workspace: Workspace) -> None:
    bury(["17"], "2026-01-01T00:00:00", workspace)
    (workspace.root / "a.csv").write_text("id,age\n3,170\n")
    (workspace.root / "b.bin").write_bytes(bytes(range(256)) * 40 + b" 17 ")
    assert verify_erased(workspace).found == ()
    (workspace.root / "a.csv").write_text("id,age\n17,3\n")
    assert [f.path for f in verify_erased(workspace).found] == ["a.csv"]


def test_files_of_the_users_own_are_named_not_touched(before: Planted) -> None:
    workspace = before.workspace
    own = workspace.root / "incoming" / "table.csv"
    own.parent.mkdir()
    own.write_text(f"id\n{GONE}\n")
    left = erase(ask_to_erase("clinic", GONE, workspace), workspace)
    assert [f.path for f in left.found] == ["incoming/table.csv"]
    assert own.read_text() == f"id\n{GONE}\n"


def test_a_person_in_two_cohorts_goes_from_both_and_a_namesake_stays(
    before: Planted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = before.workspace
    import_into(workspace, tmp_path / "study", "second")
    other = study(tmp_path / "elsewhere")
    table = other / "patients.csv"
    table.write_text(table.read_text().replace(GONE, "somebody-else"))
    plan = erasure_plan("clinic", GONE, workspace)
    assert set(plan.cohorts) == {"clinic", "second"}
    erase(ask_to_erase("clinic", GONE, workspace), workspace)
    assert len(load_cohort("second", workspace)) == PATIENTS - 1
    with pytest.raises(PrognoscopeError, match="nobody of that pseudonym"):
        ask_to_erase("clinic", GONE, workspace)


def test_nothing_is_erased_while_a_job_runs(before: Planted) -> None:
    workspace = before.workspace
    queue = JobQueue(workspace)
    job = queue.submit("routing", {"run": "hdmoe-clinic"}, "Reading the routing")
    with sqlite3.connect(queue.path) as connection:
        connection.execute("UPDATE jobs SET state = 'running' WHERE id = ?", [job.id])
    with pytest.raises(PrognoscopeError, match="running job"):
        erase(ask_to_erase("clinic", GONE, workspace), workspace)
    assert before.pseudonym in load_cohort("clinic", workspace).ids


def test_the_audit_log_stays_sealed_and_names_the_pseudonym_alone(
    before: Planted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing may be taken out of it: it is told apart, and still checks out entry by entry."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    workspace = before.workspace
    for patient in (before.pseudonym, GONE):  # an original id given by mistake never reaches it
        record(Action.PATIENT_OPENED, workspace, cohort="clinic", patient=patient)
    left = erase(ask_to_erase("clinic", GONE, workspace), workspace)
    assert left.found == ()
    assert [f.path for f in left.recorded] == ["protected/audit/log.jsonl"]
    assert verify(workspace).good
    assert verify(workspace).entries == 2
    assert GONE not in (workspace.protected / "audit" / "log.jsonl").read_text()


def test_means_of_features_lose_the_row_and_stay_readable(before: Planted) -> None:
    workspace = before.workspace
    ids = (before.pseudonym, before.other)
    encoded = EncodedModality("nuclei", 1, {}, 2, ("a", "b"), dict.fromkeys(ids, "c" * 64))
    save_record(FeatureRecord("clinic", {"slides": encoded}), workspace)
    save_image_means(ImageMeans("clinic", "slides", "nuclei", ("a", "b"), ids, np.eye(2)), encoded, workspace)
    erase(ask_to_erase("clinic", GONE, workspace), workspace)
    now = load_record("clinic", workspace).modalities["slides"]
    means = load_image_means("clinic", "slides", now, workspace)
    assert means is not None
    assert means.ids == (before.other,)
    assert means.values.tolist() == [[0.0, 1.0]]
    assert raw_hits(workspace.root, (before.pseudonym, GONE)) == []


def test_only_who_operates_the_workspace_may_ask(before: Planted) -> None:
    for role in (Role.VIEWER, Role.RESEARCHER):
        with acting(Actor("somebody", role)), pytest.raises(NotAllowedError):
            ask_to_erase("clinic", GONE, before.workspace)
    assert unfinished_erasures(before.workspace) == ()
