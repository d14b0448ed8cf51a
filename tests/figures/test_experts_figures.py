"""Figures of the Experts page draw the record's numbers, name no patient in a file, and say what is missing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from core.analysis.gates import Models, gate_rows, patient_order
from core.analysis.group_survival import SurvivalOptions, analyse_groups
from core.analysis.map_colours import colour_choices, colour_of
from core.analysis.outcome import make_outcome
from core.analysis.phenotypes import By, PhenotypeChoice, make_phenotypes, phenotype_grouping
from core.analysis.profile import profile
from core.cohort.sample import make_sample_cohort
from core.figures.gate_heatmap import gate_heatmap
from core.figures.patient_map import patient_map
from core.figures.survival import survival_figure
from core.figures.switch_off import OffRow, switch_off_figure
from core.figures.theme import GROUP_COLOURS, MUTED
from core.figures.volcano import volcano_figure
from tests.pages.builders import make_predictions, make_run
from tests.pages.routings import make_routing

COHORT = make_sample_cohort()[0]
PREDICTIONS = make_predictions(COHORT)
RECORD = make_routing(COHORT, PREDICTIONS)
OUTCOME = make_outcome(COHORT, np.arange(len(COHORT)))


def test_columns_of_the_heat_map_are_patients_in_their_order() -> None:
    rows = gate_rows(RECORD, Models(0))
    order = patient_order(RECORD, rows, OUTCOME, "predicted risk", np.arange(len(RECORD)))
    figure = gate_heatmap(RECORD, rows, order, OUTCOME, "predicted risk", "seed 0", RECORD.ids[3])
    grid = np.array(figure.data[0].z, dtype=float)
    names = dict(zip(figure.layout.yaxis.tickvals, figure.layout.yaxis.ticktext, strict=True))
    assert list(names.values()) == list(rows.experts)
    assert grid[list(names)] == pytest.approx(rows.mass[:, order])
    assert np.isnan(grid[0]).all()
    assert [d[0] for d in figure.data[1].customdata] == [RECORD.ids[i] for i in order]
    crosses = figure.data[2]
    assert len(crosses.x) == int((OUTCOME.codes == 1).sum())
    quiet = gate_heatmap(RECORD, rows, order, OUTCOME, "risk", "seed 0", RECORD.ids[3], interactive=False)
    assert not any(i in str(quiet.to_plotly_json()) for i in RECORD.ids)


def test_switching_off_draws_every_patient_who_takes_part() -> None:
    change = RECORD.modalities["genomics"].survival.mean(axis=0)
    figure = switch_off_figure([OffRow("Genes", change)], 36.0, RECORD.ids, "t", "s", True, RECORD.ids[30])
    known = np.isfinite(change)
    assert list(figure.data[0].x) == pytest.approx(change[known].tolist())
    assert figure.data[1].x[0] == pytest.approx(float(change[30]))
    assert "percentage points of 3-year survival" in figure.layout.xaxis.title.text
    nobody = switch_off_figure([OffRow("Genes", np.full(len(RECORD), np.nan))], 36.0, RECORD.ids, "t", "s", True)
    assert "nobody" in [a.text for a in nobody.layout.annotations]


def test_a_map_takes_any_colour_and_fades_who_is_not_selected() -> None:
    inside = np.arange(len(RECORD)) < 100
    for key in colour_choices(COHORT, RECORD):
        colour = colour_of(COHORT, RECORD, OUTCOME, key)
        assert len(colour.words or colour.numbers) == len(RECORD)
        figure = patient_map(RECORD.maps["PCA"], "PCA", colour, RECORD.ids, inside, True, "x", RECORD.ids[0])
        drawn = [t for t in figure.data if t.marker.symbol != "diamond-open"]
        assert sum(len(t.x) for t in drawn) == len(RECORD)
        faded = next(t for t in drawn if t.name == "not selected")
        assert len(faded.x) == len(RECORD) - 100
    quiet = patient_map(RECORD.maps["PCA"], "PCA", colour, RECORD.ids, inside, True, "x", RECORD.ids[0], False)
    assert not any(i in str(quiet.to_plotly_json()) for i in RECORD.ids)


def test_a_volcano_fills_what_is_sure() -> None:
    risk = np.argsort(np.argsort(COHORT.patients["age"].fillna(60).to_numpy(dtype=float))) > 150
    found = profile(COHORT, risk, ~risk)
    figure = volcano_figure(found, "the old", "all others", True)
    filled = sum(len(t.x) for t in figure.data if not str(t.marker.symbol).endswith("-open"))
    assert filled == int((found.table["q"] < 0.05).sum())
    assert sum(len(t.x) for t in figure.data) == len(found.table)
    assert "age" in [a.text for a in figure.layout.annotations]


def test_names_of_equal_height_stay_apart_and_inside_the_volcano() -> None:
    table = pd.DataFrame(
        {"name": [f"GENE{i}" for i in range(10)], "kind": "gene", "effect": np.linspace(0.30, 0.32, 10), "p": 1e-12,
         "q": 1e-10}
    )  # fmt: skip
    found = replace(profile(COHORT, np.arange(len(COHORT)) < 80, np.arange(len(COHORT)) >= 80), table=table)
    figure = volcano_figure(found, "a group", "all others", True)
    named = [a for a in figure.layout.annotations if str(a.text).startswith("GENE")]
    room = figure.layout.height - figure.layout.margin.t - figure.layout.margin.b
    pixels = room / figure.layout.yaxis.range[1]
    places = sorted(pixels * a.y + a.yshift for a in named)
    assert len(places) == 10
    assert np.diff(places).min() >= 14
    assert places[-1] <= room


def test_unstable_groups_are_grey_in_curves_and_table() -> None:
    found = make_phenotypes(RECORD, PhenotypeChoice(By.DOMINANT, "level 2"))
    grouping = phenotype_grouping(RECORD, found, OUTCOME, make_run(COHORT, PREDICTIONS))
    result = analyse_groups(OUTCOME, grouping, SurvivalOptions())
    figure = survival_figure(result, "t", True, grey={found.names[0]})
    colours = {t.name: t.line.color for t in figure.data if t.name in found.names}
    assert colours[found.names[0]] == MUTED
    assert colours[found.names[1]] == GROUP_COLOURS[1]
    heads = {a.text: a.font.color for a in figure.layout.annotations}
    assert heads[f"<b>{found.names[0]}</b>"] == MUTED
