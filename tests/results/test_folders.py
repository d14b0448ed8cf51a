"""Folders that take another's place: at once, after everything that belongs to them, or not at all."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from core.results.files import new_folder, staged_folder, verify_folder


def write(folder: Path, text: str) -> None:
    (folder / "a.txt").write_text(text)


def names(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


def test_a_reader_finds_the_old_or_the_new_and_never_none(tmp_path: Path) -> None:
    target, missed, done = tmp_path / "run", [], threading.Event()

    def look() -> None:
        while not done.is_set():
            if not target.exists():
                missed.append(True)

    with new_folder(target) as folder:
        write(folder, "first")
    reader = threading.Thread(target=look)
    reader.start()
    for number in range(150):
        with new_folder(target) as folder:
            write(folder, str(number))
    done.set()
    reader.join()
    assert missed == []
    assert (target / "a.txt").read_text() == "149"
    assert names(tmp_path) == ["run"]


def test_until_the_new_one_is_in_place_there_is_none_of_the_name(tmp_path: Path) -> None:
    target = tmp_path / "cohort"
    for text in ("one", "two"):
        with staged_folder(target, lambda folder, text=text: write(folder, text)) as staged:
            staged.make_room()
            assert not target.exists()
        verify_folder(target)
        assert (target / "a.txt").read_text() == text
    assert names(tmp_path) == ["cohort"]


def test_what_fails_brings_the_hidden_one_back(tmp_path: Path) -> None:
    target = tmp_path / "cohort"
    with staged_folder(target, lambda folder: write(folder, "old")):
        pass
    with pytest.raises(ValueError, match="too late"):
        fail_late(target)
    verify_folder(target)
    assert (target / "a.txt").read_text() == "old"
    assert names(tmp_path) == ["cohort"]


def fail_late(target: Path) -> None:
    with staged_folder(target, lambda folder: write(folder, "new")) as staged:
        staged.make_room()
        raise ValueError("too late")
