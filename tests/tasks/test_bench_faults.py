"""Killed at any moment nothing half-written is read as good; and the bench that says so finds what is planted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.results.workspace import Workspace
from core.tasks.bench_faults import Effort, bench_faults
from core.tasks.fault_messages import wrong_with
from core.tasks.fault_rounds import Scene, kill_at_moments, kill_at_steps, make_scene
from core.tasks.train import silent


@pytest.mark.slow
def test_killed_and_begun_again_everything_ends_the_same(workspace: Workspace) -> None:
    result = bench_faults(workspace, False, silent, Effort(kills=0, steps=1, workers=1))
    assert result.extra["found"] == []
    assert result.extra["queue"] == []
    assert {row.name: row.ratio for row in result.rows if row.ratio != 1.0} == {}
    names = {row.name for row in result.rows}
    assert {"faults:kill:train:half_read", "faults:step:import:resumed_otherwise", "faults:kill:jobs:lost"} <= names
    assert {"faults:disk_full", "faults:read_only", "faults:altered_checkpoint", "faults:two_servers"} <= names
    assert not workspace.root.exists()


def planted(name: str, tmp_path: Path) -> Scene:
    (tmp_path / "start").mkdir()
    return make_scene(
        name, f"tests.tasks.planted_faults:{name}", Workspace(tmp_path / "workspace"), tmp_path, [tmp_path / "start"]
    )


def test_a_file_written_where_it_is_read_is_found(tmp_path: Path) -> None:
    scene = planted("in_place", tmp_path)
    found = kill_at_steps(scene, range(1, scene.steps + 1), silent)
    assert (found.kills, found.kills_read) == (scene.steps, 1)
    assert "report: read as good, and different" in found.read[0]


def test_what_cannot_be_begun_again_is_found(tmp_path: Path) -> None:
    scene = planted("never_ready", tmp_path)
    found = kill_at_steps(scene, range(1, scene.steps + 1), silent)
    assert found.kills_read == 0
    assert found.kills_ended == scene.steps - 1  # all but the kill before the mark was made
    assert found.ended[0].endswith("report differs")


def test_nothing_is_found_where_nothing_is_planted(tmp_path: Path) -> None:
    scene = planted("sound", tmp_path)
    by_step = kill_at_steps(scene, range(1, scene.steps + 1), silent)
    by_clock = kill_at_moments(scene, 1, np.random.default_rng(0), silent)
    assert by_step.kills == scene.steps
    for found in (by_step, by_clock):
        assert (found.read, found.ended) == ([], [])


@pytest.mark.parametrize(
    ("code", "printed", "said", "wrong"),
    [
        (1, "", "no room left on the disk in the workspace: free some space.", ""),
        (0, "", "no room left on the disk in the workspace: free some space.", "it ended well"),
        (1, "Traceback (most recent call last)", "no room left on the disk: free some.", "a traceback"),
        (1, "", "an unexpected OSError in here: report it.", "another sentence"),
        (-9, "", "", "signal 9"),
    ],
)
def test_what_makes_a_message_unclear(code: int, printed: str, said: str, wrong: str) -> None:
    assert wrong_with(code, printed, said, ("no room left on the disk",)) == wrong
