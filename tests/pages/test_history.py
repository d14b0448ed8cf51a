"""What was done stands in the top bar, every earlier state comes back, and the methods text names nobody unasked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from unittest.mock import patch

import pytest
from streamlit.testing.v1 import AppTest

from core.analysis.grouping import Cut, GroupBy, Source
from core.analysis.methods_text import A_PATIENT, methods_markdown, methods_plain
from core.cohort.sample import make_sample_cohort
from core.cohort.selection import CategoryFilter, IdsFilter, NamedGroup, RangeFilter, Selection
from core.results.run_store import list_runs
from core.results.views import load_view
from core.results.workspace import Workspace
from pages.widgets import state as page
from pages.widgets.data import View
from pages.widgets.figure_block import chart_key
from pages.widgets.history_events import told_when_made
from pages.widgets.history_export import session_of
from pages.widgets.history_words import told
from pages.widgets.state import KEY, PageState, Phenotyping, _Held
from tests.pages.test_shared_state import address, chosen, seed

COHORT = make_sample_cohort()[0]
PATIENT = COHORT.ids[7]
STAGES = [str(s) for s in sorted(COHORT.patients["stage"].dropna().unique())]


def words(test: AppTest) -> list[str]:
    """The steps from the first to the present one."""
    trail = test.session_state[KEY].trail
    return [trail.steps[i].words for i in trail.path]


def counted(*stages: str) -> int:
    return int(COHORT.patients["stage"].isin(stages).sum())


def changed(test: AppTest, **changes: object) -> AppTest:
    """Change the state as a widget's callback would."""
    held: _Held = test.session_state[KEY]
    test.session_state[KEY] = replace(held, state=replace(held.state, **changes))
    return test.run()


def test_a_selection_made_changed_undone_and_done_again(filled: Workspace, open_page: Callable[..., AppTest]) -> None:
    test = open_page("cohort")
    assert test.button(key="undo").disabled
    assert test.button(key="redo").disabled
    for stage in STAGES[:2]:
        seed(test, chart_key("stage", list(chosen(test).selection.filters)), [stage])
    first, both = counted(STAGES[0]), counted(*STAGES[:2])
    assert words(test)[0] == "Cohort Synthetic HCC (generated patients) opened (240 patients)"
    assert words(test)[1].endswith(f"stage (BCLC-like): {STAGES[0]}: {first} of 240 patients")
    assert words(test)[2].startswith("Filter changed to")
    assert words(test)[2].endswith(f"{both} of 240 patients")
    test.button(key="undo").click().run()
    assert not test.exception
    assert chosen(test).selection.filters == (CategoryFilter("stage", (STAGES[0],)),)
    assert len(words(test)) == 2
    test.button(key="undo").click().run()
    assert not chosen(test).selection
    assert test.button(key="undo").disabled
    test.button(key="redo").click().run()
    test.button(key="redo").click().run()
    assert chosen(test).selection.filters == (CategoryFilter("stage", tuple(STAGES[:2])),)


def test_each_earlier_state_can_be_returned_to(filled: Workspace, open_page: Callable[..., AppTest]) -> None:
    test = open_page("survival")
    test.selectbox(key="endpoint").select("DWT").run()
    test.number_input(key="landmark").set_value(6.0).run()
    test.selectbox(key="cut").select(Cut.TERTILES).run()
    assert [w.split(",")[0] for w in words(test)[1:]] == [
        "Endpoint Death without transplant (DWT)", "Landmark at month 6", "Groups by predicted risk",
    ]  # fmt: skip
    trail = test.session_state[KEY].trail
    test.session_state["history"] = True
    test.run()
    shown = [t.value for t in test.text]
    assert len(shown) == len(trail.steps)
    assert "you are here" in shown[0]
    assert "Endpoint Death without transplant" in shown[2]
    test.button(key="return_1").click().run()
    assert not test.exception
    assert (chosen(test).endpoint, chosen(test).options.landmark) == ("DWT", 0.0)
    assert test.selectbox(key="cut").value is Cut.MEDIAN
    assert sum("(undone)" in t.value for t in test.text) == 2


def test_a_link_brings_the_history_along_and_no_patient(filled: Workspace, open_page: Callable[..., AppTest]) -> None:
    first = changed(open_page("patient"), patient=PATIENT)
    assert words(first)[-1] == "Patient chosen"
    assert PATIENT not in address(first)
    second = open_page("survival", view=address(first))
    assert words(second) == words(first)
    second.button(key="undo").click().run()
    assert chosen(second).patient == ""
    assert first.session_state[KEY].trail.steps[1].patient == PATIENT


def test_a_session_that_began_has_the_same_address_as_everybody(
    filled: Workspace, open_page: Callable[..., AppTest]
) -> None:
    one, two = address(open_page("cohort")), address(open_page("cohort"))
    assert one == two
    assert "trail" not in load_view(one, filled)


def test_a_look_is_no_step_but_comes_back_with_the_step(filled: Workspace, open_page: Callable[..., AppTest]) -> None:
    test = open_page("cohort")
    test = changed(test, options=replace(chosen(test).options, picked=(PATIENT,)))
    assert len(words(test)) == 1
    changed(test, endpoint="DWT")
    test.button(key="undo").click().run()
    assert chosen(test).options.picked == (PATIENT,)


