"""From a group that the experts make to the place on a slide, by clicks alone: phenotype, its curve, its patients, one
of them, the region. Nothing is typed, and no address is entered after the first."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from core.analysis.phenotypes import By, PhenotypeChoice, make_phenotypes
from core.cohort.storage import load_cohort
from core.results.routing_record import save_routing
from core.results.views import save_view
from core.serving.libraries import has_library
from pages.widgets.state import PageState
from tests.browser.conftest import Served
from tests.browser.slides import PATIENTS, RUN, SIDE, settle, square_corners, view_of
from tests.browser.waiting import idle, still
from tests.pages.builders import make_predictions
from tests.pages.routings import make_routing

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not has_library("openseadragon.min.js"), reason="viewer libraries are not installed (./run test)"
    ),
]
LEVEL = "level 2"


def group_of(served: Served, patient: str) -> tuple[str, int]:
    """Name and size of the phenotype that holds a patient, after the routing was stored."""
    cohort = load_cohort("slides", served.workspace)
    record = make_routing(cohort, make_predictions(cohort), RUN)
    save_routing(record, served.workspace)
    found = make_phenotypes(record, PhenotypeChoice(By.DOMINANT, LEVEL))
    group = int(found.member[record.ids.index(patient)])
    return found.names[group], int((found.member == group).sum())


def test_from_a_phenotype_to_the_region_of_one_patient(
    slides_served: Served, chromium: Browser, screenshots: Path
) -> None:
    name, size = group_of(slides_served, PATIENTS[0])
    view = save_view(PageState(cohort="slides", run=RUN).as_json(), slides_served.workspace)
    page = chromium.new_page(viewport={"width": 1440, "height": 1300})
    addresses: list[str] = []
    page.on("framenavigated", lambda frame: addresses.append(frame.url))
    page.goto(f"{slides_served.url}/experts?view={view}")
    page.get_by_role("tab", name="Phenotypes", exact=True).click()
    curves = page.locator(".st-key-figure_phenotypes .js-plotly-plot")
    expect(curves).to_be_visible()
    still(page)

    # the phenotype: its curve alone remains
    page.get_by_role("button", name=f"{name} ({size})", exact=True).click()
    idle(page)
    expect(page.get_by_text(f"{size} of 60 patients selected")).to_be_visible()
    still(page)
    lines = page.evaluate(
        "() => document.querySelector('.st-key-figure_phenotypes .js-plotly-plot').data.map((t) => t.name)"
    )
    assert name in lines
    assert not [other for other in ("expert 1", "expert 2", "expert 3") if other != name and other in lines]
    page.screenshot(path=screenshots / "path-1-curve.png")

    # its patients: one of them
    chooser = page.locator(".st-key-open_patient_phenotype input")
    chooser.scroll_into_view_if_needed()
    still(page)
    chooser.click()
    page.get_by_role("option", name=PATIENTS[0], exact=True).click()
    page.get_by_role("tab", name="Slide").wait_for()
    idle(page)
    assert page.url.partition("?")[0].endswith("/patient")
    expect(page.get_by_text(f"{size} of 60 patients selected")).to_be_visible()  # the selection holds here as well

    # the region: the strongest patch of the slide
    page.get_by_role("tab", name="Slide").click()
    page.locator('.slide-viewer[data-ready="1"]').wait_for()
    settle(page)
    page.locator(".sv-row").first.locator("button").first.click()
    settle(page)
    x, y = square_corners()[-1]
    expect(page.locator(".sv-patch")).to_contain_text(f"x {x:,}, y {y:,} px")
    centre = view_of(page, "(() => { const b = view.leader.picture.getBoundingClientRect(); "
                           "return view.leader.toSlide(b.width / 2, b.height / 2); })()")  # fmt: skip
    assert isinstance(centre, dict)
    assert (centre["x"], centre["y"]) == (pytest.approx(x + SIDE / 2, abs=2), pytest.approx(y + SIDE / 2, abs=2))
    page.screenshot(path=screenshots / "path-2-region.png")
    assert not [a for a in addresses if PATIENTS[0] in a]
    page.close()
