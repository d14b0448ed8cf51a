"""The Slide tab in its states: maps there, not made yet, a run without slides, no slide, a file that is gone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.cohort.storage import save_cohort
from core.media.geojson import Area, read_geojson, write_geojson
from core.results.run_store import save_run
from core.results.slide_maps import SlideMaps
from core.results.views import save_view
from core.results.workspace import Workspace
from pages.widgets import patient_slide
from pages.widgets.slide_areas import extreme_patches
from pages.widgets.state import PageState
from tests.pages.builders import make_large_cohort, make_predictions, make_run
from tests.serving.slide_places import corners_of, index_slides, maps_of, store_maps, write_slide

RUN, PATIENT, OTHER = "hdmoe-1", "P-000000", "P-000001"
SIDE = 100


@pytest.fixture
def study(workspace: Workspace, tmp_path: Path) -> Workspace:
    """Two patients who have slides by the cohort's table; the file of one of them is there."""
    cohort = make_large_cohort(40, "study")
    have = cohort.availability.assign(slides=[i < 2 for i in range(40)])
    save_cohort(replace(cohort, availability=have), None, workspace)
    path = write_slide(tmp_path / "s.tif", np.full((700, 900, 3), 200, np.uint8), 0.5, (1,))
    index_slides("study", PATIENT, [path], workspace)
    store_run(workspace, ("slides", "clinical"))
    return workspace


def store_run(workspace: Workspace, modalities: tuple[str, ...], name: str = RUN) -> None:
    cohort = make_large_cohort(40, "study")
    predictions = make_predictions(cohort)
    save_run(replace(make_run(cohort, predictions, name), modalities=modalities), predictions, workspace)


@pytest.fixture
def slide(
    study: Workspace, monkeypatch: pytest.MonkeyPatch, open_page: Callable[..., AppTest]
) -> Callable[..., AppTest]:
    """Open the tab; ``given`` collects what the viewer was given."""
    monkeypatch.setattr(patient_slide, "visitor_of", lambda cookies: "a" * 32)

    def opened(patient: str = PATIENT, given: list[dict[str, Any]] | None = None, run: str = RUN) -> AppTest:
        keep = [] if given is None else given
        monkeypatch.setattr(patient_slide, "slide_viewer", lambda data, key: keep.append(data))
        view = save_view(PageState(cohort="study", run=run, patient=patient).as_json(), study)
        test = open_page("patient", view=view)
        test.session_state["patient_tab"] = "Slide"
        return test.run()

    return opened


def maps() -> SlideMaps:
    return maps_of(RUN, PATIENT, corners_of(900, 700, SIDE), SIDE)


def html(test: AppTest) -> str:
    return " ".join(str(e.value) for e in [*test.get("html"), *test.markdown])


def test_with_maps_the_viewer_gets_layers_legends_and_nothing_that_names_the_patient(
    study: Workspace, slide: Callable[..., AppTest]
) -> None:
    store_maps(maps(), study)
    given: list[dict[str, Any]] = []
    test = slide(given=given)
    assert not test.exception
    data = given[-1]
    attention, expert, absent = data["layers"]
    assert attention["legend"]["how"] == "percentile of the value, among this slide’s 63 patches"
    assert (attention["legend"]["what"], attention["legend"]["unit"]) == ("attention", "share of the attention")
    assert (expert["title"], expert["signed"], expert["legend"]["middle"]) == ("relevance through expert 1", True, "0")
    assert [x["expert"] for x in data["layers"]] == [False, True, True]
    assert absent["absent"] == "this patient does not use expert 2"
    assert "picture" not in absent
    assert data["maps"]["rectangle"] == (0, 0, 900, 700)
    assert (data["width"], data["mpp"], data["magnification"]) == (900, pytest.approx(0.5), pytest.approx(20))
    assert PATIENT not in str(data)
    assert "s.tif" not in str(data)
    assert "does not say where disease is" in html(test)


