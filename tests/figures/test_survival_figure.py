"""The survival figure draws the numbers it was given, in colours that can be told apart, and can be made again."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from core.analysis.drawn import drawn_numbers
from core.analysis.group_survival import GroupSurvival, SurvivalOptions, analyse_groups
from core.analysis.grouping import Cut, GroupBy, Grouping, Source, column_groups
from core.analysis.outcome import CompetingAs, Outcome, make_outcome
from core.analysis.reproduce import python_code, r_code
from core.cohort.cohort import Cohort
from core.cohort.sample import make_sample_cohort
from core.figures.export import browser, image
from core.figures.survival import survival_figure
from core.figures.theme import GROUP_COLOURS, pen, spread


@pytest.fixture(scope="module")
def cohort() -> Cohort:
    return make_sample_cohort()[0]


@pytest.fixture(scope="module")
def result(cohort: Cohort) -> GroupSurvival:
    outcome = make_outcome(cohort, np.arange(len(cohort)), "OS")
    grouping = column_groups(outcome, cohort, GroupBy(Source.COLUMN, "afp", Cut.TERTILES))
    return analyse_groups(outcome, grouping, SurvivalOptions())


def crafted(delayed: bool, competing: bool) -> GroupSurvival:
    """Two groups with ties, events at time 0 and, where asked, late entries and competing events."""
    random = np.random.default_rng(5)
    n = 90
    time = random.integers(0, 30, n).astype(float)
    entry = np.where(time > 6, random.integers(0, 6, n), 0).astype(float) if delayed else np.zeros(n)
    codes = random.choice([0, 1, 2] if competing else [0, 1], n)
    ids = tuple(f"P{i}" for i in range(n))
    label = "transplant" if competing else ""
    outcome = Outcome(np.arange(n), ids, entry, time, codes, "Überleben", "“day 1”", "death", label, ())
    return analyse_groups(outcome, Grouping("group", ("a ≤ 3", "b > 3"), np.arange(n) % 2), SurvivalOptions())


def contrast(colour: str) -> float:
    """WCAG contrast of a colour on white."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 1.05 / (0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] + 0.05)


def test_every_group_colour_is_seen_and_no_two_pens_are_alike() -> None:
    assert all(contrast(colour) >= 3 for colour in GROUP_COLOURS)
    pens = [pen(i) for i in range(12)]
    assert len({(p.colour, p.dash) for p in pens}) == 12


def test_the_table_stands_under_the_ticks_with_the_groups_own_counts(result: GroupSurvival) -> None:
    figure = survival_figure(result, "Overall survival", False)
    rows = [trace for trace in figure.data if trace.mode == "text"]
    assert len(rows) == 3 * len(result.groups)
    counts = [numbers for group in result.groups for _, numbers in group.table]
    for trace, numbers in zip(rows, counts, strict=True):
        assert list(trace.x) == list(figure.layout.xaxis.tickvals) == list(result.ticks)
        assert [int(t) for t in trace.text] == list(numbers)
        assert trace.xaxis in (None, "x")  # the curve's own axis: aligned at every width


def test_the_curves_are_the_estimates(result: GroupSurvival) -> None:
    figure = survival_figure(result, "Overall survival", False)
    curves = {t.name: t for t in figure.data if t.name and t.mode == "lines+markers"}
    for group in result.groups:
        drawn = curves[group.name]
        at = np.searchsorted(group.curve.time, np.asarray(drawn.x, dtype=float), side="right") - 1
        assert np.allclose(np.asarray(drawn.y, dtype=float), group.curve.survival[at])
        assert drawn.line.shape == "hv"


def test_title_says_subject_n_and_synthetic(result: GroupSurvival) -> None:
    figure = survival_figure(result, "Overall survival by AFP", True)
    assert "Overall survival by AFP" in figure.layout.title.text
    assert f"{result.n} patients, {result.n_events} events" in figure.layout.title.subtitle.text
    assert "synthetic patients" in figure.layout.title.subtitle.text


