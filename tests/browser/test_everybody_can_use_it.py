"""Every page in light and dark by axe-core, every figure by the keys, and the palette that follows the reader."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import ROOT
from tests.browser.places import PLACES, Place, go, in_scheme, to_tab
from tests.browser.whole import Whole

AXE = ROOT / "assets" / "node_modules" / "axe-core" / "axe.min.js"
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not installed (./run test, or npm ci in assets)"),
]

STREAMLITS: dict[tuple[str, str], str] = {
    ("target-size", '[data-testid="stMultiSelect"]'): "the cross that empties a box of several is 22.5 px, not 24 px",
}
"""(rule, CSS selector) → why: faults in markup that Streamlit makes and no option of ours changes."""

_FAULTS = """async ([rules, known]) => {
  const options = rules.length ? { runOnly: rules } : {
    runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] };
  // the drawing inside a figure is measured colour by colour in tests/figures; here it is one picture with its words
  const found = await axe.run({ exclude: ['.svg-container', '.openseadragon-canvas'] },
    { ...options, resultTypes: ['violations'], preload: false });  // style sheets are in the page already
  const faults = [];
  for (const rule of found.violations) {
    if (!['serious', 'critical'].includes(rule.impact)) continue;
    for (const node of rule.nodes) {
      const element = document.querySelector(node.target[0]);
      if (known.some(([id, where]) => id === rule.id && element && element.closest(where))) continue;
      faults.push(`${rule.id}: ${node.html.slice(0, 260)} | ${node.failureSummary.split('\\n')[1]?.trim()}`);
    }
  }
  return faults;
}"""


def faults(page: Page, rules: tuple[str, ...] = ()) -> list[str]:
    """Serious and critical faults of the page as it stands, without the ones that are Streamlit's."""
    if not page.evaluate("'axe' in window"):
        page.add_script_tag(path=AXE)
    return list(page.evaluate(_FAULTS, [list(rules), [list(key) for key in STREAMLITS]]))


def test_a_planted_fault_is_found(chromium: Browser) -> None:
    page = chromium.new_page()
    page.set_content("<html lang=en><title>t</title><main><p style='color:#ccc'>pale</p><img src='x'></main>")
    assert [f.partition(":")[0] for f in faults(page)] == ["color-contrast", "image-alt"]
    page.close()


def state_of(place: Place, whole: Whole) -> str:
    """The state in which the place has most to show."""
    if place.tab == "Scan":
        return whole.scanned
    return whole.audited if place.tab == "Audit" else whole.patient


def test_no_page_has_a_serious_fault_in_light_or_dark(chromium: Browser, whole: Whole, screenshots: Path) -> None:
    schemes = ["light", "dark"]
    page = chromium.new_context(viewport={"width": 1440, "height": 1000}, color_scheme="light").new_page()
    found: dict[str, list[str]] = {}
    shown = None
    for place in sorted(PLACES, key=lambda place: (place.page, state_of(place, whole))):
        where = place.page, state_of(place, whole)
        if place.tab and where == shown:
            to_tab(page, place)
        else:
            go(page, whole.served.url, place, where[1])
        shown = where
        # only contrast depends on the scheme; each place is first looked at in the one the last was left in
        if wrong := faults(page):
            found[f"{place.name}, {schemes[0]}"] = wrong
        schemes.reverse()
        in_scheme(page, schemes[0])
        if wrong := faults(page, ("color-contrast",)):
            found[f"{place.name}, {schemes[0]}"] = wrong
    page.context.close()
    assert found == {}, json.dumps(found, indent=1)
