"""An application with one cohort of patients with slides, one of them a pattern of squares at known places."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Page

from core.cohort.media_index import MediaFile, MediaIndex, MediaKind, save_media
from core.cohort.modality import Modality
from core.cohort.storage import save_cohort
from core.results.run_store import save_run
from core.results.views import save_view
from core.results.workspace import Workspace
from pages.widgets.state import PageState
from tests.browser.conftest import Served, application
from tests.browser.waiting import frames
from tests.pages.builders import make_large_cohort, make_predictions, make_run
from tests.serving.slide_places import corners_of, maps_of, store_maps, write_slide

RUN = "hdmoe-1"
SIDE = 224
WIDTH, HEIGHT = 9_003, 7_001
ORIGIN = (37, 53)
PATIENTS = ("P-000000", "P-000001", "P-000002")
"""Squares at known places · tissue-like, mpp unknown · no slide."""


def square_corners() -> np.ndarray:
    """Corners of the dark squares: a grid that begins at an odd place, every third cell filled."""
    return corners_of(WIDTH - ORIGIN[0], HEIGHT - ORIGIN[1], 3 * SIDE) + np.asarray(ORIGIN)


def squares() -> np.ndarray:
    """A pale slide with the dark squares."""
    image = np.full((HEIGHT, WIDTH, 3), 235, dtype=np.uint8)
    for x, y in square_corners():
        image[y : y + SIDE, x : x + SIDE] = 20
    return image


@contextmanager
def slide_app(folder: Path) -> Iterator[Served]:
    """The running application."""
    workspace = Workspace(folder / "workspace")
    cohort = make_large_cohort(60, "slides")
    cohort = replace(cohort, availability=cohort.availability.assign(slides=[i < 2 for i in range(60)]))
    save_cohort(cohort, None, workspace)
    predictions = make_predictions(cohort)
    save_run(replace(make_run(cohort, predictions, RUN), modalities=("slides", "clinical")), predictions, workspace)
    random = np.random.default_rng(0)
    paths = {
        PATIENTS[0]: write_slide(folder / "squares.tif", squares(), 0.25, (1, 4, 16)),
        PATIENTS[1]: write_slide(
            folder / "other.tif", random.integers(90, 250, (700, 900, 3), dtype=np.uint8), None, (1,)
        ),
    }
    files = [MediaFile(p, Modality.SLIDES, MediaKind.SLIDE, str(path)) for p, path in paths.items()]
    save_media("slides", MediaIndex(tuple(files)), workspace)
    store_maps(maps_of(RUN, PATIENTS[0], square_corners(), SIDE), workspace)
    with application(workspace, folder / "server.log") as running:
        yield running


def open_slide_tab(page: Page, served: Served, patient: str = PATIENTS[0]) -> None:
    """The Slide tab of a patient, its viewer ready and its tiles drawn."""
    state = PageState(cohort="slides", run=RUN, patient=patient)
    page.goto(f"{served.url}/patient?view={save_view(state.as_json(), served.workspace)}")
    page.get_by_role("tab", name="Slide").wait_for()
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()
    page.get_by_role("tab", name="Slide").click()
    page.locator('.slide-viewer[data-ready="1"]').wait_for()
    settle(page)


def settle(page: Page) -> None:
    """Wait until nothing moves and every tile and map is drawn."""
    page.wait_for_function(
        """() => {
          const view = document.querySelector('.slide-viewer').slideView;
          const maps = view.panes.flatMap((p) => view.shownLayers(p.number)).every((item) => view.imageOf(item));
          const same = view.panes.every((p) => {
            const { osd } = p; const v = osd.viewport;
            return p.item && p.item.getFullyLoaded() && v.getZoom() === v.getZoom(true)
              && v.getRotation() === v.getRotation(true)
              && v.getCenter().x === v.getCenter(true).x && v.getCenter().y === v.getCenter(true).y;
          });
          return maps && same;
        }""",
    )
    frames(page)


def view_of(page: Page, expression: str) -> object:
    """An expression of the viewer's object, named ``view``."""
    return page.evaluate(
        f"() => {{ const view = document.querySelector('.slide-viewer').slideView; return {expression}; }}"
    )


def where(page: Page) -> Any:
    """What each view looks at."""
    return view_of(page, "view.panes.map((p) => p.where)")


def press(page: Page, key: str) -> None:
    """A key of the viewer, and wait until it has done its work."""
    page.locator(".sv-tools button", has_text="Fit").focus()
    page.keyboard.press(key)
    settle(page)
