"""The tumour board's way by the keyboard alone: find the patient, read the survival with its interval, name the top
reason, open its region on the slide, take the report along. No mouse, and every stop of the keys is seen."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from core.serving.libraries import has_library
from tests.browser.places import in_scheme
from tests.browser.slides import settle, view_of
from tests.browser.waiting import idle, still, until
from tests.browser.whole import PATIENT, Whole

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not has_library("openseadragon.min.js"), reason="viewer libraries are not installed (./run test)"
    ),
]
MOST_STOPS = 90

_FOCUSED = """() => {
  let e = document.activeElement;
  const box = e.closest('[role=figure], button, a, input, textarea, [role=tab], [tabindex]') ?? e;
  const name = (box.getAttribute('aria-label') || box.innerText || box.title || '').trim();
  // the ring is drawn by the element itself or by the box that stands for it (Streamlit's inputs and tabs)
  const ringed = (x) => { const s = getComputedStyle(x);
    return (s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) > 0) || s.boxShadow !== 'none'; };
  let seen = false;
  for (let x = e, up = 0; x && up < 4; x = x.parentElement, up += 1) seen = seen || ringed(x);
  return { name, role: box.getAttribute('role') || box.tagName.toLowerCase(), seen };
}"""


def tab_to(page: Page, wanted: Callable[[str, str], bool], backwards: bool = False) -> str:
    """Press the tab key until the wanted (name, role) has the focus; each stop on the way has to be seen."""
    stops = []
    for _ in range(MOST_STOPS):
        page.keyboard.press("Shift+Tab" if backwards else "Tab")
        now = page.evaluate(_FOCUSED)
        stops.append((now["name"][:60], now["role"], now["seen"]))
        assert now["seen"] or now["role"] == "body", f"the focus is not seen on {now}"
        if wanted(now["name"], now["role"]):
            return str(now["name"])
    raise AssertionError(f"not reached by the keys: {stops}")


def to_tab(page: Page, name: str) -> None:
    """Move along the tabs with the arrows, from the one that has the focus."""
    for _ in range(12):
        if page.evaluate(_FOCUSED)["name"] == name:
            page.keyboard.press("Enter")
            idle(page)
            return
        page.keyboard.press("ArrowRight")
        still(page)
        until(page, lambda: page.evaluate(_FOCUSED)["role"] == "tab")
    raise AssertionError(f"no tab {name}")


def test_from_finding_the_patient_to_the_report(chromium: Browser, whole: Whole, tmp_path: Path) -> None:
    context = chromium.new_context(viewport={"width": 1440, "height": 900}, accept_downloads=True)
    context.add_init_script("window.pointed = 0; addEventListener('pointerdown', () => window.pointed++, true);")
    page = context.new_page()
    page.goto(whole.served.url)
    still(page)
    tab_to(page, lambda name, role: role == "a" and name == "Patient")
    page.keyboard.press("Enter")
    # find the patient
    expect(page.get_by_role("combobox", name="Patient")).to_be_visible()
    still(page)
    tab_to(page, lambda name, role: (name, role) == ("Patient", "combobox"))
    page.keyboard.type(PATIENT)
    expect(page.get_by_role("option", name=PATIENT)).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator(".who .name")).to_have_text(PATIENT)
    # read the 3-year survival with its interval
    number = int(page.locator(".headline .n").inner_text())
    expect(page.locator(".headline")).to_contain_text("3 years after diagnosis")
    spread = page.locator("dl.doubts").inner_text()
    low, high = (int(w) for w in re.findall(r"between (\d+) and (\d+) of 100", spread)[0])
    assert low <= number <= high
    # name the top reason
    top = page.locator(".reasons .up li").first
    assert "TP53" in (top.get_attribute("aria-label") or "")
    # open its region on the slide: the patch that counts most
    still(page)
    tab_to(page, lambda name, role: role == "tab")
    to_tab(page, "Slide")
    page.locator('.slide-viewer[data-ready="1"]').wait_for()
    settle(page)
    before = view_of(page, "view.panes.map((p) => p.where)")
    patch = tab_to(page, lambda name, role: re.match(r"(Highest|Strongest \+) 1 of", name) is not None)
    assert "Fly there" in patch
    page.keyboard.press("Enter")
    expect(page.locator(".sv-patch table")).to_be_visible()
    settle(page)
    assert view_of(page, "view.panes.map((p) => p.where)") != before
    # take the report along
    still(page)
    tab_to(page, lambda name, role: role == "tab", backwards=True)
    to_tab(page, "Summary")
    expect(page.locator(".headline .n")).to_have_text(str(number))
    still(page)
    tab_to(page, lambda name, role: name == "Report as PDF")
    with page.expect_download() as coming:
        page.keyboard.press("Enter")
    target = tmp_path / coming.value.suggested_filename
    coming.value.save_as(target)
    assert target.read_bytes().startswith(b"%PDF")
    assert PATIENT not in target.name + page.url + page.title()
    assert page.evaluate("window.pointed") == 0
    context.close()


def test_a_tab_keeps_the_focus_while_its_page_is_drawn(chromium: Browser, whole: Whole) -> None:
    """For a moment of every run a tab cannot be focused: the browser takes the focus away, and it is given back."""
    page = chromium.new_page(viewport={"width": 1440, "height": 900})
    page.goto(f"{whole.served.url}/patient?view={whole.patient}")
    still(page)
    tab_to(page, lambda name, role: role == "tab")
    page.evaluate("() => { const tab = document.querySelector('[role=tab][aria-selected=true]');"
                  "tab.removeAttribute('tabindex'); tab.setAttribute('tabindex', '0'); }")  # fmt: skip
    until(page, lambda: page.evaluate(_FOCUSED)["role"] == "tab")
    for _ in range(6):
        page.keyboard.press("ArrowRight")
        still(page)
        until(page, lambda: page.evaluate(_FOCUSED)["role"] == "tab")
    page.mouse.click(5, 300)  # whoever points elsewhere is let go
    still(page)
    assert page.evaluate(_FOCUSED)["role"] != "tab"
    page.close()


def test_a_figure_is_a_stop_and_opens_its_table_by_the_keys(chromium: Browser, whole: Whole) -> None:
    """In the dark, so that the palette of figures is seen to follow as well."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto(f"{whole.served.url}/survival?view={whole.patient}")
    still(page)
    in_scheme(page, "dark")
    name = tab_to(page, lambda name, role: role == "figure")
    assert name.startswith("Overall survival")
    drawn = page.locator(".st-key-figure_survival .js-plotly-plot .main-svg").first
    assert drawn.evaluate("e => getComputedStyle(e).backgroundColor") == "rgb(16, 25, 27)"
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("stDataFrame")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("stDataFrame")).to_be_hidden()
    names = page.get_by_role("button", name=re.compile("^(Table|Export): Overall survival"))
    assert names.count() == 2
    # what is taken along is printed light, whatever the reader's screen shows
    names.last.press("Enter")
    with page.expect_download() as coming:
        page.get_by_role("button", name="SVG", exact=True).press("Enter")
    drawing = coming.value.path().read_text()
    assert "rgb(0, 114, 178)" in drawing
    assert "rgb(16, 25, 27)" not in drawing
    context.close()
