"""The System page: empty, loading, error and normal; who may see it; an erasure from the first look to the flag."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from core import __version__
from core.access.actor import Actor, ask_for_actor
from core.access.roles import Role
from core.care.backup import backup
from core.care.erasure import erase, unfinished_erasures, verify_erased
from core.care.error_log import latest_errors, note_error
from core.care.own_backups import VARIABLE, backup_here
from core.care.system_state import RESIDENT, Disk
from core.care.version import CURRENT, FILE
from core.cohort.sample import save_sample
from core.cohort.storage import load_cohort
from core.jobs.queue import JobQueue
from core.results.files import write_json
from core.results.run_store import save_run
from core.results.workspace import Workspace
from tests.pages.builders import make_predictions, make_run
from tests.pages.test_page_states import html

GONE = "SYN-0007"


@pytest.fixture(autouse=True)
def no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs wait: no process is started."""
    monkeypatch.setattr("core.jobs.supervise.ensure_worker", lambda *_, **__: None)
    st.cache_data.clear()


def headers(test: AppTest) -> list[str]:
    return [h.value for h in test.header]


PARTS = [
    "Queue", "Backup", "Disk", "Runs and models", "Withdrawal of consent", "Who may see what", "Errors", "Audit log",
    "Versions",
]  # fmt: skip


def test_empty_every_part_says_what_will_stand_there(workspace: Workspace, open_page: Callable[..., AppTest]) -> None:
    test = open_page("system")
    assert not test.exception
    assert headers(test) == PARTS
    shown = html(test)
    for words in ("No jobs yet", "No backup yet", "Nothing is kept yet", "No run yet", "No cohort yet",
                  "No unexpected error on record", "No entry yet", "Research use only", "streamlit"):  # fmt: skip
        assert words in shown
    assert test.button(key="start_backup").label == "Make a backup"


def test_loading_shows_what_is_looked_at(
    filled: Workspace, open_page: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    def still(*_: object) -> Disk:
        st.stop()
        raise AssertionError

    monkeypatch.setattr("pages.widgets.system_head._disk", still)
    test = open_page("system")
    assert any("Looking at the workspace" in c.value for c in test.caption)
    assert len(test.get("skeleton")) == 2


def test_a_part_that_cannot_be_read_leaves_the_others_in_sight(
    filled: Workspace, open_page: Callable[..., AppTest]
) -> None:
    (filled.root / "erasures.json").write_text("{")
    (filled.run("hdmoe-1") / "run.json").write_text("{}")
    test = open_page("system")
    assert not test.exception
    shown = html(test)
    assert headers(test) == PARTS
    assert "Unreadable JSON" in shown
    assert "Run.json was altered" in shown
    assert "What to do" in shown


def test_a_workspace_of_a_newer_program_is_refused_on_every_page(
    filled: Workspace, open_page: Callable[..., AppTest]
) -> None:
    write_json(filled.root / FILE, {"version": CURRENT + 1, "program": "9.9"})
    for name in ("system", "survival"):
        test = open_page(name)
        assert not test.exception
        assert "newer than form" in html(test)
        assert "use the newer program" in html(test)
        assert not test.get("plotly_chart")


def test_normal_tells_jobs_disk_backups_runs_errors_and_versions(
    filled: Workspace, open_page: Callable[..., AppTest], tmp_path: Path
) -> None:
    queue = JobQueue(filled)
    job = queue.submit("routing", {"run": "hdmoe-1"}, "Reading the routing")
    backup(tmp_path / "yesterday.zip", filled)
    error_id = note_error(KeyError(f"{GONE} is missing"), "Patient", filled)
    write_json(filled.root / "jobs" / RESIDENT, {"pid": 1, "runs": ["hdmoe-1"]})
    test = open_page("system")
    assert not test.exception
    shown = html(test)
    for words in ("0 running, 1 waiting", "just now", "yesterday.zip", "sealed, key file", "Whole workspace", "HDMoE",
                  "<td>yes</td>", error_id, "KeyError", "<td>Patient</td>", __version__):  # fmt: skip
        assert words in shown
    assert GONE not in shown
    assert str(tmp_path) not in shown
    assert GONE not in latest_errors(filled)[0].trace
    test.button(key=f"cancel_panel_{job.id}").click().run()
    assert queue.get(job.id).state.value == "cancelled"
    test.run()
    assert "cancelled" in html(test)


def test_it_is_an_administrators_page(filled: Workspace, open_page: Callable[..., AppTest]) -> None:
    try:
        ask_for_actor(lambda: Actor("somebody", Role.RESEARCHER, None, "page"))
        test = open_page("system")
    finally:
        ask_for_actor(None)
    assert "For administrators" in html(test)
    assert headers(test) == []
    assert not test.button


def test_a_backup_is_one_click(
    filled: Workspace, open_page: Callable[..., AppTest], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "kept"))
    test = open_page("system")
    test.button(key="start_backup").click().run()
    assert [j.task for j in JobQueue(filled).unfinished()] == ["backup"]
    made = backup_here(filled)  # what the job does
    assert made.path.parent == tmp_path / "kept"
    assert made.path.name in html(open_page("system"))


