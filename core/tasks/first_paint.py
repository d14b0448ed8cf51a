"""When a first visitor sees something: the application just started, a browser that was never there, the start page."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError

from core.errors import PrognoscopeError
from core.results.workspace import Workspace
from core.tasks.provenance import ROOT

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
MEANINGFUL = ("h1", ".facts")
"""The page's name and the cohort's numbers; what cannot be read yet is no paint."""
PATIENCE_S = 120.0
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
        with _application(workspace):
            found.append(time.perf_counter() - started)
    return found


def _browser() -> str | None:
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


def _visit(workspace: Workspace) -> float:
    from playwright.sync_api import TimeoutError as TooLate
    from playwright.sync_api import sync_playwright

    with _application(workspace) as address, sync_playwright() as playwright:
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


@contextmanager
def _application(workspace: Workspace) -> Iterator[str]:
    """The application on a free port: its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    command = [sys.executable, "-m", "streamlit", "run", str(Path(ROOT) / "app.py"), "--server.port", str(port)]
    environment = {**os.environ, "PROGNOSCOPE_WORKSPACE": str(workspace.root)}
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=quiet, stderr=quiet) as server:
        try:
            address = f"http://127.0.0.1:{port}"
            _await(f"{address}/_stcore/health", server)
            yield address
        finally:
            server.terminate()


def _await(address: str, server: subprocess.Popen[bytes]) -> None:
    directly = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # our own server, whatever proxy is named
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end and server.poll() is None:
        try:
            with directly.open(address, timeout=2):
                return
        except (URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    raise PrognoscopeError("an application that does not start", "bench pages", "./run app says why")
