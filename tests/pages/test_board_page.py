"""The Board page: its states, a list made and changed, pages frozen and presented without a name, notes kept."""

from __future__ import annotations

import io
import logging
import zipfile
from collections.abc import Callable
from dataclasses import replace
from html import escape

import pytest
from streamlit.testing.v1 import AppTest

from core.analysis.patient_sentences import count_words
from core.board.bundle import bundle_zip
from core.board.report_content import report_content
from core.board.sources import read_sources
from core.cohort.sample import save_sample
from core.results.board_store import add_patients, list_boards, load_board, new_board, note_opinion, opinions_of
from core.results.views import save_view
from core.results.workspace import Workspace
from pages.widgets.state import KEY, PageState

PATIENTS = ("SYN-0007", "SYN-0002", "SYN-0040")


def html(test: AppTest) -> str:
    return " ".join(str(e.value) for e in test.get("html"))


def button(test: AppTest, key: str) -> object:
    return next(b for b in test.button if b.key == key)


@pytest.fixture
def board(filled: Workspace) -> str:
    found = new_board("Liver board", "IRB 2026-17", "sample", "hdmoe-1", 36.0, filled)
    add_patients(found.id, PATIENTS, filled)
    return found.id


def test_without_a_cohort_a_run_or_a_list_it_says_what_to_do(
    workspace: Workspace, open_page: Callable[..., AppTest]
) -> None:
    assert "No cohort yet" in html(open_page("board"))
    save_sample(workspace)
    assert "No run of this cohort yet" in html(open_page("board"))


def test_a_list_is_begun_with_a_protocol_and_not_without(filled: Workspace, open_page: Callable[..., AppTest]) -> None:
    test = open_page("board")
    assert "No list yet" in html(test)
    name, protocol = (next(t for t in test.text_input if t.key == f"board_{k}_page") for k in ("name", "protocol"))
    name.set_value("Monday")
    button(test, "board_begin_page").click().run()
    assert list_boards(filled) == ()
    assert "protocol" in test.warning[0].value
    next(t for t in test.text_input if t.key == protocol.key).set_value("IRB 9")
    next(t for t in test.text_input if t.key == name.key).set_value("Monday")
    button(test, "board_begin_page").click().run()
    assert not test.exception
    assert list_boards(filled)[0].protocol == "IRB 9"
    assert "Nobody is on this list yet" in html(test)


def test_the_list_shows_the_patient_pages_numbers_and_can_be_ordered(
    filled: Workspace, board: str, open_page: Callable[..., AppTest]
) -> None:
    test = open_page("board")
    assert not test.exception
    text = html(test)
    sources = read_sources("hdmoe-1", None, filled)
    for patient in PATIENTS:
        number = report_content(sources, patient, 36.0).number
        assert number is not None
        assert f"<td>{patient}</td><td>{count_words(number.value)} %</td>" in text
    button(test, "board_down").click().run()
    assert load_board(board, filled).patients == ("SYN-0002", "SYN-0007", "SYN-0040")
    button(test, "board_off").click().run()
    assert load_board(board, filled).patients == ("SYN-0002", "SYN-0040")
    assert not test.exception


def test_a_patient_is_added_from_another_page(filled: Workspace, board: str, open_page: Callable[..., AppTest]) -> None:
    state = PageState(cohort="sample", run="hdmoe-1", endpoint="OS", patient="SYN-0011")
    test = open_page("survival", view=save_view(state.as_json(), filled))
    button(test, f"add_{board}").click().run()
    assert load_board(board, filled).patients[-1] == "SYN-0011"
    assert next(b for b in test.button if b.key == f"add_{board}").disabled


def test_frozen_pages_are_presented_by_place_and_notes_are_kept_unlogged(
    filled: Workspace, board: str, open_page: Callable[..., AppTest], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    test = open_page("board")
    button(test, "board_freeze").click().run()
    button(test, "board_present").click().run()
    assert not test.exception
    text = html(test)
    assert "Patient 1 of 3" in text
    assert not any(p in text for p in PATIENTS)
    button(test, "talk_next").click().run()
    assert "Patient 2 of 3" in html(test)
    test.radio[0].set_value("disagree")
    test.text_area[0].set_value("<script>alert(1)</script> a secret thought")
    button(test, f"keep_{board}_2").click().run()
    found = opinions_of(board, filled)
    assert [(o.patient, o.verdict, o.note) for o in found] == [
        ("SYN-0002", "disagree", "<script>alert(1)</script> a secret thought")
    ]
    assert "&lt;script&gt;" in html(test)
    assert "<script>alert" not in html(test)
    assert "secret thought" not in caplog.text
    button(test, "talk_end").click().run()
    assert "For the meeting" in [h.value for h in test.header]


def test_the_bundle_names_nobody_and_notes_do_not_change_what_was_frozen(
    filled: Workspace, board: str, open_page: Callable[..., AppTest]
) -> None:
    button(open_page("board"), "board_freeze").click().run()
    before = bundle_zip(board, filled)
    note_opinion(board, "SYN-0002", "agree", "fine", filled)
    assert bundle_zip(board, filled) == before
    with zipfile.ZipFile(io.BytesIO(before)) as archive:
        whole = " ".join(archive.read(n).decode() for n in archive.namelist())
        names = archive.namelist()
    assert names == ["board/index.html", "board/manifest.json", *(f"board/patient-{n}.html" for n in (1, 2, 3))]
    assert not any(p in whole for p in PATIENTS)
    assert "IRB 2026-17" in whole
    add_patients(board, ("SYN-0050",), filled)
    assert "The list was changed after these pages were frozen" in html(open_page("board"))


def test_a_run_that_is_gone_is_told_plainly(filled: Workspace, open_page: Callable[..., AppTest]) -> None:
    lost = new_board("Old", "IRB 1", "sample", "hdmoe-gone", 36.0, filled)
    add_patients(lost.id, ("SYN-0001",), filled)
    test = open_page("board", view=save_view(replace(PageState(cohort="sample"), board=lost.id).as_json(), filled))
    assert not test.exception
    assert "No run named" in html(test)


def test_the_reports_number_is_the_one_on_the_patient_page(
    filled: Workspace, open_page: Callable[..., AppTest]
) -> None:
    state = PageState(cohort="sample", run="hdmoe-1", endpoint="OS", patient="SYN-0011", month=60.0)
    test = open_page("patient", view=save_view(state.as_json(), filled))
    assert not test.exception
    content = report_content(read_sources("hdmoe-1", None, filled), "SYN-0011", 60.0)
    assert content.number is not None
    text = html(test)
    assert f'<span class="n">{count_words(content.number.value)}</span><span class="of">of 100</span>' in text
    for sentence in content.said[1:]:
        assert escape(sentence) in text
    assert {b.label for b in test.get("download_button")} >= {"Report as PDF", "Report as HTML"}


def test_open_patient_goes_to_the_boards_own_run_and_month(
    filled: Workspace, board: str, open_page: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    went: list[str] = []
    monkeypatch.setattr("pages.widgets.board_list.st.switch_page", went.append)
    test = open_page("board", view=save_view(PageState(cohort="sample", month=12.0).as_json(), filled))
    button(test, "board_open").click().run()
    state = test.session_state[KEY].state
    assert went == ["patient.py"]
    assert (state.patient, state.run, state.month) == ("SYN-0007", "hdmoe-1", 36.0)
