"""The Train page: what would start, that nothing leaks, one job for two clicks, live curves, and the record."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.cohort.folds import Folds
from core.cohort.media_index import MediaFile, MediaIndex, MediaKind, save_media
from core.cohort.modality import Modality
from core.cohort.sample import make_sample_cohort, save_sample
from core.cohort.storage import save_cohort
from core.jobs.job import Job, JobState
from core.jobs.ledger import Ledger
from core.jobs.queue import JobQueue
from core.results.feature_records import EncodedModality, FeatureRecord, save_record
from core.results.run_store import list_runs
from core.results.training_curve import FILE, CurvePoint, LevelLoad, append_point
from core.results.workspace import Workspace
from pages.widgets.state import KEY, PageState

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs wait: nobody works at them in these tests."""
    monkeypatch.setattr("core.jobs.supervise.ensure_worker", lambda *_, **__: None)


def html(test: AppTest) -> str:
    return " ".join(str(e.value) for e in test.get("html"))


def chosen(test: AppTest) -> PageState:
    return test.session_state[KEY].state


def address(test: AppTest) -> str:
    value = test.query_params["view"]
    return value if isinstance(value, str) else value[0]


def keys(test: AppTest) -> set[str]:
    return {b.key for b in test.button}


def started(test: AppTest, workspace: Workspace) -> tuple[AppTest, Job]:
    test.button(key="start_training").click().run()
    assert not test.exception
    return test, JobQueue(workspace).jobs()[0]


def work_at(job: Job, workspace: Workspace) -> Ledger:
    ledger = Ledger(JobQueue(workspace).path)
    taken = ledger.take_next()
    assert taken is not None
    assert taken.id == job.id
    return ledger


def write_epochs(
    job: Job, workspace: Workspace, load: tuple[float, ...], epochs: int = 4, drift: float | None = None
) -> None:
    path = JobQueue(workspace).folder(job.id) / FILE
    for epoch in range(epochs):
        levels = {"level 2": LevelLoad.of(load, (1.0,) * len(load))}
        far = {} if drift is None else {"genomics": drift}
        append_point(path, CurvePoint(0, 0, epoch, 2.0 - epoch / 10, 2.1, 0.7, 0.6, 0.2, levels=levels, drift=far))


def test_defaults_are_not_listed_and_what_differs_is(filled: Workspace, open_page: Callable[..., AppTest]) -> None:
    test = open_page("train")
    assert "every setting is the default" in html(test)
    test.selectbox(key="train_preset").select("quick").run()
    text = html(test)
    for words in ("Epochs", "Seeds", "Simpler models beside it"):
        assert f"<td>{words}</td>" in text
    assert "Learning rate" not in text
    command = test.code[0].value
    assert command.endswith("--seeds 1 --set training.epochs=3 --no-references")
    test.number_input(key="set_hdmoe_top_k").set_value(3).run()
    assert chosen(test).training.settings == (("top_k", 3), ("training.epochs", 3))
    assert "<td>Experts a token</td><td>3</td><td>1</td>" in html(test)
    test.button(key="train_preset_again").click().run()
    assert chosen(test).training.settings == (("training.epochs", 3),)


def test_every_choice_has_a_tooltip(filled: Workspace, open_page: Callable[..., AppTest]) -> None:
    test = open_page("train")
    controls = [*test.number_input, *test.checkbox, *(s for s in test.selectbox if not s.key.startswith("bar_"))]
    assert len(controls) > 30
    assert [c.label for c in controls if len(c.help or "") < 10] == []


def test_two_clicks_start_one_training_and_a_second_visitor_sees_it(
    filled: Workspace, open_page: Callable[..., AppTest]
) -> None:
    test, job = started(open_page("train"), filled)
    test.button(key="start_training").click().run()
    assert "not started twice" in html(test)
    assert [j.id for j in JobQueue(filled).jobs()] == [job.id]
    assert job.task == "train"
    assert job.arguments["command"] == test.code[0].value
    assert chosen(test).job == job.id
    other = open_page("train")  # a refreshed page, or another browser: nothing was held by the first
    assert "waiting, next to run" in " ".join(p.text for p in other.get("progress")).lower()
    other.button(key="start_training").click().run()
    assert len(JobQueue(filled).jobs()) == 1
    again = open_page("train", view=address(test))
    assert chosen(again).job == job.id


def test_cancelled_is_called_cancelled(filled: Workspace, open_page: Callable[..., AppTest]) -> None:
    test, job = started(open_page("train"), filled)
    test.button(key="cancel_watched").click().run()
    assert JobQueue(filled).get(job.id).state is JobState.CANCELLED
    assert "<h3>Cancelled</h3>" in html(test)
    assert 'role="alert"' not in html(test)


def test_a_running_training_shows_its_epochs_and_progress(filled: Workspace, open_page: Callable[..., AppTest]) -> None:
    test, job = started(open_page("train"), filled)
    assert len(test.get("plotly_chart")) == 0
    work_at(job, filled).tell(job.id, 0.4, "training, fold 2, seed 0")
    write_epochs(job, filled, (0.25, 0.25, 0.25, 0.25))
    test.run()
    assert not test.exception
    assert len(test.get("plotly_chart")) == 5
    assert "Training, fold 2, seed 0 · 40 %" in " ".join(p.text for p in test.get("progress"))
    assert "collapsed" not in html(test)
    assert "0 fits have finished; fold 1, seed 0: epoch 4 of 10" in html(test)
    assert "choose nothing" in html(test)