def test_scale_is_the_readers_choice_and_the_legend_says_it(study: Workspace, slide: Callable[..., AppTest]) -> None:
    store_maps(maps(), study)
    given: list[dict[str, Any]] = []
    test = slide(given=given)
    test.session_state["slide_shown"] = patient_slide.Shown.RAW
    test.session_state["slide_over"] = patient_slide.Over.COHORT
    test.run()
    attention, expert, _ = given[-1]["layers"]
    assert (
        attention["legend"]["how"] == "raw values, coloured over the range of patches of a sample of the run’s patients"
    )
    assert attention["legend"]["high"] == "0.1"
    assert "shown=raw&over=cohort&made=" in attention["picture"]
    # no cohort scale was made of the expert: its own slide's, said so
    assert "this slide’s 63 patches" in expert["legend"]["how"]
    assert (expert["legend"]["low"], expert["legend"]["high"]) == ("−3", "+3")


def test_before_maps_are_made_the_slide_is_there_and_a_button_makes_them(slide: Callable[..., AppTest]) -> None:
    given: list[dict[str, Any]] = []
    test = slide(given=given)
    assert "Where the model looked on the slides is not computed yet" in html(test)
    assert "explain_slide" in {b.key for b in test.button}
    assert given[-1]["layers"] == []


def test_a_run_that_reads_no_slides_says_so_and_the_slide_is_there(
    study: Workspace, slide: Callable[..., AppTest]
) -> None:
    store_run(study, ("genomics", "clinical"), "hdmoe-2")
    given: list[dict[str, Any]] = []
    test = slide(given=given, run="hdmoe-2")
    assert "this run does not read slides" in html(test)
    assert "explain_slide" not in {b.key for b in test.button}
    assert given


def test_features_without_the_slide_file_are_told(slide: Callable[..., AppTest]) -> None:
    assert "The slide itself is not here" in html(slide(OTHER))


def test_a_slide_that_is_gone_and_maps_of_another_slide_are_errors_in_words(
    study: Workspace, slide: Callable[..., AppTest], tmp_path: Path
) -> None:
    store_maps(maps_of(RUN, PATIENT, corners_of(9000, 700, SIDE), SIDE), study)
    assert "it was made on another file" in html(slide())
    (tmp_path / "s.tif").unlink()
    text = html(slide())
    assert "A slide file that is missing" in text
    assert str(tmp_path) not in text


def test_the_ends_of_a_layer_leave_as_areas_for_qupath() -> None:
    found = maps()
    layer = found.layer("expert-1")
    assert layer is not None
    areas = extreme_patches(found, layer, 0, 3)
    assert [a.classification.split()[0] for a in areas] == ["highest"] * 3 + ["lowest"] * 3
    values = [a.measurements["relevance through expert 1"] for a in areas]
    assert values[:3] == sorted(layer.values.tolist())[:-4:-1]
    assert values[3:] == sorted(layer.values.tolist())[:3]
    x, y = found.coordinates[int(np.argmax(layer.values))].tolist()
    assert areas[0].polygons[0][0][:3] == ((x, y), (x + SIDE, y), (x + SIDE, y + SIDE))
    assert read_geojson(write_geojson(areas).encode(), (900, 700)).areas == tuple(areas)


def test_areas_that_were_read_are_drawn_and_can_be_removed(study: Workspace, slide: Callable[..., AppTest]) -> None:
    given: list[dict[str, Any]] = []
    test = slide(given=given)
    name = given[-1]["id"]
    test.session_state[f"slide_areas_{name}"] = (Area.square(10, 20, 30, name="<img src=x>"),)
    test.run()
    (area,) = given[-1]["areas"]
    assert (area["name"], area["polygons"][0][0][0]) == ("<img src=x>", (10, 20))
    assert "1 annotations are drawn" in html(test)
    test.button(key="areas_remove").click().run()
    assert given[-1]["areas"] == []
