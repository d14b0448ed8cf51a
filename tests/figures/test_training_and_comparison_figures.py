"""Live curves and comparisons as drawn: the numbers of the records, nothing of a patient in a file."""

from __future__ import annotations

import json

import numpy as np
import pytest

from core.analysis.comparison_tables import run_names
from core.analysis.run_agreement import agreement
from core.analysis.run_comparison import compare_runs
from core.analysis.training_progress import band, comparable_epochs, curves_table, mean_load
from core.figures.comparison import agreement_figure, forest_figure
from core.figures.training import brier_figure, concordance_figure, entropy_figure, load_figure, loss_figure
from core.results.training_curve import CurvePoint, LevelLoad
from tests.results.generated import make_predictions, make_run

LOADS = {0: (0.25, 0.25, 0.25, 0.25), 1: (0.7, 0.1, 0.1, 0.1), 2: (1.0, 0.0, 0.0, 0.0)}
POINTS = tuple(
    CurvePoint(
        fold, 0, epoch, 2.0 - 0.1 * epoch + fold, 2.2, 0.6 + 0.02 * epoch, 0.5 + 0.1 * fold, 0.2 if epoch else None,
        levels={"level 2": LevelLoad.of(LOADS[epoch], LOADS[0])},
    )
    for fold in (0, 1) for epoch in (0, 1, 2)
)  # fmt: skip


def line(figure, name: str):
    return next(t for t in figure.data if t.name == name)


def test_lines_are_means_over_folds_with_their_range() -> None:
    loss = loss_figure(POINTS, True)
    assert line(loss, "training").x.tolist() == [1, 2, 3]
    assert line(loss, "training").y == pytest.approx([2.5, 2.4, 2.3])
    assert line(loss, "training").customdata[:, :2] == pytest.approx(np.array([[2, 3], [1.9, 2.9], [1.8, 2.8]]))
    held = line(concordance_figure(POINTS, True), "held-out")
    assert held.y == pytest.approx([0.55, 0.55, 0.55])
    assert line(brier_figure(POINTS, True), "held-out").x.tolist() == [2, 3]  # not estimable after the first epoch
    assert band(POINTS, lambda p: p.ibs_held_out).fits.tolist() == [2, 2]


def test_a_mean_is_over_the_same_fits_at_every_epoch() -> None:
    ahead = tuple(p for p in POINTS if p.fold == 0 or p.epoch == 0)  # fold 0 has finished, fold 1 has just begun
    assert {(p.fold, p.epoch) for p in comparable_epochs(ahead, 3)} == {(0, 0), (0, 1), (0, 2)}
    assert {(p.fold, p.epoch) for p in comparable_epochs(ahead, 5)} == {(0, 0), (1, 0)}
    assert comparable_epochs(POINTS, 3) == comparable_epochs(POINTS) == POINTS
    assert comparable_epochs((), 3) == ()


def test_entropy_falls_to_zero_and_the_alarms_line_is_drawn() -> None:
    figure = entropy_figure(POINTS, False)
    drawn = line(figure, "2").y
    shares = np.array(LOADS[1])
    assert drawn == pytest.approx([1.0, -(shares * np.log(shares)).sum() / np.log(4), 0.0])
    assert figure.layout.shapes[0].y0 == 0.25
    heat = load_figure(POINTS, "level 2", False).data[0]
    assert np.array(heat.z) == pytest.approx(100 * np.array([LOADS[e] for e in range(3)]).T)
    assert mean_load(POINTS, "level 2")[1].sum(axis=1) == pytest.approx(np.ones(3))


@pytest.mark.parametrize("draw", [loss_figure, concordance_figure, brier_figure, entropy_figure])
def test_synthetic_is_said_and_one_epoch_or_none_can_be_drawn(draw) -> None:
    assert "synthetic patients" in draw(POINTS, True).layout.title.subtitle.text
    assert "synthetic" not in draw(POINTS, False).layout.title.subtitle.text
    assert draw(POINTS[:1], True).layout.xaxis.range[0] < 1
    assert draw((), True).layout.title.text


def test_names_at_the_lines_ends_stay_inside_and_apart() -> None:
    levels = {f"level 1 · {n}": LevelLoad.of(LOADS[0], LOADS[0]) for n in ("slides", "genomics", "reports")}
    points = [CurvePoint(0, 0, e, 1.0, 1.0, 0.6, 0.6, 0.2, levels=levels) for e in range(3)]
    figure = entropy_figure(points, True)
    heights = sorted(a.y for a in figure.layout.annotations)
    assert heights[-1] <= figure.layout.yaxis.range[1]
    assert min(np.diff(heights)) > 0.08


def test_every_epoch_stands_in_the_table() -> None:
    table = curves_table(POINTS)
    assert len(table) == 6
    assert table["entropy, level 2"].tolist()[:3] == pytest.approx([1.0, 0.678, 0.0], abs=1e-3)


@pytest.fixture(scope="module")
def comparison():
    predictions = {"good-1": make_predictions(n=120), "poor-2": make_predictions(n=120, signal=0.2, noise_seed=5)}
    runs = (make_run("good-1"), make_run("poor-2", protocol="upstream"))
    return compare_runs(runs, predictions, "good-1")


def test_forest_draws_values_and_paired_differences_on_their_own_axes(comparison) -> None:
    names = run_names(tuple(c.run for c in comparison.compared))
    for metric in comparison.metrics:
        figure = forest_figure(comparison, metric, names)
        poor = comparison.of("poor-2")
        left = [t for t in figure.data if t.xaxis == "x"]
        right = [t for t in figure.data if t.xaxis == "x2"]
        assert [t.x[0] for t in left] == [c.values[metric.key].value for c in comparison.compared]
        difference = poor.differences[metric.key]
        assert [t.x[0] for t in right] == [difference.value]
        assert right[0].x[0] + right[0].error_x.array[0] == pytest.approx(difference.high)
        assert right[0].x[0] - right[0].error_x.arrayminus[0] == pytest.approx(difference.low)
        low, high = figure.layout.xaxis2.range
        assert low < min(0, difference.low)
        assert high > max(0, difference.high)
    words = json.dumps(figure.to_plotly_json(), default=str)
    assert "optimistic" in words
    assert "synthetic patients" in words


def test_agreement_draws_each_patient_once_and_names_none_in_a_file(comparison) -> None:
    names = run_names(tuple(c.run for c in comparison.compared))
    found = agreement(comparison, "good-1", "poor-2", 24.0)
    screen = agreement_figure(found, names, True)
    drawn = [row[0] for t in screen.data if t.mode == "markers" for row in t.customdata]
    assert sorted(drawn) == sorted(found.ids)
    assert screen.layout.xaxis.range == screen.layout.yaxis.range
    exported = json.dumps(agreement_figure(found, names, True, screen=False).to_plotly_json(), default=str)
    assert not any(i in exported for i in found.ids)
    assert "synthetic patients" in exported
