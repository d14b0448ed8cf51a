"""A clinician in a real browser: find the patient, read the number with its interval, name the top reason, open a tab;
by keyboard alone, at both widths, with nothing cut off and nothing of the patient in any address."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Browser, Page, expect

from core.cohort.sample import save_sample
from core.results.explanation import FEATURE_COLUMNS, Explanation, save_explanation
from core.results.own_support import OwnSupport, write_own_support
from core.results.run_store import save_run
from core.results.workspace import Workspace
from tests.browser.conftest import Served, application
from tests.browser.looks import TEXT_OUTSIDE
from tests.browser.waiting import photograph, still
from tests.pages.builders import make_predictions, make_run

pytestmark = pytest.mark.browser
PATIENT = "SYN-0003"


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The application with a run of ten seeds that knows its support, and one explained patient."""
    folder = tmp_path_factory.mktemp("clinic")
    workspace = Workspace(folder / "workspace")
    cohort = save_sample(workspace)
    predictions = make_predictions(cohort, seeds=tuple(range(10)))
    table = pd.DataFrame({"id": cohort.ids, "supported": True, "reason": "", "distance": 0.4})
    run = make_run(cohort, predictions)
    save_run(run, predictions, workspace, lambda target: write_own_support(OwnSupport(table), target))
    rows = [
        ("stage", "clinical", "", -6.3, 0.1, 0.99, "A", np.nan),
        ("age", "clinical", "", 2.8, 0.1, 0.95, "66", np.nan),
    ]
    features = pd.DataFrame(rows, columns=list(FEATURE_COLUMNS))
    save_explanation(
        Explanation(run.id, PATIENT, 36.0, "percentage points", 50.0, 53.5, 0.0, features, "m", "", None, 10, 50,
                    True, 0.8, True, "v", 1.0),
        workspace,
    )  # fmt: skip
    with application(workspace, folder / "server.log") as running:
        yield running


def find(page: Page, served: Served) -> None:
    """Type the pseudonym and take it, by keys alone."""
    page.goto(f"{served.url}/patient")
    box = page.get_by_role("combobox", name="Patient")
    expect(box).to_be_visible()
    box.focus()
    page.keyboard.type(PATIENT)
    expect(page.get_by_role("option", name=PATIENT)).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator(".headline .n")).to_be_visible()


def test_from_the_name_to_the_number_the_reason_and_a_tab(chromium: Browser, clinic: Served, screenshots: Path) -> None:
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    requests: list[str] = []
    context.on("request", lambda request: requests.append(request.url))
    page = context.new_page()
    find(page, clinic)
    number = int(page.locator(".headline .n").inner_text())
    assert f"{number}" in (page.locator(".headline").get_attribute("aria-label") or "")
    spread = page.locator("dl.doubts").inner_text()
    assert "The 10 models that never saw this patient say between" in spread
    low, high = (int(w) for w in spread.split("between ")[1].split(" of 100")[0].split(" and "))
    assert low <= number <= high
    top = page.locator(".reasons .up li").first
    assert "Stage (BCLC-like)" in top.inner_text()
    assert "6.3 percentage points" in (top.get_attribute("aria-label") or "")
    page.get_by_role("tab", name="Genes").click()
    expect(page.locator(".headline .n")).to_have_count(0)
    expect(page.get_by_text("models that never saw this patient estimate")).to_be_visible()
    assert not [u for u in (*requests, page.url) if PATIENT in u]
    assert PATIENT not in page.title()
    assert PATIENT not in clinic.log.read_text()
    context.close()


def test_the_five_presentations_show_one_number_and_the_choice_is_kept(chromium: Browser, clinic: Served) -> None:
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    find(page, clinic)
    number = page.locator(".headline .n").inner_text()
    figure = {"Curve": "patient-course", "Icons": "patient-icons", "Bar": "patient-bars"}
    for name in ("Icons", "Bar", "Curve"):
        page.get_by_role("radio", name=name, exact=True).click()
        plot = page.locator(f".st-key-figure_{figure[name]} .js-plotly-plot")
        expect(plot.get_by_text(f"{number} %").first).to_be_visible()
    page.get_by_role("radio", name="Table", exact=True).click()
    table = page.locator("table.numbers", has_text="Of 100")
    expect(table.get_by_text(f"{number} %").first).to_be_visible()
    page.get_by_role("radio", name="Sentence", exact=True).click()
    expect(page.locator("p.said").first).to_have_text(
        f"About {number} of 100 patients like this one are alive 3 years after diagnosis."
    )
    still(page)  # the choice is kept when the page is whole
    page.reload()
    expect(page.locator("p.said").first).to_contain_text(number)
    page.get_by_role("button", name="Next", exact=True).click()
    expect(page.locator(".who .name")).to_have_text("SYN-0004")
    expect(page.locator("p.said").first).to_be_visible()
    context.close()


def test_nothing_is_cut_off(chromium: Browser, clinic: Served, screenshots: Path) -> None:
    page = chromium.new_page()
    find(page, clinic)
    for width in (1440, 1024):
        page.set_viewport_size({"width": width, "height": 900})
        photograph(page, screenshots / f"patient-{width}.png", width)
        assert page.evaluate(TEXT_OUTSIDE) == []
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        size = page.locator(".headline .n").evaluate("e => parseFloat(getComputedStyle(e).fontSize)")
        others = page.evaluate(
            "() => Math.max(...[...document.querySelectorAll('.stMain p, .stMain span, h1, h2, h3')]"
            ".filter(e => !e.closest('.headline') && e.innerText).map(e => parseFloat(getComputedStyle(e).fontSize)))"
        )
        assert size > 1.8 * others
    page.close()


def test_a_patient_picked_in_the_table_opens_the_page(chromium: Browser, clinic: Served) -> None:
    context = chromium.new_context(viewport={"width": 1440, "height": 1000})
    page = context.new_page()
    page.goto(f"{clinic.url}/cohort")
    table = page.get_by_test_id("stDataFrame").first
    expect(table).to_be_visible()
    still(page, 1000)  # charts above it are drawn and move it no more
    table.scroll_into_view_if_needed()
    still(page)
    table.locator(".dvn-scroller").click(position={"x": 20, "y": 52})  # the tick of the first row
    page.get_by_role("button", name="Open patient SYN-0001").click()
    expect(page.locator(".who .name")).to_have_text("SYN-0001")
    assert "SYN-0001" not in page.url
    context.close()
