"""A hundred reruns of the page: the slide stays where the reader left it."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from core.serving.libraries import has_library
from tests.browser.slides import open_slide_tab, press, settle, slide_app, view_of, where

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(
        not has_library("openseadragon.min.js"), reason="viewer libraries are not installed (./run test)"
    ),
]


def test_a_hundred_reruns_move_nothing(tmp_path: Path, chromium: Browser) -> None:
    """The scale is switched back and forth: the page runs again each time, the viewer stays and is the same one."""
    with slide_app(tmp_path) as served:
        page = chromium.new_page(viewport={"width": 1440, "height": 1000})
        open_slide_tab(page, served)
        press(page, "3")
        press(page, "ArrowLeft")
        page.evaluate(
            """() => { const view = document.querySelector('.slide-viewer').slideView;
            view.mark = 'the same'; view.updates = 0;
            const update = view.update.bind(view); view.update = (data) => { view.updates += 1; update(data); }; }"""
        )
        before = where(page)
        for i in range(100):
            page.get_by_role("radio", name="raw value" if i % 2 == 0 else "percentile").click()
            wanted = "raw" if i % 2 == 0 else "percentile"
            page.wait_for_function(
                "(w) => document.querySelector('.slide-viewer').slideView?.data.layers[0].scale.shown === w", arg=wanted
            )
        assert view_of(page, "view.mark") == "the same"
        assert int(str(view_of(page, "view.updates"))) >= 100
        assert where(page) == before
        settle(page)
        assert where(page) == before
        page.close()