def test_an_erasure_asks_first_and_is_told_afterwards(filled: Workspace, open_page: Callable[..., AppTest]) -> None:
    test = open_page("system")
    test.text_input(key="erase_patient").input("nobody")
    test.button(key="erase_look").click().run()
    assert "Nobody of that pseudonym or id" in html(test)
    test.text_input(key="erase_patient").input(GONE)
    test.button(key="erase_look").click().run()
    words = " ".join(m.value for m in test.markdown)
    assert "This goes for good" in words
    assert "the predictions of 1 run for this patient" in words
    assert test.button(key="erase_confirm").disabled
    test.checkbox(key="erase_sure").check().run()
    test.button(key="erase_confirm").click().run()
    jobs = JobQueue(filled).unfinished()
    assert [j.task for j in jobs] == ["erase"]
    assert GONE not in str(jobs[0])
    (request,) = unfinished_erasures(filled)
    assert jobs[0].arguments == {"request": request}

    assert erase(request, filled).found == ()  # what the job does
    shown = html(open_page("system"))
    assert "1 patient erased since: train again" in shown
    assert GONE not in shown
    assert GONE not in load_cohort("sample", filled).ids
    survival = html(open_page("survival"))
    assert "1 patient withdrew consent" in survival
    assert "earlier import" not in survival
    assert "withdrew consent after the training" in html(open_page("train"))
    assert verify_erased(filled).found == ()


def test_an_erasure_that_lost_its_job_can_be_taken_up_again(
    filled: Workspace, open_page: Callable[..., AppTest]
) -> None:
    test = open_page("system")
    test.text_input(key="erase_patient").input(GONE)
    test.button(key="erase_look").click().run()
    test.checkbox(key="erase_sure").check().run()
    test.button(key="erase_confirm").click().run()
    queue = JobQueue(filled)
    queue.cancel(queue.unfinished()[0].id)
    (request,) = unfinished_erasures(filled)
    test = open_page("system")
    assert "did not end" in html(test)
    test.button(key=f"erase_on_{request}").click().run()
    assert [j.arguments for j in queue.unfinished()] == [{"request": request}]


@pytest.mark.alone
def test_it_is_quick_once_it_is_warm(workspace: Workspace, open_page: Callable[..., AppTest]) -> None:
    cohort = save_sample(workspace)
    predictions = make_predictions(cohort)
    for number in range(12):
        save_run(make_run(cohort, predictions, f"hdmoe-{number}"), predictions, workspace)
    test = open_page("system")
    times = []
    for _ in range(5):
        began = time.process_time()
        test.run()
        times.append(time.process_time() - began)
    assert min(times) < 0.4, f"{min(times):.2f} s of processor time"
