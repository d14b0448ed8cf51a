"""Genes and experts in a real browser: bars that open, a group that becomes the selection, clicked patients."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from core.cohort.sample import save_sample
from core.results.cohort_explanation import save_cohort_explanation
from core.results.explanation import save_explanation
from core.results.routing_record import save_routing
from core.results.run_store import save_run
from core.results.views import save_view
from core.results.workspace import Workspace
from pages.widgets.state import PageState
from tests.browser.conftest import Served, application
from tests.browser.looks import TEXT_OUTSIDE
from tests.browser.waiting import still
from tests.pages.builders import make_predictions, make_run
from tests.pages.explanations import make_cohort_explanation, make_explanation
from tests.pages.routings import make_routing

pytestmark = pytest.mark.browser
PATIENT = "SYN-0001"


@pytest.fixture(scope="module")
def explained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The application with an explained patient, an explained cohort and a run whose routing was read."""
    folder = tmp_path_factory.mktemp("explained")
    workspace = Workspace(folder / "workspace")
    cohort = save_sample(workspace)
    predictions = make_predictions(cohort)
    save_run(make_run(cohort, predictions), predictions, workspace)
    save_explanation(make_explanation(patient=PATIENT), workspace)
    save_cohort_explanation(make_cohort_explanation(cohort), workspace)
    save_routing(make_routing(cohort, predictions), workspace)
    with application(workspace, folder / "server.log") as running:
        yield running


def opened(browser: Browser, app: Served, name: str, tab: str, **state: str) -> Page:
    """A page at one of its tabs."""
    view = save_view(PageState(cohort="sample", run="hdmoe-1", **state).as_json(), app.workspace)  # type: ignore[arg-type]
    page = browser.new_context(viewport={"width": 1440, "height": 1200}).new_page()
    page.goto(f"{app.url}/{name}?view={view}")
    page.get_by_role("tab", name=tab, exact=True).click()
    return page


def both_widths(page: Page, folder: Path, name: str) -> None:
    """No text may leave its figure at either width."""
    for width in (1440, 1024):
        page.set_viewport_size({"width": width, "height": 1200})
        still(page)
        assert page.evaluate(TEXT_OUTSIDE) == []
        page.screenshot(path=str(folder / f"{name}-{width}.png"), full_page=True)


def test_a_bar_opens_its_families(chromium: Browser, explained: Served, screenshots: Path) -> None:
    page = opened(chromium, explained, "patient", "Genes", patient=PATIENT)
    figure = page.locator(".st-key-figure_patient-waterfall")
    expect(figure.get_by_text("Average of the reference patients")).to_be_visible()
    expect(page.get_by_text("within 0.000001 percentage points").first).to_be_visible()
    assert PATIENT not in page.url
    both_widths(page, screenshots, "patient-genes")
    page.set_viewport_size({"width": 1440, "height": 1200})
    still(page)
    figure.locator(".barlayer .point path").first.click(force=True)
    expect(figure.get_by_text("tumour suppressors").first).to_be_visible()
    page.get_by_role("button", name="Back to the groups").click()
    expect(figure.get_by_text("tumour suppressors")).to_have_count(0)
    page.context.close()


def test_a_group_becomes_the_selection_on_all_pages(chromium: Browser, explained: Served, screenshots: Path) -> None:
    page = opened(chromium, explained, "experts", "Phenotypes")
    expect(page.get_by_text("Other seeds find the same groups.")).to_be_visible()
    both_widths(page, screenshots, "experts-phenotypes")
    page.locator(".st-key-phenotype_0 button").click()
    chip = page.get_by_role("button", name="phenotype: expert 1")
    expect(chip).to_be_visible()
    page.get_by_role("link", name="Survival").click()
    expect(page.get_by_role("heading", name="Survival")).to_be_visible()
    expect(chip).to_be_visible()
    page.context.close()


def test_a_dot_above_the_gates_is_a_patient(chromium: Browser, explained: Served, screenshots: Path) -> None:
    page = opened(chromium, explained, "experts", "Routing")
    plot = page.locator(".st-key-figure_gates .js-plotly-plot")
    expect(plot.get_by_text("level 2", exact=True)).to_be_visible()
    both_widths(page, screenshots, "experts-routing")
    page.set_viewport_size({"width": 1440, "height": 1200})
    still(page)
    box = plot.locator(".scatterlayer .trace").first.locator(".point").nth(14).bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(plot.locator(".hoverlayer .hovertext").first).to_be_visible()  # a click counts once the point is hovered
    page.mouse.down()
    page.mouse.up()
    expect(page.get_by_role("button", name="Open patient SYN-")).to_be_visible()
    assert "SYN-" not in page.url
    page.context.close()
