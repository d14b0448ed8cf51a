"""Titles, labels, categories, notes and reports that try to be links, pictures, scripts or formulas: on every page."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.hostile import hostile_app
from tests.browser.places import Place, go
from tests.browser.test_everybody_can_use_it import state_of
from tests.browser.waiting import still
from tests.browser.whole import Whole

pytestmark = [pytest.mark.browser, pytest.mark.slow]

_ALIVE = """() => {
  const at = (e, n) => e.getAttribute(n) || e.getAttributeNS('http://www.w3.org/1999/xlink', n) || '';
  const near = e => (e.closest('[class*=st-key-]')?.className.match(/st-key-[\\w-]+/) || [''])[0] +
    ' ' + (e.closest('[data-testid]')?.dataset.testid || '') + ': ' + e.parentElement.textContent.slice(0, 70);
  const found = [];
  for (const e of document.querySelectorAll('a, area, form, iframe, object, embed'))
    if ((at(e, 'href') + at(e, 'src') + at(e, 'action')).includes('evil')) found.push('link in ' + near(e));
  for (const e of document.querySelectorAll('img, image'))
    if (/evil|^x$/.test(at(e, 'src') + at(e, 'href'))) found.push('picture in ' + near(e));
  for (const e of document.querySelectorAll('.katex')) found.push('formula in ' + near(e));
  for (const e of document.querySelectorAll('[onerror], script:not([src])'))
    if (e.outerHTML.includes('hacked')) found.push('script in ' + near(e));
  if (window.hacked) found.push('a script ran');
  return [...new Set(found)];
}"""


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    with hostile_app(tmp_path_factory.mktemp("hostile")) as running:
        yield running


def alive(page: Page, url: str, place: Place, view: str) -> list[str]:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.route("**/*evil*/**", lambda route: route.abort())
    go(page, url, place, view)
    found = list(page.evaluate(_ALIVE))
    for name in ("Table", "History"):  # folded parts are drawn when they are opened
        button = page.get_by_role("button", name=re.compile(f"^{name}")).first  # a figure's is named after it
        if button.is_visible():
            button.click()
            still(page)
            found += page.evaluate(_ALIVE)
            page.mouse.click(5, 400)  # beside it: it closes
            page.get_by_test_id("stPopoverBody").wait_for(state="detached")
            still(page)
    return [f"{place.name}: {w}" for w in found + [f"asked for {u}" for u in asked if "evil" in u]]


def test_nothing_a_file_says_becomes_a_link_a_picture_or_a_script(hostile: Whole, chromium: Browser) -> None:
    found: list[str] = []
    seen = 0
    for place in (Place(""), Place("survival")):  # every page: tests/pages/test_hostile_texts.py
        page = chromium.new_page()
        found += alive(page, hostile.served.url, place, state_of(place, hostile))
        seen += page.locator("body").inner_text().count("evil.example")
        page.close()
    assert found == []
    assert seen > 20, "the texts are shown, as the signs they are"
