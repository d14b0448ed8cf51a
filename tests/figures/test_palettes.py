"""Both palettes: text and marks are seen on every ground, groups are told apart by every eye, all parts agree."""

from __future__ import annotations

import itertools
import tomllib
from pathlib import Path

import plotly.graph_objects as go
import pytest

from core.figures.canvas import Canvas
from core.figures.paint import painted, recoloured
from core.figures.palette import DARK, LIGHT, PALETTES, Palette
from core.figures.theme import pen, titled
from tests.figures.colours import APART, DEFICIENCIES, MARK, TEXT, contrast, faults_of, seen_apart

ROOT = Path(__file__).resolve().parents[2]
READ = ("ink", "soft", "muted", "accent", "warning", *(f"ink{i}" for i in range(1, 6)))
SEEN = ("mark", "balance", "deep", *(f"group{i}" for i in range(1, 6)))
both = pytest.mark.parametrize("palette", PALETTES.values(), ids=PALETTES)


@both
def test_every_text_and_every_mark_is_seen_on_its_ground(palette: Palette) -> None:
    roles = palette.roles()
    grounds = ("ground", "surface", "chip", "liver", "tumour", "both")
    weak = {(r, g) for r in READ for g in grounds if contrast(roles[r], roles[g]) < TEXT}
    weak |= {(r, "ground") for r in SEEN if contrast(roles[r], palette.ground) < MARK}
    weak |= {
        (a, b) for a, b in (("on_accent", "accent"), ("on_banner", "banner")) if contrast(roles[a], roles[b]) < TEXT
    }
    assert weak == set()


@both
@pytest.mark.parametrize("deficiency", DEFICIENCIES)
def test_groups_are_told_apart_by_every_eye(palette: Palette, deficiency: str) -> None:
    pairs = list(itertools.combinations(palette.groups, 2))
    assert min(seen_apart(a, b, deficiency) for a, b in pairs) >= APART
    # what raises and what lowers, the run and the warning
    assert seen_apart(palette.accent, palette.warning, deficiency) >= APART
    assert seen_apart(palette.groups[0], palette.groups[1], deficiency) >= 3 * APART


def test_the_measures_are_those_of_the_standard() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)  # the grey that just fails
    assert seen_apart("#FF0000", "#FF0000", "none") == 0
    red_green = [seen_apart("#B03030", "#5A7A20", d) for d in ("none", "deuteranopia")]
    assert red_green[1] < 0.5 * red_green[0]


def test_pages_and_figures_share_their_palettes() -> None:
    themes = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())["theme"]
    for palette in PALETTES.values():
        theme = themes[palette.scheme]
        names = ("primaryColor", "linkColor", "backgroundColor", "secondaryBackgroundColor", "textColor", "borderColor")
        shared = (palette.accent, palette.accent, palette.ground, palette.surface, palette.ink, palette.line)
        assert tuple(theme[n] for n in names) == shared


def test_a_colour_goes_to_the_one_with_its_role_and_back() -> None:
    for role, colour in LIGHT.roles().items():
        there = recoloured(colour, DARK)
        assert there in {DARK.roles()[r] for r, c in LIGHT.roles().items() if c == colour}, role
    assert recoloured("white", DARK) == recoloured("#ffffff", DARK) == DARK.ground
    assert recoloured("rgba(11,93,102,0.16)", DARK) == "rgba(92,194,204,0.16)"
    assert recoloured("rgba(0,0,0,0)", DARK) == "rgba(0,0,0,0)"
    assert recoloured("#123456", DARK) == "#123456"


def test_painting_changes_colours_only_and_leaves_the_printed_figure_alone() -> None:
    canvas = Canvas()
    canvas.add_scatter(x=[1, 2], y=[3, 4], line={"color": pen(1).colour}, fillcolor=pen(1).faint(), name="Stage")
    canvas.add_heatmap(z=[[1, 2]], colorscale=[[0, LIGHT.ground], [1, LIGHT.accent]])
    canvas.add_annotation(text=f"<b>a</b> <span style='color:{LIGHT.muted}'>n 3</span>", font={"color": pen(1).ink})
    figure = titled(canvas, "Title", "n 3", True, 300).figure()
    before = figure.to_json()
    dark = painted(figure, DARK).to_dict()
    assert figure.to_json() == before
    assert painted(figure, LIGHT) is figure
    assert dark["data"][0]["line"]["color"] == DARK.groups[1]
    assert dark["data"][1]["colorscale"] == [[0, DARK.ground], [1, DARK.accent]]
    assert f"color:{DARK.muted}" in dark["layout"]["annotations"][0]["text"]
    assert (dark["layout"]["paper_bgcolor"], dark["layout"]["font"]["color"]) == (DARK.ground, DARK.ink)
    assert dark["data"][0]["x"] == figure.to_dict()["data"][0]["x"]


def test_a_figure_that_cannot_be_read_is_found() -> None:
    point = {"type": "scatter", "x": [1], "y": [1], "mode": "markers", "marker": {"color": LIGHT.faint}}
    bar = {"type": "bar", "x": [1], "marker": {"color": "#FEDCBA"}}
    words = {"text": "pale", "font": {"color": LIGHT.groups[3]}}
    faults = faults_of(go.Figure({"data": [point, bar], "layout": {"annotations": [words]}}))
    assert "light: mark #C9D6D8" in faults
    assert "#FEDCBA has no role" in faults
    assert any(f.startswith("light: text #CC79A7") for f in faults)