def test_an_undo_whose_view_is_gone_says_so(filled: Workspace, open_page: Callable[..., AppTest]) -> None:
    test = changed(open_page("cohort"), endpoint="DWT")
    gone = test.session_state[KEY].trail.steps[0].view
    (filled.views / f"{gone}.json").unlink()
    test.button(key="undo").click().run()
    assert not test.exception
    assert "unknown view" in test.warning[0].value
    assert chosen(test).endpoint == "DWT"


def test_an_exported_file_is_in_the_history(filled: Workspace, open_page: Callable[..., AppTest]) -> None:
    test = open_page("cohort")
    waiting = test.session_state[page.EVENTS]
    # what the button hands to the server, which calls it outside the session's script
    with patch.object(page, "events", lambda: waiting):
        assert told_when_made("Figure survival exported, SVG", lambda: "file")() == "file"
    test.run()
    assert words(test)[-1] == "Figure survival exported, SVG"
    assert test.button(key="undo").disabled


CHANGES = {
    "run": (PageState(), PageState(run="hdmoe-1"), "Run chosen"),
    "clear": (PageState(selection=Selection((RangeFilter("age", 40, 60),))), PageState(), "Selection cleared"),
    "phenotype": (
        PageState(), PageState(selection=Selection((IdsFilter((PATIENT,), "phenotype: expert 2"),))),
        "Phenotype taken as selection, expert 2: 1 of 240",
    ),
    "group": (PageState(), PageState(groups=(NamedGroup.of("early", (PATIENT,)),)), "Group saved, early (1 patient)"),
    "pinned": (PageState(), PageState(beside=PATIENT), "Patient pinned to compare"),
    "month": (PageState(), PageState(month=12.0), "Horizon 12 months"),
    "arm": (PageState(), PageState(arm="treatment"), "Treatment arm"),
    "phenotyping": (
        PageState(), PageState(phenotyping=Phenotyping("clusters of gates", "", 4)), "clusters of gates, 4 groups",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_each_change_is_one_plain_line_without_a_pseudonym(name: str) -> None:
    before, after, expected = CHANGES[name]
    step = told(replace(before, cohort="sample"), replace(after, cohort="sample"), COHORT, ())
    assert step is not None
    assert expected in step.words or name == "run"
    assert PATIENT not in step.words
    assert "\n" not in step.words


def view_of(workspace: Workspace, state: PageState) -> View:
    return View(workspace, state, COHORT, list_runs(workspace), state.selection.apply(COHORT))


def methods(workspace: Workspace, named: bool = False) -> tuple[str, str]:
    selection = Selection((CategoryFilter("stage", tuple(STAGES[:2])), IdsFilter(COHORT.ids[:120], f"like {PATIENT}")))
    groups = GroupBy(Source.RISK, "", Cut.TERTILES)
    state = PageState("sample", "hdmoe-1", "OS", selection)
    state = replace(state, options=replace(state.options, group_by=groups))
    trail = page.Trail()
    for before, after in ((None, PageState("sample")), (PageState("sample"), state),
                          (state, replace(state, patient=PATIENT))):  # fmt: skip
        step = told(before, after, COHORT, list_runs(workspace))
        assert step is not None
        trail = trail.done(step)
    session = session_of(view_of(workspace, state), trail.seen("Survival"))
    return methods_markdown(session, named), methods_plain(session, named)


def test_the_methods_text_says_what_the_records_say(filled: Workspace) -> None:
    text, plain = methods(filled)
    run = list_runs(filled)[0]
    stage = counted(*STAGES[:2])
    kept = COHORT.patients["stage"].isin(STAGES[:2]).to_numpy().copy()
    kept[120:] = False
    outcome = COHORT.endpoint("OS").take(kept.nonzero()[0])
    for expected in (
        COHORT.content_hash, run.cohort_hash, run.id, run.code_version, f"({stage} patients)".replace(" patients", ""),
        f"{int(kept.sum())} patients with {int(outcome.event.sum())} events", "HDMoE on genomics + clinical",
        "5 outer folds (5-fold), seeds 0, 1", "cut at the tertiles", "synthetic", "Research use only", "scipy",
        "0.660 (95 % bootstrap interval 0.610 to 0.710)", "Efron's ties", "out-of-fold",
    ):  # fmt: skip
        assert expected in text, expected
        assert expected in plain, expected
    assert not any(sign in plain for sign in ("##", "**", "*Research"))


def test_nobody_is_named_unless_asked(filled: Workspace) -> None:
    for text in methods(filled):
        assert not any(name in text for name in COHORT.ids)
        assert f"like {A_PATIENT}" in text
    for text in methods(filled, named=True):
        assert f"Patient chosen ({PATIENT})" in text


def test_undone_steps_are_counted_and_not_told(filled: Workspace) -> None:
    state = PageState("sample", "hdmoe-1", "OS")
    trail = page.Trail()
    for before, after in ((None, state), (state, replace(state, endpoint="DWT"))):
        step = told(before, after, COHORT, ())
        assert step is not None
        trail = trail.done(step)
    text = methods_markdown(session_of(view_of(filled, state), trail.at(0)))
    assert "1 step that was undone" in text
    assert "Endpoint Death" not in text
