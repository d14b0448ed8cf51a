"""When a first visitor sees something, and when everything: the application just started, a browser that was never
there, the start page."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass

from core.errors import PrognoscopeError
from core.results.workspace import Workspace
from core.tasks.served import PATIENCE_S, served

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
MEANINGFUL = ("h1", ".facts")
"""The page's name and the cohort's numbers; what cannot be read yet is no paint."""
_WATCH = """(wanted) => {
  const seen = (css) => [...document.querySelectorAll(css)].some((e) => e.innerText && e.getClientRects().length);
  const look = () => {
    if (wanted.every(seen)) requestAnimationFrame(() => { window.painted ??= performance.now(); });
    else requestAnimationFrame(look);
  };
  look();
  window.changed = 0;
  const watch = new MutationObserver(() => { window.changed = performance.now(); });
  watch.observe(document, { subtree: true, childList: true });
}"""
_WHOLE = """(quiet) => {
  const waiting = [...document.querySelectorAll('[data-testid=stSkeleton]')].some((e) => e.getClientRects().length);
  const state = document.querySelector('[data-testid=stApp]')?.dataset.testScriptState;
  return state === 'notRunning' && !waiting && performance.now() - window.changed > quiet;
}"""
QUIET_MS = 1000
"""For so long nothing was added to a page that is whole."""


@dataclass(frozen=True)
class Visit:
    """Milliseconds from the visit's begin to the first meaningful paint, and to the last thing added to the page."""

    painted: float
    whole: float


def why_not() -> str:
    """Why no paint can be measured here; "" where it can."""
    try:
        import playwright.sync_api  # noqa: F401
    except ImportError:
        return "Playwright is not installed (pip install playwright)"
    return "" if _browser() else "no Chromium on this machine (apt-get install chromium)"


def first_visits(workspace: Workspace, visits: int) -> list[Visit]:
    """One visit for each fresh start of the application.

    Raises
    ------
    PrognoscopeError
        When the application does not start, or nothing meaningful is painted.
    """
    return [_visit(workspace) for _ in range(visits)]


def seconds_to_health(workspace: Workspace, starts: int) -> list[float]:
    """Seconds from the start of the application's process to its first answer, of each of ``starts``."""
    found = []
    for _ in range(starts):
        started = time.perf_counter()
        with served(workspace):
            found.append(time.perf_counter() - started)
    return found


def _browser() -> str | None:
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


def _visit(workspace: Workspace) -> Visit:
    from playwright.sync_api import TimeoutError as TooLate
    from playwright.sync_api import sync_playwright

    with served(workspace) as (address, _), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_browser(), args=list(FLAGS))
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.add_init_script(f"({_WATCH})({list(MEANINGFUL)!r})")
        try:
            page.goto(address, wait_until="commit")
            page.wait_for_function("window.painted", timeout=1000 * PATIENCE_S)
            page.wait_for_function(_WHOLE, arg=QUIET_MS, timeout=1000 * PATIENCE_S, polling=100)
            return Visit(*(float(page.evaluate(f"window.{name}")) for name in ("painted", "changed")))
        except TooLate as error:
            raise PrognoscopeError(
                f"nothing painted within {PATIENCE_S:g} s", "the first visit", "look at the start page in a browser"
            ) from error
        finally:
            browser.close()
