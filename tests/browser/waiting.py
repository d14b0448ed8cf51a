"""Waiting for a state of the page, never for a time: a loaded machine is slow, an idle one is not made to wait."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page

PATIENCE = 120_000
"""Milliseconds after which something that should come has failed to. No test passes or fails by its speed here."""

_STILL = """(quiet) => {
  const app = document.querySelector('[data-testid=stApp]');
  const boxes = [...document.querySelectorAll('.js-plotly-plot, .js-plotly-plot text, [data-testid=stDataFrame], img')];
  const main = document.querySelector('[data-testid=stMain]');
  const seen = [
    innerWidth, innerHeight, document.documentElement.scrollWidth, main && main.scrollHeight, main && main.scrollTop,
    document.querySelectorAll('[data-stale=true]').length,
    ...boxes.flatMap((e) => { const r = e.getBoundingClientRect(); return [r.x, r.y, r.width, r.height]; }),
  ].map((v) => Math.round(v)).join();
  const drawn = (e) => e.getClientRects().length > 0;
  const busy = !app || app.dataset.testScriptState !== 'notRunning' || [...document.images].some((i) => !i.complete)
    || [...document.querySelectorAll('[data-testid=stSkeleton]')].some(drawn);
  const before = window.stillness || {};
  if (busy || before.seen !== seen) window.stillness = { seen, since: performance.now() };
  return !busy && performance.now() - window.stillness.since >= quiet;
}"""


def patient(browser: Browser) -> Browser:
    """The same browser, whose pages wait that long for what they are asked to do."""
    for name in ("new_context", "new_page"):
        setattr(browser, name, _with_patience(getattr(browser, name)))
    return browser


def _with_patience(make: Callable[..., Any]) -> Callable[..., Any]:
    def made(**options: Any) -> Any:
        found = make(**options)
        found.set_default_timeout(PATIENCE)
        return found

    return made


def idle(page: Page) -> None:
    """Until the page's script has run to its end."""
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for(timeout=PATIENCE)


def still(page: Page, quiet: int = 250) -> None:
    """Until the script has ended and for ``quiet`` milliseconds from now nothing has moved, grown or been drawn."""
    page.evaluate("() => { window.stillness = undefined; }")
    # asked 20 times a second: at every frame the question itself would keep the browser busy
    page.wait_for_function(_STILL, arg=quiet, timeout=PATIENCE, polling=50)


def frames(page: Page) -> None:
    """Until the browser has drawn three more frames: what was asked for before is then on the screen."""
    page.evaluate(
        """() => new Promise((done) => {
          const next = (left) => requestAnimationFrame(() => (left ? next(left - 1) : done()));
          next(3);
        })"""
    )


def until(page: Page, condition: Callable[[], object], milliseconds: float = PATIENCE) -> None:
    """Until a condition of this process holds, while the page goes on; fails where it does not in time."""
    end = time.monotonic() + milliseconds / 1000
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        page.wait_for_timeout(30)


def photograph(page: Page, path: Path, width: int = 1440) -> None:
    """A picture of the whole height of the page, ``width`` px wide; the window stays that high."""
    page.set_viewport_size({"width": width, "height": 900})
    still(page)
    height = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
    page.set_viewport_size({"width": width, "height": int(height) + 40})
    still(page)
    page.screenshot(path=path)
