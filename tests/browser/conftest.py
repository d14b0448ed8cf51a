"""The real application on a free port, and a real Chromium looking at it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from core.results.workspace import Workspace
from tests.browser.waiting import PATIENCE
from tests.pages.builders import save_sample_run

if TYPE_CHECKING:
    from tests.browser.whole import Whole

ROOT = Path(__file__).resolve().parents[2]
expect.set_options(timeout=PATIENCE)
# our own server, whatever proxy the environment names; urlopen would keep the one named at its first call for ever
DIRECTLY = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class Served:
    """A running application."""

    url: str
    log: Path
    workspace: Workspace


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The application with the sample cohort and a run."""
    folder = tmp_path_factory.mktemp("served")
    workspace = Workspace(folder / "workspace")
    save_sample_run(workspace)
    with application(workspace, folder / "server.log") as running:
        yield running


@pytest.fixture(scope="session")
def slides_served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The application with patients with slides (:mod:`tests.browser.slides`)."""
    from tests.browser.slides import slide_app

    with slide_app(tmp_path_factory.mktemp("slides")) as running:
        yield running


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    """The application in which every page has everything to show (:mod:`tests.browser.whole`)."""
    from tests.browser.whole import whole_app

    with whole_app(tmp_path_factory.mktemp("whole")) as running:
        yield running


@pytest.fixture
def empty_app(tmp_path: Path) -> Iterator[Served]:
    """The application on a workspace that holds nothing."""
    with application(Workspace(tmp_path / "workspace"), tmp_path / "server.log") as running:
        yield running


@contextmanager
def application(workspace: Workspace, log: Path) -> Iterator[Served]:
    """The application on a free port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    environment = {**os.environ, "PROGNOSCOPE_WORKSPACE": str(workspace.root)}
    with log.open("w") as stream:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=stream, stderr=subprocess.STDOUT)
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_for(f"{url}/_stcore/health", process, log)
            yield Served(url, log, workspace)
        finally:
            process.terminate()
            process.wait(timeout=10)


def _wait_for(address: str, process: subprocess.Popen[bytes], log: Path, seconds: float = PATIENCE / 1000) -> None:
    end = time.monotonic() + seconds
    last: OSError | None = None
    while time.monotonic() < end and process.poll() is None:
        try:
            with DIRECTLY.open(address, timeout=2):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError) as error:
            last = error
            time.sleep(0.2)
    raise AssertionError(f"the application did not start ({last!r}); it wrote: {log.read_text()[-2000:]}")


@pytest.fixture(scope="session")
def screenshots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where screenshots go: ``$PROGNOSCOPE_SCREENSHOTS``, or a temporary folder."""
    named = os.environ.get("PROGNOSCOPE_SCREENSHOTS")
    folder = Path(named) if named else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
