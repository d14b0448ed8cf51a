"""The pool of this machine: every item once, a lost worker costs one item, errors come through."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import PrognoscopeError
from core.workers.cluster import on_cluster
from core.workers.pool import unordered
from tests.workers import pieces


@pytest.mark.parametrize("processes", [1, 2])
def test_every_item_is_done_once_with_one_thread(processes: int) -> None:
    assert dict(unordered(pieces.square, 1, range(5), processes)) == {i: i * i + 1 for i in range(5)}
    assert list(unordered(pieces.square, 1, [], processes)) == []
    here = dict(unordered(pieces.threads, None, [3, 4], 1))
    assert dict(unordered(pieces.threads, None, [3, 4], processes)) == here
    assert {threads for threads, _ in here.values()} == {1}


def test_what_ends_its_worker_costs_nobody_else(tmp_path: Path) -> None:
    found = dict(unordered(pieces.dies, tmp_path, [1, 2, 3, 4], 2, lost=lambda item: -item))
    assert found == {1: 1, 2: -2, 3: 3, 4: 4}
    with pytest.raises(PrognoscopeError, match="ended before its work was done"):
        dict(unordered(pieces.dies, tmp_path, [1, 2], 2))


@pytest.mark.parametrize("processes", [1, 2])
def test_a_failure_comes_through_as_it_is(processes: int) -> None:
    with pytest.raises(PrognoscopeError, match="item 7 in the test: nothing"):
        dict(unordered(pieces.refuses, None, [7], processes))


def test_an_address_where_nobody_answers_is_told() -> None:
    pytest.importorskip("ray")
    with pytest.raises(PrognoscopeError, match="ray start --head"), on_cluster("127.0.0.1:1"):
        raise AssertionError
