"""Tests of several processes pass together; one that must be alone waits for them, and they for it."""

from __future__ import annotations

import multiprocessing
import time
from pathlib import Path

from tests.turnstile import Turnstile


def _stay(folder: Path, alone: bool, times: int) -> None:
    for _ in range(times):
        with Turnstile(folder).passed(alone):
            (folder / "log").open("a").write(f"in {alone:d}\n")
            time.sleep(0.02)
            (folder / "log").open("a").write(f"out {alone:d}\n")


def test_nobody_else_is_inside_with_one_who_is_alone(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("fork")
    people = [spawn.Process(target=_stay, args=(tmp_path, alone, 15)) for alone in (False, False, True)]
    for person in people:
        person.start()
    for person in people:
        person.join(timeout=30)
        assert person.exitcode == 0
    inside, most = [0, 0], 0
    for line in (tmp_path / "log").read_text().splitlines():
        word, alone = line.split()
        inside[int(alone)] += 1 if word == "in" else -1
        assert inside[1] == 0 or inside == [0, 1]
        most = max(most, inside[0])
    assert most == 2  # the others do pass together
    assert inside == [0, 0]
