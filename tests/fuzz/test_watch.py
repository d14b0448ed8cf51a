"""The watch over files sees what it is there for: planted changes outside the folder, and none inside it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import PrognoscopeError
from tests.fuzz.test_fuzz_importers import one_sentence
from tests.fuzz.watch import Watch

CHANGES: dict[str, Callable[[Path], object]] = {
    "write": lambda place: (place / "a").write_text("x"),
    "rename": lambda place: (place / "there").rename(place / "b"),
    "remove": lambda place: (place / "there").unlink(),
    "folder": lambda place: (place / "c").mkdir(),
    "tree": lambda place: shutil.rmtree(place / "tree"),
    "link": lambda place: (place / "d").symlink_to("/etc"),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("outside", [True, False], ids=["outside", "inside"])
def test_a_change_is_seen_outside_alone(change: str, outside: bool, tmp_path: Path) -> None:
    own, other = tmp_path / "own", tmp_path / "other"
    for place in (own, other):
        (place / "tree").mkdir(parents=True)
        (place / "there").write_text("x")
    with Watch(own) as watch:
        CHANGES[change](other if outside else own)
    assert bool(watch.outside) is outside


def test_a_trace_is_no_sentence() -> None:
    with pytest.raises(AssertionError):
        one_sentence(PrognoscopeError("Traceback (most recent call last)", "a file", "nothing"))
