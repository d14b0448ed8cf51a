"""A hundred reruns of the page: the slide stays where the reader left it."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from core.serving.libraries import has_library
from tests.browser.conftest import Served
from tests.browser.slides import open_slide_tab, press, settle, view_of, where
from tests.browser.waiting import PATIENCE

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(
        not has_library("openseadragon.min.js"), reason="viewer libraries are not installed (./run test)"
    ),
]


# each choice is made once the one before has come back through the server to the viewer
_SWITCH = """async ([scales, patience]) => {
  const choice = (word) =>
    [...document.querySelectorAll('[role=radio]')].find((e) => e.innerText.trim().startsWith(word));
  const shown = () => document.querySelector('.slide-viewer').slideView?.data.layers[0].scale.shown;
  for (const scale of scales) {
    const end = performance.now() + patience;
    choice(scale).click();
    while (shown() !== scale) {
      if (performance.now() > end) throw new Error(`the viewer was not told of ${scale}`);
      await new Promise((done) => setTimeout(done, 10));
    }
  }
}"""


def test_a_hundred_reruns_move_nothing(slides_served: Served, chromium: Browser) -> None:
    """The scale is switched back and forth: the page runs again each time, the viewer stays and is the same one."""
    page = chromium.new_page(viewport={"width": 1024, "height": 800})
    open_slide_tab(page, slides_served)
    press(page, "3")
    press(page, "ArrowLeft")
    page.evaluate(
        """() => { const view = document.querySelector('.slide-viewer').slideView;
        view.mark = 'the same'; view.updates = 0;
        const update = view.update.bind(view); view.update = (data) => { view.updates += 1; update(data); }; }"""
    )
    before = where(page)
    page.evaluate(_SWITCH, [["raw", "percentile"] * 50, PATIENCE])
    assert view_of(page, "view.mark") == "the same"
    assert int(str(view_of(page, "view.updates"))) >= 100
    assert where(page) == before
    settle(page)
    assert where(page) == before
    page.close()
