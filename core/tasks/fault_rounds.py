"""Kill an act again and again, look at what is left, do it again, and look whether it ends as if nothing happened."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from core.results.workspace import Workspace
from core.tasks.fault_checks import State, differences, faults, read_all
from core.tasks.fault_kills import run_act

Progress = Callable[[float, str], None]
Arrange = Callable[[Workspace], None]

_MOST_DRAWS = 4
"""Draws a kill, for those that come after the work was through."""


@dataclass
class Round:
    """What was found in killing one act: ``kills`` that met it at work, ``late`` draws that did not, ``read`` what was
    read as good and was not, ``ended`` what another attempt left different."""

    act: str
    seconds: float = 0.0
    steps: int = 0
    kills: int = 0
    late: int = 0
    read: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    kills_read: int = 0
    kills_ended: int = 0


@dataclass(frozen=True, eq=False)
class Scene:
    """A workspace in which one act is killed, always at the same place, since an index of media holds full paths.

    ``starts`` folders with the workspaces it may begin with · ``wholes`` what is read from each of them · ``end`` what
    an uninterrupted act leaves of the first · ``seconds`` and ``steps`` that it takes, ``renames`` among these.
    """

    act: str
    function: str
    workspace: Workspace
    study: Path
    starts: tuple[Path, ...]
    wholes: tuple[State, ...]
    end: State
    seconds: float
    steps: int
    renames: tuple[int, ...]

    def put_back(self, number: int) -> State:
        """Begin anew with the start of this number; what is read from it."""
        restore(self.starts[number % len(self.starts)], self.workspace)
        return self.wholes[number % len(self.starts)]


def make_scene(
    act: str, function: str, workspace: Workspace, study: Path, starts: Sequence[Path], arrange: Arrange | None = None
) -> Scene:
    """Do the act uninterrupted and keep what it left; ``arrange`` puts into the starts what it needs."""
    wholes = []
    for start in starts:
        restore(start, workspace)
        if arrange is not None:
            arrange(workspace)
            keep(workspace, start)
        wholes.append(read_all(workspace))
    restore(starts[0], workspace)
    ended = run_act(function, workspace, study)
    end = read_all(workspace)
    return Scene(
        act, function, workspace, study, tuple(starts), tuple(wholes), end, ended.seconds, ended.steps, ended.renames
    )


def kill_at_moments(scene: Scene, kills: int, random: np.random.Generator, progress: Progress) -> Round:
    """``kills`` at shares of its duration that are drawn evenly."""
    found = Round(scene.act, scene.seconds, scene.steps)
    for draw in range(_MOST_DRAWS * kills):
        if found.kills == kills:
            break
        before = scene.put_back(draw)
        after = float(random.random()) * scene.seconds
        if run_act(scene.function, scene.workspace, scene.study, after=after).killed:
            _look(scene, before, found, f"after {after:.3f} s")
        else:
            found.late += 1
        progress(found.kills / kills, f"{scene.act}: {found.kills} of {kills} kills")
    return found


def kill_at_steps(scene: Scene, steps: Sequence[int], progress: Progress) -> Round:
    """Once before each of these changes of a file."""
    found = Round(scene.act, scene.seconds, scene.steps)
    for place, step in enumerate(steps):
        before = scene.put_back(place)
        if run_act(scene.function, scene.workspace, scene.study, step=step).killed:
            _look(scene, before, found, f"before change {step}")
        else:
            found.late += 1
        progress((place + 1) / len(steps), f"{scene.act}: {place + 1} of {len(steps)} changes")
    return found


def _look(scene: Scene, before: State, found: Round, when: str) -> None:
    found.kills += 1
    read = faults(read_all(scene.workspace), before, scene.end)
    run_act(scene.function, scene.workspace, scene.study)
    ended = differences(read_all(scene.workspace), scene.end)
    found.read += [f"killed {when}: {words}" for words in read]
    found.ended += [f"killed {when}, done again: {name} differs" for name in ended]
    found.kills_read += bool(read)
    found.kills_ended += bool(ended)


def keep(workspace: Workspace, place: Path) -> None:
    """A copy of the workspace, as a start."""
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(workspace.root, place)


def restore(place: Path, workspace: Workspace) -> None:
    """The workspace as a start has it."""
    shutil.rmtree(workspace.root, ignore_errors=True)
    shutil.copytree(place, workspace.root)