def test_the_alarm_sounds_when_one_expert_takes_all(filled: Workspace, open_page: Callable[..., AppTest]) -> None:
    test, job = started(open_page("train"), filled)
    work_at(job, filled)
    write_epochs(job, filled, (0.97, 0.01, 0.01, 0.01))
    assert "The experts have collapsed" in html(test.run())


def test_stand_ins_that_drift_are_told_of(filled: Workspace, open_page: Callable[..., AppTest]) -> None:
    test, job = started(open_page("train"), filled)
    work_at(job, filled)
    write_epochs(job, filled, (0.25, 0.25, 0.25, 0.25), drift=2.5)
    shown = html(test.run())
    assert "Stand-ins for genomics have drifted" in shown
    assert "up to 2.5 times their own spread" in shown
    assert "collapsed" not in shown


def test_a_failed_training_says_its_sentence(filled: Workspace, open_page: Callable[..., AppTest]) -> None:
    test, job = started(open_page("train"), filled)
    work_at(job, filled).finish(job.id, JobState.FAILED, error="3 events for 5 folds. Use fewer folds.")
    assert "3 events for 5 folds" in html(test.run())


def test_a_finished_training_shows_what_came_of_it(filled: Workspace, open_page: Callable[..., AppTest]) -> None:
    test, job = started(open_page("train"), filled)
    run = list_runs(filled)[0]
    work_at(job, filled).finish(job.id, JobState.DONE, {"run": run.id, "cohort": "sample"})
    test.run()
    text = html(test)
    assert "Done in" in text
    assert text.count("0.660") >= 2  # the job's result, and the record below
    assert f"survival_job_{run.id}" in keys(test)


def test_sites_in_two_folds_are_refused_with_the_patient_and_nothing_can_start(
    workspace: Workspace, open_page: Callable[..., AppTest]
) -> None:
    cohort = make_sample_cohort()[0]
    sites = cohort.sites.to_numpy()
    names, number = np.unique(sites, return_inverse=True)
    plan = number % 3
    row = int(np.flatnonzero(sites == names[0])[0])
    plan[row] = (plan[row] + 1) % 3
    save_cohort(replace(cohort, folds={"hospitals": Folds("site", plan)}), None, workspace)
    test = open_page("train")
    assert "start_training" in keys(test)
    test.selectbox(key="train_folds").select("hospitals").run()
    assert cohort.ids[row] in html(test)
    assert "No training starts" in html(test)
    assert "start_training" not in keys(test)


def test_a_model_is_offered_only_what_it_can_read_and_has(filled: Workspace, open_page: Callable[..., AppTest]) -> None:
    test = open_page("train")
    assert test.checkbox(key="train_modality_slides").disabled
    test.button(key="train_complete").click().run()
    assert [j.task for j in JobQueue(filled).jobs()] == ["complete-sample"]
    test.run()
    assert "are being made now" in html(test)
    assert "train_complete" not in keys(test)
    test.selectbox(key="train_model").select("cox-clinical").run()
    assert test.checkbox(key="train_modality_genomics").disabled
    assert "--modalities clinical " in test.code[0].value
    test.checkbox(key="train_modality_clinical").uncheck().run()
    assert "At least one modality is needed" in html(test)
    assert test.checkbox(key="train_modality_clinical").value
    assert "--modalities clinical " in test.code[0].value


def test_slides_are_encoded_by_a_job_and_then_chosen(workspace: Workspace, open_page: Callable[..., AppTest]) -> None:
    cohort = replace(make_sample_cohort()[0], name="own", title="Own patients")
    save_cohort(cohort, None, workspace)
    have = [i for i, there in zip(cohort.ids, cohort.availability["slides"], strict=True) if there]
    files = tuple(MediaFile(i, Modality.SLIDES, MediaKind.SLIDE, f"/nowhere/{i}.svs") for i in have)
    save_media("own", MediaIndex(files), workspace)
    test = open_page("train")
    test.button(key="train_encode").click().run()
    job = JobQueue(workspace).jobs()[0]
    assert (job.task, dict(job.arguments)) == ("encode", {"cohort": "own", "modalities": ["slides"]})
    encoded = EncodedModality("colour-texture-nuclei", 1, {}, 8, (), dict.fromkeys(have[:150], "0" * 64))
    save_record(FeatureRecord("own", {"slides": encoded}), workspace)
    test.run()
    box = test.checkbox(key="train_modality_slides")
    assert box.value
    assert not box.disabled
    assert f"{len(have) - 150} of these patients" in box.help
    assert "--modalities slides,genomics,clinical" in test.code[0].value


def test_a_run_is_deleted_only_after_it_was_said_what_goes(
    filled: Workspace, open_page: Callable[..., AppTest]
) -> None:
    test = open_page("train")
    test.button(key="delete_run").click().run()
    assert "out-of-fold predictions" in " ".join(m.value for m in test.markdown)
    assert len(list_runs(filled)) == 1
    test.button(key="delete_confirm").click().run()
    assert list_runs(filled) == ()
    assert "No run of this cohort yet" in html(test.run())


def test_a_cohort_without_runs_says_so(workspace: Workspace, open_page: Callable[..., AppTest]) -> None:
    save_sample(workspace)
    text = html(open_page("train"))
    assert "No run of this cohort yet" in text
    assert "No training yet" in text


def test_neither_page_loads_torch(filled: Workspace) -> None:
    script = (
        "import sys\nfrom streamlit.testing.v1 import AppTest\n"
        "for name in ('train', 'compare'):\n"
        f"    test = AppTest.from_file(r'{ROOT}/pages/' + name + '.py', default_timeout=30).run()\n"
        "    assert not test.exception\n"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False).returncode == 0
