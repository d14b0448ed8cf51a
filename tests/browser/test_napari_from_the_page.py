"""The button on the served page, pressed in a real browser: napari's windows stand on the screen, with the maps.

Without a screen it says so, keeps the session and gives the very command that opens it.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from core.desktop.screen import READY
from core.desktop.session import load_session
from core.results.views import save_view
from core.results.workspace import Workspace
from core.serving.libraries import has_library
from pages.widgets.state import PageState
from tests.browser.conftest import Served, application
from tests.browser.waiting import PATIENCE, idle, until
from tests.desktop.planted import SECRET, Planted, plant

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(
        not has_library("openseadragon.min.js"), reason="viewer libraries are not installed (./run test)"
    ),
]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, Planted]:
    folder = tmp_path_factory.mktemp("button")
    workspace = Workspace(folder / "workspace")
    return workspace, plant(workspace, folder / "files")


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A screen in memory, which the application started meanwhile finds as its own; its name."""
    if shutil.which("Xvfb") is None or shutil.which("xwininfo") is None:
        pytest.skip("no Xvfb or xwininfo on this machine: apt-get install xvfb x11-utils (./run test does it as root)")
    read, write = os.pipe()
    words = ["Xvfb", "-displayfd", str(write), "-screen", "0", "1600x1000x24", "+extension", "GLX", "-nolisten", "tcp"]
    server = subprocess.Popen(words, pass_fds=(write,), stderr=subprocess.DEVNULL)
    os.close(write)
    with os.fdopen(read) as told:
        name = f":{told.readline().strip()}"
    for key, value in {"DISPLAY": name, "LIBGL_ALWAYS_SOFTWARE": "1", "QT_QPA_PLATFORM": "xcb"}.items():
        monkeypatch.setenv(key, value)
    yield name
    server.terminate()
    server.wait(timeout=10)


def pressed(page: Page, served: Served, planted: Planted) -> None:
    """The Slide tab of the patient, and its button."""
    state = PageState(cohort="study", run=planted.run, patient=planted.patient)
    page.goto(f"{served.url}/patient?view={save_view(state.as_json(), served.workspace)}")
    page.get_by_role("tab", name="Slide").wait_for()
    idle(page)
    page.get_by_role("tab", name="Slide").click()
    page.locator('.slide-viewer[data-ready="1"]').wait_for()
    page.get_by_role("button", name="Open in napari").click()


def windows_of(screen: str) -> str:
    """The tree of windows as the X server tells it."""
    return subprocess.run(
        ["xwininfo", "-root", "-tree", "-display", screen], capture_output=True, text=True, check=True, timeout=20
    ).stdout


def shown(log: Path) -> dict[str, Any]:
    """What the desktop viewer says of its windows; empty while they are not open."""
    rest = log.read_bytes().partition(READY + b"\n")[2] if log.is_file() else b""
    line, end, _ = rest.partition(b"\n")
    return dict(json.loads(line)) if end else {}


def test_the_button_puts_napari_on_the_screen_with_the_maps(
    made: tuple[Workspace, Planted], screen: str, chromium: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace, planted = made
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    logs = workspace.root / "desktop"
    found: dict[str, Any] = {}
    with application(workspace, tmp_path / "server.log") as served:
        page = chromium.new_page(viewport={"width": 1440, "height": 1300})
        try:
            pressed(page, served, planted)
            until(page, lambda: any(shown(log) for log in logs.glob("*.log")), 2 * PATIENCE)
            found = next(answer for log in logs.glob("*.log") if (answer := shown(log)))
            expect(page.get_by_text("napari is open in a window of its own").or_(
                page.get_by_text("napari still opens")
            )).to_be_visible()  # fmt: skip
            until(page, lambda: windows_of(screen).count("slides") > 0)
            tree = windows_of(screen)
        finally:
            page.close()
            if found:
                with suppress(ProcessLookupError):
                    os.kill(int(found["process"]), signal.SIGTERM)
    slides, scans = found["windows"]
    for window in (slides, scans):
        assert f'"{window["title"]}"' in tree
        assert planted.patient not in window["title"]
    (line,) = (x for x in tree.splitlines() if f'"{slides["title"]}"' in x)
    width, height = (int(v) for v in line.split()[-2].partition("+")[0].split("x"))
    assert width > 800
    assert height > 500
    kept = [(x["name"].partition(" (")[0], x["kind"], x["visible"]) for x in slides["layers"]]
    assert kept == [  # no layer of expert 2, which was not used for this patient
        ("slide 1", "Image", True), ("attention", "Image", True), ("relevance through expert 1", "Image", False)
    ]  # fmt: skip
    kept = [(x["name"].partition(" (")[0], x["kind"]) for x in scans["layers"]]
    assert kept == [("t1", "Image"), ("arterial", "Image"), ("mask: tumour", "Labels"), ("Attribution", "Image")]
    assert SECRET not in tree


def test_without_a_screen_it_explains_and_leaves_the_session_and_the_command(
    made: tuple[Workspace, Planted], chromium: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace, planted = made
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    with application(workspace, tmp_path / "server.log") as served:
        page = chromium.new_page(viewport={"width": 1440, "height": 1300})
        pressed(page, served, planted)
        expect(page.get_by_text("this machine has no screen (DISPLAY is not set)")).to_be_visible()
        command = page.locator("[data-testid=stCode]").filter(has_text="napari").inner_text().strip()
        with page.expect_download() as download:
            page.get_by_role("button", name="Download the session file").click()
        given = Path(download.value.path()).read_bytes()
        page.close()
    words = shlex.split(command)
    assert words[:2] == ["cd", str(Path(__file__).resolve().parents[2])]
    assert words[2:-1] == ["&&", "./run", "cli", "napari", "--session"]
    session = load_session(Path(words[-1]))
    assert Path(words[-1]).read_bytes() == given
    assert Path(words[-1]).stat().st_mode & 0o077 == 0
    assert session.patient == planted.patient
    assert [(m.key, m.visible) for m in session.maps] == [("attention", True), ("expert-1", False)]
    assert planted.patient not in command