def test_hover_names_patients_on_screen_and_nobody_in_a_file(result: GroupSurvival, cohort: Cohort) -> None:
    screen = survival_figure(result, "x", True).to_json()
    printed = survival_figure(result, "x", True, interactive=False).to_json()
    assert sum(name in screen for name in cohort.ids) > 100
    assert "at risk" in screen
    assert not any(name in printed for name in cohort.ids)


def test_a_searched_cut_warns_inside_the_figure(cohort: Cohort) -> None:
    outcome = make_outcome(cohort, np.arange(len(cohort)), "OS")
    grouping = column_groups(outcome, cohort, GroupBy(Source.COLUMN, "afp", Cut.BEST))
    figure = survival_figure(analyse_groups(outcome, grouping, SurvivalOptions()), "x", True)
    words = " ".join(a.text for a in figure.layout.annotations)
    assert "chosen on these patients" in words
    assert "maximally selected log-rank" in words


def test_competing_events_are_named_and_drawn_apart(cohort: Cohort) -> None:
    outcome = make_outcome(cohort, np.arange(len(cohort)), "DWT", CompetingAs.COMPETING)
    grouping = column_groups(outcome, cohort, GroupBy(Source.COLUMN, "sex"))
    figure = survival_figure(analyse_groups(outcome, grouping, SurvivalOptions()), "x", True)
    assert "dotted: liver transplant" in figure.layout.title.subtitle.text
    first = next(t for t in figure.data if t.mode == "lines+markers")
    assert first.y[0] == 0
    assert first.y[-1] > 0.3


def test_labels_move_apart_and_keep_their_order() -> None:
    placed = spread([0.5, 0.1, 0.52, 0.51], 0.1)
    assert np.argsort(placed).tolist() == np.argsort([0.5, 0.1, 0.52, 0.51]).tolist()
    assert np.diff(np.sort(placed)).min() >= 0.1 - 1e-9


@pytest.mark.parametrize("kind", ["svg", "png", "pdf"])
def test_a_figure_becomes_a_file(result: GroupSurvival, kind: str) -> None:
    if browser() is None:
        pytest.skip("no Chromium on this machine")
    drawn = image(survival_figure(result, "Überleben", True, interactive=False), kind)
    if kind == "png":
        assert drawn[:8] == b"\x89PNG\r\n\x1a\n"
        assert int.from_bytes(drawn[16:20], "big") == round(1000 * 300 / 96)
        assert b"pHYs" in drawn[:80]
    else:
        assert drawn[:4] == (b"%PDF" if kind == "pdf" else b"<svg")


@pytest.mark.parametrize("delayed", [False, True])
@pytest.mark.parametrize("competing", [False, True])
@pytest.mark.parametrize("language", ["python", "R"])
def test_the_exported_code_computes_the_figure_again(
    delayed: bool, competing: bool, language: str, tmp_path: Path
) -> None:
    if language == "R" and shutil.which("Rscript") is None:
        pytest.skip("no Rscript on this machine")
    result = crafted(delayed, competing)
    assert result.competing is competing
    numbers = drawn_numbers(result)
    drawing = tmp_path / ("figure.pdf" if language == "R" else "figure.png")
    csv, script = tmp_path / "numbers.csv", tmp_path / "script"
    numbers.to_csv(csv, index=False)
    make, command = (python_code, [sys.executable]) if language == "python" else (r_code, ["Rscript"])
    script.write_text(make(result, 'A "quoted" title', True), encoding="utf-8")
    done = subprocess.run([*command, script, csv, drawing], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert float(done.stdout.rsplit("largest difference", 1)[1]) < 1e-9
    assert drawing.stat().st_size > 1000
    wrong = numbers.assign(estimate=numbers["estimate"] + 0.01)
    wrong.to_csv(csv, index=False)
    again = subprocess.run([*command, script, csv, drawing], capture_output=True, text=True, timeout=120, check=False)
    assert again.returncode == 1
