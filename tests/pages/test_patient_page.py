"""The Patient page in its states: nobody chosen, no run, a patient with a number, one without, a new one; the finder,
the month, the presentations, and that nothing of a patient stands in the address."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from core.cohort.cohort import Provenance
from core.cohort.new_patient import FORMAT
from core.cohort.sample import make_sample_cohort, save_sample
from core.cohort.selection import CategoryFilter, Selection
from core.cohort.storage import load_cohort, save_cohort
from core.jobs.queue import JobQueue
from core.results.explanation import FEATURE_COLUMNS, Explanation, save_explanation
from core.results.own_support import OwnSupport, write_own_support
from core.results.prediction_set import Kind, PredictionSet, save_prediction_set
from core.results.run_store import save_run
from core.results.workspace import Workspace
from pages.widgets.state import KEY, PageState, _Held
from tests.pages.builders import TIMES, make_predictions, make_run

COHORT = make_sample_cohort()[0]
PATIENT, OTHER = COHORT.ids[0], COHORT.ids[1]


def shown(test: AppTest) -> str:
    return " ".join(str(e.value) for e in test.get("html")) + " ".join(m.value for m in test.markdown)


def chosen(test: AppTest) -> PageState:
    state: PageState = test.session_state[KEY].state
    return state


def put(test: AppTest, **changes: Any) -> AppTest:
    held = test.session_state[KEY]
    test.session_state[KEY] = _Held(replace(held.state, **changes), held.shown)
    return test.run()


def sound(test: AppTest) -> str:
    """The page's words, when nothing went wrong on it."""
    text = shown(test)
    assert not test.exception
    assert "Something went wrong" not in text
    return text


@pytest.fixture
def judged(workspace: Workspace) -> Workspace:
    """The sample cohort with a run that knows its support: the second patient lies outside."""
    cohort = save_sample(workspace)
    predictions = make_predictions(cohort, seeds=tuple(range(10)))
    table = pd.DataFrame({"id": cohort.ids, "supported": True, "reason": "", "distance": 0.4})
    table.loc[1, ["supported", "reason", "distance"]] = [False, "genomics 1.70 times as far as allowed", 1.7]
    run = make_run(cohort, predictions)
    save_run(run, predictions, workspace, lambda folder: write_own_support(OwnSupport(table), folder))
    return workspace


def test_nobody_chosen_is_a_designed_state(filled: Workspace, open_page: Callable[..., AppTest]) -> None:
    text = sound(open_page("patient"))
    assert "Choose a patient" in text
    assert "of 100" not in text


def test_without_a_run_it_says_how_to_get_one(workspace: Workspace, open_page: Callable[..., AppTest]) -> None:
    save_sample(workspace)
    text = sound(open_page("patient"))
    assert "No run of this cohort yet" in text
    assert "./run cli train --cohort sample" in text


def test_a_patient_with_a_number(judged: Workspace, open_page: Callable[..., AppTest]) -> None:
    test = open_page("patient")
    test.selectbox(key="find_patient").select(PATIENT).run()
    text = sound(test)
    value = make_predictions(COHORT, seeds=tuple(range(10))).ensemble().survival_at(36.0)[0]
    assert f'<span class="n">{round(100 * value)}</span><span class="of">of 100</span>' in text
    assert "The 10 models that never saw this patient say between" in text
    assert "Within what the run was trained on (distance 0.40" in text
    assert "What moved this estimate is not computed yet" in text
    assert "Stage alone" in text
    assert "not used by the model" in text
    assert "If still alive later" in [s.value for s in test.subheader]
    assert test.button(key="chip_patient").label == f"Patient {PATIENT} ✕"


def test_a_patient_outside_the_support_gets_no_number(judged: Workspace, open_page: Callable[..., AppTest]) -> None:
    test = put(open_page("patient"), patient=OTHER)
    text = sound(test)
    assert "No estimate for this patient" in text
    assert "genomics 1.70 times as far as allowed" in text
    assert 'class="n"' not in text
    assert not test.get("plotly_chart")
    assert "no estimate" in text  # in the row of the run beside the simple predictions
    assert "Stage alone" in text


