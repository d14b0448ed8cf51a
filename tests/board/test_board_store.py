"""A board's list and notes: order, limits, what leaves; and frozen pages that cannot be changed unnoticed."""

from __future__ import annotations

import csv
import io
import json
import threading

import pytest

from core.board.bundle import freeze, load_frozen
from core.board.opinions_export import opinions_csv, opinions_json
from core.board.sources import read_sources
from core.errors import PrognoscopeError
from core.results.board_store import (
    add_patients,
    delete_board,
    frozen_folder,
    latest,
    list_boards,
    load_board,
    moved,
    new_board,
    note_opinion,
    opinions_of,
    order_patients,
)
from core.results.workspace import Workspace
from tests.pages.builders import save_sample_run


@pytest.mark.parametrize(("name", "protocol"), [("", "IRB 1"), ("Monday", "  "), ("\u202e", "IRB 1")])
def test_a_list_needs_a_name_and_a_protocol(name: str, protocol: str, workspace: Workspace) -> None:
    with pytest.raises(PrognoscopeError):
        new_board(name, protocol, "sample", "run-1", 36.0, workspace)
    assert list_boards(workspace) == ()


def test_order_and_members(workspace: Workspace) -> None:
    board = new_board("Monday", "IRB 1", "sample", "run-1", 36.0, workspace)
    add_patients(board.id, ("a", "b", "c", "a"), workspace)
    assert moved(("a", "b", "c"), "c", -1) == ("a", "c", "b")
    assert moved(("a", "b", "c"), "a", -1) == ("a", "b", "c")
    assert moved(("a", "b", "c"), "c", 1) == ("a", "b", "c")
    order_patients(board.id, ("c", "a", "stranger"), workspace)
    assert load_board(board.id, workspace).patients == ("c", "a")
    with pytest.raises(PrognoscopeError, match="not on the list"):
        note_opinion(board.id, "b", "agree", "", workspace)
    delete_board(board.id, workspace)
    assert list_boards(workspace) == ()


def test_two_browsers_at_once_lose_nobody(workspace: Workspace) -> None:
    board = new_board("Monday", "IRB 1", "sample", "run-1", 36.0, workspace)
    names = [f"p{i}" for i in range(24)]
    threads = [threading.Thread(target=add_patients, args=(board.id, (n,), workspace)) for n in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(load_board(board.id, workspace).patients) == sorted(names)


def test_notes_leave_with_everything_and_a_formula_stays_text(workspace: Workspace) -> None:
    board = add_patients(new_board("M", "IRB 1", "sample", "run-1", 36.0, workspace).id, ("x", "y"), workspace)
    note_opinion(board.id, "y", "unsure", '=HYPERLINK("http://evil")', workspace)
    note_opinion(board.id, "y", "agree", 'after all, "yes"\nsecond line', workspace)
    found = opinions_of(board.id, workspace)
    last = latest(found, "y")
    assert last is not None
    assert last.verdict == "agree"
    rows = list(csv.DictReader(io.StringIO(opinions_csv(board, found))))
    assert [r["verdict"] for r in rows] == ["unsure", "agree"]
    assert rows[0]["note"].startswith("'=")
    assert rows[1]["note"] == 'after all, "yes"\nsecond line'
    assert [r["counts"] for r in rows] == ["False", "True"]
    value = json.loads(opinions_json(board, found))
    assert value["protocol"] == "IRB 1"
    assert value["opinions"][0]["note"] == '=HYPERLINK("http://evil")'
    with pytest.raises(PrognoscopeError, match="signs"):
        note_opinion(board.id, "x", "agree", "n" * 5000, workspace)


def test_frozen_pages_are_checked_and_name_nobody(workspace: Workspace) -> None:
    save_sample_run(workspace)
    sources = read_sources("hdmoe-1", None, workspace)
    empty = new_board("M", "IRB 1", "sample", "hdmoe-1", 36.0, workspace)
    with pytest.raises(PrognoscopeError, match="empty"):
        freeze(empty, sources)
    board = add_patients(empty.id, ("SYN-0003", "SYN-0001"), workspace)
    frozen = freeze(board, sources)
    assert frozen.patients == board.patients
    assert "Patient 2 of 2" in frozen.pages[1]
    page = frozen_folder(board.id, workspace) / "patient-1.html"
    page.write_text(page.read_text(encoding="utf-8").replace("of 100", "of 101"), encoding="utf-8")
    with pytest.raises(PrognoscopeError, match="altered"):
        load_frozen(board.id, workspace)
    named = new_board("About SYN-0003", "IRB 1", "sample", "hdmoe-1", 36.0, workspace)
    with pytest.raises(PrognoscopeError, match="names a patient"):
        freeze(add_patients(named.id, ("SYN-0003",), workspace), sources)
    assert load_frozen(named.id, workspace) is None
