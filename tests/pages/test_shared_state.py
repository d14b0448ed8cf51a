"""One selection for all pages, an address that holds only an opaque id, and a view that comes back whole."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from core.analysis.group_survival import SurvivalOptions
from core.analysis.grouping import Cut, GroupBy, Source
from core.analysis.outcome import CompetingAs
from core.analysis.training_choices import TrainingChoices
from core.cohort.sample import make_sample_cohort
from core.cohort.selection import CategoryFilter, IdsFilter, ModalityFilter, NamedGroup, RangeFilter, Selection
from core.errors import PrognoscopeError
from core.results.views import KEPT, load_view, save_view, view_id
from core.results.workspace import Workspace
from pages.widgets.figure_block import chart_key
from pages.widgets.state import KEY, Choices, Comparing, PageState

FULL = PageState(
    cohort="sample",
    run="hdmoe-1",
    endpoint="DWT",
    selection=Selection(
        (CategoryFilter("stage", ("A", "B")), RangeFilter("age", 40.0, 80.0), ModalityFilter("genomics"))
    ),
    groups=(NamedGroup.of("early", ("SYN-0001", "SYN-0002")),),
    options=Choices(
        CompetingAs.COMPETING, 6.0, GroupBy(Source.COLUMN, "albi", Cut.CLINICAL, (-2.6, -1.39)),
        SurvivalOptions((2.0,), 36.0), False, True, ("SYN-0003",), ("age",), ("age", True, 0),
    ),
    training=TrainingChoices(
        "mice", "published", ("genomics",), "site", 2, "upstream", "cuda", False,
        (("keep", 5), ("training.patch_sample", None)),
    ),
    job="a1b2c3d4e5f6",
    comparing=Comparing(("hdmoe-1", "snn-2"), "snn-2", ("snn-2", "hdmoe-1"), 24.0, "ibs"),
)  # fmt: skip


def chosen(test: AppTest) -> PageState:
    return test.session_state[KEY].state


def address(test: AppTest) -> str:
    """The id in the address, whichever shape this version gives it."""
    value = test.query_params["view"]
    return value if isinstance(value, str) else value[0]


def selected_words(*stages: str) -> str:
    count = int(make_sample_cohort()[0].patients["stage"].isin(stages).sum())
    return f"**{count}** of 240"


def seed(test: AppTest, key: str, *points: list[str]) -> AppTest:
    """Make a chart report a selection, as the browser would."""
    test.session_state[key] = {"selection": {"points": [{"customdata": p} for p in points], "box": [], "lasso": []}}
    return test.run()


def test_a_state_survives_being_saved_whole(workspace: Workspace) -> None:
    name = save_view(FULL.as_json(), workspace)
    assert PageState.from_json(load_view(name, workspace)) == FULL


def test_a_view_saved_before_training_and_comparing_existed_still_opens(workspace: Workspace) -> None:
    old = {k: v for k, v in FULL.as_json().items() if k not in ("training", "job", "comparing")}
    state = PageState.from_json(load_view(save_view(old, workspace), workspace))
    assert state == replace(FULL, training=TrainingChoices(), job="", comparing=Comparing())


def test_the_id_is_opaque_stable_and_of_this_workspace_only(workspace: Workspace, tmp_path) -> None:
    name = save_view(FULL.as_json(), workspace)
    assert re.fullmatch(r"[0-9a-f]{32}", name)
    assert save_view(FULL.as_json(), workspace) == name
    assert view_id(FULL.as_json(), Workspace(tmp_path / "other")) != name
    assert view_id(replace(FULL, endpoint="OS").as_json(), workspace) != name


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "0" * 31, "G" * 32, "0" * 32])
def test_a_made_up_id_opens_nothing(name: str, workspace: Workspace) -> None:
    with pytest.raises(PrognoscopeError):
        load_view(name, workspace)


def test_an_altered_view_is_not_believed(workspace: Workspace) -> None:
    name = save_view(FULL.as_json(), workspace)
    path = workspace.views / f"{name}.json"
    path.write_text(path.read_text().replace("SYN-0003", "SYN-0004"))
    with pytest.raises(PrognoscopeError, match="altered"):
        load_view(name, workspace)


def test_old_views_are_forgotten(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    assert KEPT >= 1000
    monkeypatch.setattr("core.results.views.KEPT", 3)
    for number in range(6):
        save_view({"n": number}, workspace)
    assert len(list(workspace.views.glob("*.json"))) == 3


def test_opening_a_view_restores_filters_groups_and_choices(
    filled: Workspace, open_page: Callable[..., AppTest]
) -> None:
    test = open_page("survival", view=save_view(FULL.as_json(), filled))
    assert not test.exception
    assert chosen(test) == FULL
    assert test.selectbox(key="endpoint").value == "DWT"
    assert test.number_input(key="landmark").value == 6.0
    assert [b.label.split(" · ")[0] for b in test.button if b.key and b.key.startswith("chip_")] == [
        "stage (BCLC-like): A, B", "age 40-80 years", "with genomics",
    ]  # fmt: skip


def test_the_address_holds_no_patient_and_nothing_but_the_id(
    filled: Workspace, open_page: Callable[..., AppTest]
) -> None:
    state = replace(FULL, selection=Selection((IdsFilter(("SYN-0001", "SYN-0002"), "pasted list"),)))
    test = open_page("cohort", view=save_view(state.as_json(), filled))
    assert list(test.query_params) == ["view"]
    assert re.fullmatch(r"[0-9a-f]{32}", address(test))


def test_a_broken_link_says_so_once_and_the_page_works(filled: Workspace, open_page: Callable[..., AppTest]) -> None:
    test = open_page("cohort", view="0" * 32)
    shown = " ".join(e.value for e in test.get("html"))
    assert "unknown view" in shown.lower()
    assert len(test.get("plotly_chart")) == 8
    assert address(test) != "0" * 32
    assert "unknown view" not in " ".join(e.value for e in test.run().get("html")).lower()


def test_a_click_on_a_chart_filters_and_the_cross_takes_it_back(
    filled: Workspace, open_page: Callable[..., AppTest]
) -> None:
    test = open_page("cohort")
    seed(test, chart_key("stage", []), ["A"])
    assert chosen(test).selection.filters == (CategoryFilter("stage", ("A",)),)
    assert selected_words("A") in " ".join(m.value for m in test.markdown)
    seed(test, chart_key("stage", list(chosen(test).selection.filters)), ["B"])
    assert chosen(test).selection.filters == (CategoryFilter("stage", ("A", "B")),)
    left = selected_words("A", "B").split("*")[2]
    assert test.button(key="chip_0").label == f"stage (BCLC-like): A, B · {left} ✕"
    test.button(key="chip_0").click().run()
    assert not chosen(test).selection.filters


def test_a_box_over_a_histogram_keeps_its_bins(filled: Workspace, open_page: Callable[..., AppTest]) -> None:
    test = open_page("cohort")
    seed(test, chart_key("age", []), ["50", "53"], ["53", "56"])
    assert chosen(test).selection.filters == (RangeFilter("age", 50.0, 56.0),)


def test_a_modality_bar_keeps_exactly_its_combination(filled: Workspace, open_page: Callable[..., AppTest]) -> None:
    test = open_page("cohort")
    seed(test, chart_key("modalities", []), ["slides+volumes+genomics+reports"])
    have = make_sample_cohort()[0].availability
    alone = have.drop(columns="clinical").all(axis=1) & ~have["clinical"]
    with_all_but_one = {ModalityFilter(m, m != "clinical") for m in have.columns}
    assert set(chosen(test).selection.filters) == with_all_but_one
    assert f"**{int(alone.sum())}** of 240" in " ".join(m.value for m in test.markdown)


def test_the_selection_of_one_page_holds_on_the_other(filled: Workspace, open_page: Callable[..., AppTest]) -> None:
    first = seed(open_page("cohort"), chart_key("stage", []), ["A"])
    second = open_page("survival", view=address(first))
    assert chosen(second).selection == chosen(first).selection
    assert selected_words("A") in " ".join(m.value for m in second.markdown)


def test_another_cohort_starts_with_nothing_of_the_old(filled: Workspace, open_page: Callable[..., AppTest]) -> None:
    from core.cohort.storage import save_cohort
    from tests.pages.builders import make_large_cohort

    save_cohort(make_large_cohort(50), None, filled)
    test = seed(open_page("cohort"), chart_key("stage", []), ["A"])
    test.selectbox(key="bar_cohort").select("large").run()
    assert not test.exception
    assert chosen(test).cohort == "large"
    assert not chosen(test).selection.filters
    assert chosen(test).run == ""