def test_an_unchecked_run_says_so_and_checks_as_a_job(filled: Workspace, open_page: Callable[..., AppTest],
                                                      monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    started: list[tuple[str, dict[str, Any]]] = []
    monkeypatch.setattr(
        "pages.widgets.patient_support.submit_job",
        lambda workspace, task, arguments, title: started.append((task, arguments)),
    )
    test = put(open_page("patient"), patient=PATIENT)
    assert "has not been checked yet" in sound(test)
    test.button(key="check_support").click().run()
    assert started == [("predict", {"run": "hdmoe-1", "cohort": "sample"})]


def test_reasons_in_sentences_once_they_are_made(judged: Workspace, open_page: Callable[..., AppTest]) -> None:
    rows = [
        ("age", "clinical", "", -4.2, 0.1, 0.97, "71", np.nan),
        ("sex", "clinical", "", 1.1, 0.1, 0.6, "male", np.nan),
    ]
    table = pd.DataFrame(rows, columns=list(FEATURE_COLUMNS))
    save_explanation(
        Explanation("hdmoe-1", PATIENT, 36.0, "percentage points", 50.0, 53.1, 0.0, table, "m", "", None, 10, 50,
                    True, 0.8, True, "v", 1.0),
        judged,
    )  # fmt: skip
    text = sound(put(open_page("patient"), patient=PATIENT))
    assert "Age (71 years) lowers the estimated chance to be alive at 3 years by 4.2 percentage points." in text
    assert "No stable reason lowers the estimated risk." in text
    assert "not computed yet" not in text


def test_an_explanation_is_asked_for_as_a_job(judged: Workspace, open_page: Callable[..., AppTest],
                                              monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.setattr(
        "pages.widgets.explain_job.submit_job",
        lambda workspace, task, arguments, title: JobQueue(workspace).submit(task, arguments, title),
    )
    test = put(open_page("patient"), patient=PATIENT)
    test.button(key="explain_values").click().run()
    job = JobQueue(judged).jobs()[0]
    assert dict(job.arguments) == {"run": "hdmoe-1", "patient": PATIENT, "kinds": ["values"], "month": 36.0}
    assert PATIENT not in job.title
    assert "Explaining one patient" in sound(test)
    assert test.button(key="cancel_explain_values")


def test_the_month_and_the_presentation_are_kept(judged: Workspace, open_page: Callable[..., AppTest]) -> None:
    test = put(open_page("patient"), patient=PATIENT)
    assert chosen(test).month == 36.0
    test.segmented_control(key="patient_month").set_value(12.0).run()
    assert chosen(test).month == 12.0
    text = sound(test)
    assert "1 year after diagnosis" in text
    test.segmented_control(key="patient_presented").set_value("Table").run()
    assert chosen(test).presented == "Table"
    assert "Of 100" in sound(test)
    test.segmented_control(key="patient_presented").set_value("Sentence").run()
    assert "cannot be known" in sound(test)
    again = put(test, patient=OTHER)
    assert chosen(again).presented == "Sentence"


def test_the_finder_walks_through_the_selected_patients(judged: Workspace, open_page: Callable[..., AppTest]) -> None:
    men = Selection((CategoryFilter("sex", ("male",)),))
    wanted = [i for i, s in zip(COHORT.ids, COHORT.patients["sex"], strict=True) if s == "male"]
    test = put(open_page("patient"), selection=men, patient=wanted[3])
    assert list(test.selectbox(key="find_patient").options) == wanted
    test.button(key="patient_next").click().run()
    assert chosen(test).patient == wanted[4]
    test.button(key="patient_previous").click().run()
    test.button(key="patient_previous").click().run()
    assert chosen(test).patient == wanted[2]
    woman = next(i for i in COHORT.ids if i not in wanted)
    assert "not among the selected" in sound(put(test, patient=woman))


def test_pinned_to_compare_and_let_go(judged: Workspace, open_page: Callable[..., AppTest]) -> None:
    test = put(open_page("patient"), patient=PATIENT)
    test.button(key="pin_patient").click().run()
    test = put(test, patient=COHORT.ids[4])
    assert f"Pinned <b>{PATIENT}</b>" in sound(test)
    test.button(key="chip_pinned").click().run()
    assert f"Pinned <b>{PATIENT}</b>" not in sound(test)
    test.button(key="chip_patient").click().run()
    assert "Choose a patient" in sound(test)


def test_the_chosen_patient_is_kept_by_a_saved_view_and_not_in_the_address(
    judged: Workspace, open_page: Callable[..., AppTest]
) -> None:
    test = put(open_page("patient"), patient=PATIENT, beside=OTHER, month=12.0, presented="Bar")
    state = chosen(test)
    assert PageState.from_json(state.as_json()) == state
    old = {k: v for k, v in state.as_json().items() if k not in ("patient", "beside", "month", "presented")}
    assert PageState.from_json(old).patient == ""
    address = {k: v if isinstance(v, str) else v[0] for k, v in dict(test.query_params).items()}
    assert list(address) == ["view"]
    assert PATIENT not in str(address)
    again = open_page("patient", view=address["view"])
    assert chosen(again) == state
    assert chosen(open_page("survival", view=address["view"])).patient == PATIENT


def test_a_patient_no_longer_in_the_cohort_is_let_go(judged: Workspace, open_page: Callable[..., AppTest]) -> None:
    test = put(open_page("patient"), patient="P-GONE", month=30.0)
    assert chosen(test).patient == ""
    assert chosen(test).month in (12.0, 36.0, 60.0)


@pytest.fixture
def scored(judged: Workspace) -> str:
    """A new patient as ``score-new`` leaves one: a cohort of one, without an outcome, scored by the sample's run."""
    one = COHORT.take(np.array([7]))
    index = pd.Index(["P-NEW00001"], name="patient", dtype=object)
    endpoint = replace(one.endpoint("OS"), time=np.array([np.nan]), event=np.zeros(1, dtype=bool))
    cohort = replace(
        one, name="new-1", title="New patient", patients=one.patients.set_axis(index), endpoints={"OS": endpoint},
        availability=one.availability.set_axis(index), provenance=Provenance(FORMAT, {}, "", "1"), folds={},
        synthetic=False,
    )  # fmt: skip
    save_cohort(cohort, {"P-NEW00001": "N1"}, judged)
    curve = np.exp(-0.02 * TIMES)[None, :]
    table = pd.DataFrame(
        {"id": list(index), "supported": True, "reason": "", "overlap": False, "members": 50, "risk": 0.3,
         "distance": 0.5}
    )  # fmt: skip
    save_prediction_set(
        PredictionSet(
            "new-1-by-1", "hdmoe-1", "hdmoe", "new-1", cohort.content_hash, "OS", False, Kind.UNSTATED,
            (12.0, 36.0, 60.0), 60.0, 50, (0.1, 0.9), table, TIMES, curve, curve * 0.9, np.minimum(curve * 1.05, 1),
            {"genomics": "rnaseq in 'TPM'"}, (("values of sex taken as missing", 1),), (), "no outcome",
            ("the run was trained on synthetic patients: its estimates say nothing of these",), "v", "2026-02-01", 1.0,
        ),
        judged,
    )  # fmt: skip
    return "new-1"


def test_a_new_patient_has_the_same_page_and_its_checks(scored: str, open_page: Callable[..., AppTest]) -> None:
    test = put(open_page("patient"), cohort=scored)
    test = put(test, patient="P-NEW00001")
    text = sound(test)
    assert f'<span class="n">{round(100 * np.exp(-0.02 * 36))}</span>' in text
    assert "The 50 models that the run holds say between" in text
    assert "new patient" in text
    assert "Genomics not used: rnaseq in &#x27;TPM&#x27;" in text
    assert "1 values of sex taken as missing" in text
    assert "The run was trained on synthetic patients" in text
    assert "Estimated by a run of another cohort: sample" in text
    assert "Stage alone" in text
    test.button(key="delete_new").click().run()
    assert "This will be gone for good:" in shown(test)


@pytest.mark.parametrize(
    ("name", "says", "charts"),
    [
        ("cohort", ("0 events: death (OS)", "1 of 1 patients with an estimate", "each estimate their mean"), 1),
        ("survival", ("No patient with a usable follow-up time", "No run of this cohort yet"), 0),
        ("experts", ("No run of this cohort yet", "Experts belong to a trained model: there is none to look at"), 0),
        ("patient", ("Estimated by a run of another cohort: sample", "Choose a patient"), 0),
        ("board", ("No list yet",), 0),
        ("train", ("0 events for 5 folds", "No training starts with these folds and inputs"), 0),
        ("compare", ("Nothing to compare yet",), 0),
        ("evidence", ("A model card is made from a trained run: there is none to speak of",), 0),
    ],
)  # fmt: skip
def test_a_cohort_of_one_new_patient_breaks_no_page(
    name: str, says: tuple[str, ...], charts: int, scored: str, open_page: Callable[..., AppTest]
) -> None:
    """Without an outcome there is nothing to draw a curve, a fold or a model from: each page says what is missing."""
    test = put(open_page(name), cohort=scored)
    assert not test.exception
    text = " ".join(re.sub(r"<[^>]+>", " ", shown(test)).split())
    for words in says:
        assert words in text
    assert len(test.get("plotly_chart")) == charts
    assert "Something went wrong" not in text
    assert "P-NEW00001" not in str(dict(test.query_params))


def test_the_form_of_a_new_patient_hands_it_to_a_job(judged: Workspace, open_page: Callable[..., AppTest],
                                                     monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.setattr(
        "pages.widgets.new_patient.submit_job",
        lambda workspace, task, arguments, title: JobQueue(workspace).submit(task, arguments, title),
    )
    test = open_page("patient")
    test.button(key="new_patient_button").click().run()
    sound(test)
    assert test.number_input(key="new_age").label == "Age (years)"
    test.button[[b.label for b in test.button].index("Estimate")].click().run()
    assert "Nothing about the patient" in shown(test)
    test.number_input(key="new_age").set_value(64.0)
    test.selectbox(key="new_sex").select("male")
    test.button[[b.label for b in test.button].index("Estimate")].click().run()
    job = JobQueue(judged).jobs()[0]
    assert job.task == "score-new"
    assert job.arguments["run"] == "hdmoe-1"
    assert job.arguments["name"].startswith("new-")
    assert "Estimating a new patient" in sound(test)


def test_a_click_sent_with_an_older_address_is_not_undone(
    judged: Workspace, open_page: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    test = put(open_page("patient"), patient=PATIENT)
    older = test.query_params["view"]
    test.segmented_control(key="patient_presented").set_value("Bar").run()
    newer = test.query_params["view"]
    test.query_params["view"] = older  # the browser had not taken the new address up yet
    test.segmented_control(key="patient_presented").set_value("Icons").run()
    assert chosen(test).presented == "Icons"
    test.query_params["view"] = newer
    test.run()  # a click that changes no state, sent just as early
    assert chosen(test).presented == "Icons"
    monkeypatch.setattr("pages.widgets.state.SETTLING_SECONDS", 0.0)
    test.query_params["view"] = older  # the back button, later
    test.run()
    assert chosen(test).presented == ""


def test_cohorts_of_one_title_are_told_apart(judged: Workspace, scored: str, open_page: Callable[..., AppTest]) -> None:
    """The browser sends back the words of the list: were they alike, another patient would stand on the page."""
    first = load_cohort(scored, judged)
    for name in ("new-0", "new-2"):
        save_cohort(replace(first, name=name), None, judged)
    test = put(open_page("patient"), cohort=scored)
    options = test.selectbox(key="bar_cohort").options
    assert len(set(options)) == len(options)
    assert "New patient · 1 patient · new-1" in options
    put(test, patient="P-NEW00001")
    test.run()
    assert (chosen(test).cohort, chosen(test).patient) == (scored, "P-NEW00001")


def explaining() -> None:
    """A page with the panel of the maps alone; it runs in a process of words, so it imports all it uses."""
    from core.results.explained import Kind
    from pages.widgets.data import View
    from pages.widgets.explain_job import explain_panel
    from pages.widgets.opening import show_page
    from pages.widgets.patient_read import with_scoring_runs

    def body(view: View) -> None:
        patient = view.state.patient or view.cohort.ids[0]
        explain_panel(with_scoring_runs(view), patient, (Kind.SLIDE,), None, "Where the models looked.")

    show_page("Patient", body)


def test_maps_of_a_new_patient_are_made_by_a_job_from_their_own_cohort(
    judged: Workspace, scored: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.jobs.supervise.ensure_worker", lambda *_: None)
    test = put(AppTest.from_function(explaining, default_timeout=60).run(), cohort=scored, patient="P-NEW00001")
    sound(test)
    test.button(key="explain_slide").click().run()
    (job,) = JobQueue(judged).jobs()
    assert (job.task, job.arguments["run"], job.arguments["cohort"]) == ("explain", "hdmoe-1", scored)
    assert job.arguments["kinds"] == ["slide"]


def test_a_patient_without_a_number_is_not_explained(judged: Workspace) -> None:
    test = put(AppTest.from_function(explaining, default_timeout=60).run(), patient=OTHER)
    text = sound(test)
    assert "Nothing is explained: this patient gets no estimate" in text
    assert "enomics 1.70 times as far as allowed" in text
    assert "explain_slide" not in {b.key for b in test.button}
