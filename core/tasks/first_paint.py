"""When a first visitor sees something: the application just started, a browser that was never there, the start page."""

from __future__ import annotations

import shutil
import time

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
}"""


def why_not() -> str:
    """Why no paint can be measured here; "" where it can."""
    try:
        import playwright.sync_api  # noqa: F401
    except ImportError:
        return "Playwright is not installed (pip install playwright)"
    return "" if _browser() else "no Chromium on this machine (apt-get install chromium)"


def first_paints(workspace: Workspace, visits: int) -> list[float]:
    """Milliseconds from the visit's begin to the first meaningful paint, once for each fresh start of the application.

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


def _visit(workspace: Workspace) -> float:
    from playwright.sync_api import TimeoutError as TooLate
    from playwright.sync_api import sync_playwright

    with served(workspace) as (address, _), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_browser(), args=list(FLAGS))
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.add_init_script(f"({_WATCH})({list(MEANINGFUL)!r})")
        try:
            page.goto(address, wait_until="commit")
            page.wait_for_function("window.painted", timeout=1000 * PATIENCE_S)
            return float(page.evaluate("window.painted"))
        except TooLate as error:
            raise PrognoscopeError(
                f"nothing painted within {PATIENCE_S:g} s", "the first visit", "look at the start page in a browser"
            ) from error
        finally:
            browser.close()
