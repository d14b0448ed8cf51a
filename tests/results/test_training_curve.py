"""Curves: one line an epoch, readable after a crash, and the rule of the collapse alarm."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from core.errors import PrognoscopeError
from core.results.files import new_folder
from core.results.training_curve import (
    FILE,
    CurvePoint,
    LevelLoad,
    append_point,
    collapsed,
    collapses,
    load_curves,
    normalised_entropy,
    read_curves,
    write_curves,
)
from core.results.workspace import Workspace

EVEN = LevelLoad.of([1.0] * 8, [1.0] * 8)
ONE_TAKES_MOST = LevelLoad.of([91.0] + [9 / 7] * 7, [1.0] * 8)
TWO_SHARE = LevelLoad.of([50.0, 50.0] + [0.0] * 6, [1.0] * 8)


def point(fold: int, epoch: int, level: LevelLoad = EVEN, loss: float = 1.0) -> CurvePoint:
    """An epoch of a fit."""
    return CurvePoint(fold, 0, epoch, loss, 1.5, 0.7, None, 0.2, {"load_balance": 0.01}, {"level 2": level})


def test_entropy_by_hand() -> None:
    assert normalised_entropy([0.25] * 4) == pytest.approx(1)
    assert normalised_entropy([1.0, 0.0, 0.0]) == 0
    assert normalised_entropy([0.5, 0.5, 0, 0]) == pytest.approx(0.5)
    assert normalised_entropy([0.9, 0.1]) == pytest.approx(-(0.9 * math.log2(0.9) + 0.1 * math.log2(0.1)))
    assert TWO_SHARE.entropy == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("epochs", "expected"),
    [
        ([ONE_TAKES_MOST] * 3, True),
        ([EVEN, ONE_TAKES_MOST, ONE_TAKES_MOST], False),  # two epochs are no collapse
        ([ONE_TAKES_MOST] * 3 + [EVEN], False),  # it has recovered
        ([ONE_TAKES_MOST] * 2, False),
        ([TWO_SHARE] * 5, False),
        ([LevelLoad.of([1.0], [1.0])] * 5, False),  # a single expert has nothing to choose
        ([LevelLoad.of([85.0, 15.0] + [0.0] * 14, [1.0] * 16)] * 3, True),  # few of many experts: entropy .15
    ],
)
def test_collapse_is_three_epochs_of_little_choice(epochs: list[LevelLoad], expected: bool) -> None:
    assert collapsed(epochs) is expected


def test_alarm_counts_the_fits_of_a_level() -> None:
    points = [point(fold, epoch, ONE_TAKES_MOST if fold < 2 else EVEN) for fold in range(5) for epoch in range(4)]
    (alarm,) = collapses(points)
    assert (alarm.level, alarm.fits, alarm.of) == ("level 2", 2, 5)
    assert alarm.share == pytest.approx(0.91)
    assert alarm.words().startswith("level 2: in 2 of 5 fits")
    assert collapses([point(0, epoch) for epoch in range(9)]) == ()


def test_a_repeated_fit_counts_once_and_a_torn_line_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / FILE
    assert read_curves(path) == ()
    append_point(path, point(1, 0))
    append_point(path, point(0, 0, loss=2.0))
    with path.open("a") as stream:
        stream.write('{"fold": 0, "seed": 0, "epo')  # the process was killed here …
    append_point(path, point(0, 1))  # … and this line went with it: its fit is repeated
    append_point(path, point(0, 0, loss=1.25))
    append_point(path, point(0, 1))
    found = read_curves(path)
    assert [(p.fold, p.epoch, p.loss) for p in found] == [(0, 0, 1.25), (0, 1, 1.0), (1, 0, 1.0)]
    assert found[1] == point(0, 1)
    write_curves(path, found)
    assert read_curves(path) == found


def test_curves_of_a_run_are_checked(workspace: Workspace) -> None:
    with new_folder(workspace.run("hdmoe-1")) as folder:
        write_curves(folder / FILE, [point(0, 0)])
    assert load_curves("hdmoe-1", workspace) == (point(0, 0),)
    append_point(workspace.run("hdmoe-1") / FILE, point(0, 1))
    with pytest.raises(PrognoscopeError, match=r"curves\.jsonl was altered"):
        load_curves("hdmoe-1", workspace)
