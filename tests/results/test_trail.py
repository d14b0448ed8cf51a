"""A history is a tree told as a list: undo goes to where a step was made from, and nothing is lost on the way."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import PrognoscopeError
from core.results.trail import KEPT, Step, Trail


def step(words: str, **more: object) -> Step:
    return replace(Step("2026-01-02T03:04:05+00:00", "kind", words), **more)


def walked(*words: str) -> Trail:
    trail = Trail()
    for word in words:
        trail = trail.done(step(word))
    return trail


def on_path(trail: Trail) -> list[str]:
    return [trail.steps[i].words for i in trail.path]


def test_undo_redo_and_another_way() -> None:
    trail = walked("a", "b", "c")
    assert on_path(trail) == ["a", "b", "c"]
    assert trail.forward is None
    back = trail.at(trail.back)
    assert on_path(back) == ["a", "b"]
    assert back.forward == 2
    other = back.done(step("d"))
    assert on_path(other) == ["a", "b", "d"]
    assert [s.words for s in other.steps] == ["a", "b", "c", "d"]
    assert on_path(other.at(other.back).at(2)) == ["a", "b", "c"]
    assert other.at(other.back).forward == 3
    assert walked("a").back is None


def test_an_event_has_nothing_to_go_back_to() -> None:
    trail = walked("a", "b").done(step("exported", event=True))
    assert trail.place == 1
    assert on_path(trail) == ["a", "b", "exported"]
    assert on_path(trail.at(0)) == ["a"]
    with pytest.raises(PrognoscopeError):
        trail.at(2)


def test_a_form_is_one_step_until_something_else_is_done() -> None:
    kinds = frozenset({"form"})
    trail = walked("a").done(step("form 1", kind="form"))
    again = step("form 2", kind="form")
    assert trail.gathers(again, kinds)
    assert on_path(trail.again(again)) == ["a", "form 2"]
    assert not trail.done(step("b")).gathers(again, kinds)
    assert not trail.at(0).gathers(again, kinds)


def test_every_step_knows_the_view_it_led_to() -> None:
    trail = walked("a").kept_in("v1").done(step("b")).kept_in("v2")
    assert [s.view for s in trail.steps] == ["v1", "v2"]
    assert [s.view for s in trail.at(0).looked_at().kept_in("v3").steps] == ["v3", "v2"]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 6), max_size=3 * KEPT))
def test_whatever_is_done_the_history_stays_whole(moves: list[int]) -> None:
    """0-3 do something, 4 exports, 5 undoes, 6 redoes: the path always leads from a first step to the place."""
    trail = Trail()
    for number, move in enumerate([0, *moves]):
        wanted = trail.back if move == 5 else trail.forward if move == 6 else None
        if move in (5, 6):
            trail = trail if wanted is None else trail.at(wanted)
        else:
            trail = trail.done(step(str(number), event=move == 4))
        assert len(trail.steps) <= KEPT + 1
        assert trail.place in trail.path
        assert not trail.steps[trail.place].event
        assert Trail.from_json(trail.as_json()) == trail


@pytest.mark.parametrize(
    "broken",
    [
        {}, {"steps": [["t"]], "place": 0, "pages": []}, {"steps": [], "place": 4, "pages": []},
        {"steps": [["t", "k", "w", "", "", 3, False]], "place": 0, "pages": []},
        {"steps": [["t", "k", "w", "", "", -1, True]], "place": 0, "pages": []},
    ],
)  # fmt: skip
def test_a_broken_history_is_not_believed(broken: dict[str, object]) -> None:
    with pytest.raises(PrognoscopeError):
        Trail.from_json(broken)
