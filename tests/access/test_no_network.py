"""The dashboard page by page in a real browser, watched on both sides: nothing asks for anything outside this machine.

The browser's way out is a proxy that notes and goes nowhere; in every process of the server each connection and look-up
of a name is noted, and refused unless it is of this machine.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext

from core.results.workspace import Workspace
from tests.browser.conftest import application
from tests.browser.waiting import idle
from tests.pages.builders import save_sample_run

pytestmark = pytest.mark.browser

ROOT = Path(__file__).resolve().parents[2]
WATCH = """
import os, sys
def _outside(address):
    host = address[0] if isinstance(address, tuple) else None
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    return host is not None and host not in ("", "localhost", "::1", "0.0.0.0") and not str(host).startswith("127.")
def _watch(event, args):
    if event == "socket.getaddrinfo":
        found = (args[0],)
    elif event in ("socket.connect", "socket.sendto"):
        found = args[1]
    else:
        return
    if _outside(found):
        with open(os.environ["PROGNOSCOPE_WATCH"], "a") as stream:
            stream.write(f"{event} {found!r} {sys.argv[:3]}\\n")
        raise ConnectionRefusedError(f"no network in this test: {event} {found!r}")
sys.addaudithook(_watch)
"""
PAGES = ("", "survival", "experts", "patient", "board", "train", "compare", "evidence", "system", "nowhere")
BROWSERS_OWN = ("google.com", "googleapis.com", "gvt1.com", "gstatic.com")
"""Chromium's own services (accounts, form filling, updates), which it asks on any page; the pages' own requests are
looked at one by one besides."""


@dataclass
class Proxy:
    """Notes what it is asked for, and goes nowhere."""

    asked: list[str] = field(default_factory=list)
    port: int = 0

    def serve(self, listening: socket.socket) -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:  # closed: the test is over
                return
            with connection:
                self.asked.append(connection.recv(4096).split(b"\r\n")[0].decode("latin-1"))
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno")


def of_pages(proxy: Proxy) -> list[str]:
    """What the proxy was asked for that is not the browser's own."""
    hosts = [line.split()[1].removeprefix("http://").split("/")[0].split(":")[0] for line in proxy.asked if " " in line]
    return [host for host in hosts if not host.endswith(BROWSERS_OWN)]


@pytest.fixture(scope="module")
def proxy() -> Iterator[Proxy]:
    listening = socket.create_server(("127.0.0.1", 0))
    found = Proxy(port=listening.getsockname()[1])
    threading.Thread(target=found.serve, args=(listening,), daemon=True).start()
    yield found
    listening.close()


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory, proxy: Proxy) -> Iterator[tuple[str, Path]]:
    folder = tmp_path_factory.mktemp("watched")
    workspace = Workspace(folder / "workspace")
    save_sample_run(workspace)
    (folder / "python").mkdir()
    (folder / "python" / "sitecustomize.py").write_text(WATCH)
    notes = folder / "notes.txt"
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("PYTHONPATH", str(folder / "python"))
        patched.setenv("PROGNOSCOPE_WATCH", str(notes))
        for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            patched.setenv(name, f"http://127.0.0.1:{proxy.port}")
        patched.setenv("no_proxy", "127.0.0.1,localhost")
        with application(workspace, folder / "server.log") as running:
            yield running.url, notes


@pytest.fixture(scope="module")
def browser(proxy: Proxy, chromium: Browser) -> Iterator[BrowserContext]:
    context = chromium.new_context(proxy={"server": f"http://127.0.0.1:{proxy.port}", "bypass": "127.0.0.1"})
    yield context
    context.close()


def test_the_watch_itself_sees_and_refuses(watched: tuple[str, Path], tmp_path: Path) -> None:
    notes = tmp_path / "notes.txt"
    environment = {**os.environ, "PYTHONPATH": str(watched[1].parent / "python"), "PROGNOSCOPE_WATCH": str(notes)}
    code = "import urllib.request as r; r.ProxyHandler({}); r.build_opener(r.ProxyHandler({})).open('http://10.9.8.7/')"
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=False)
    assert done.returncode != 0
    assert "10.9.8.7" in notes.read_text()


def test_no_page_asks_for_anything_outside(watched: tuple[str, Path], browser: BrowserContext, proxy: Proxy) -> None:
    url, notes = watched
    page = browser.new_page()
    page.goto("http://outside.example/")  # asked for by hand: the proxy sees it, so it would have seen any other
    assert set(of_pages(proxy)) == {"outside.example"}
    seen: set[str] = set()
    page.on("request", lambda request: seen.add(request.url))
    refused: list[str] = []
    page.on("console", lambda said: refused.append(said.text) if "Content Security Policy" in said.text else None)
    for name in PAGES:
        page.goto(f"{url}/{name}")
        idle(page)
    own = (url, url.replace("http", "ws"), "data:", "blob:", "about:")
    assert [address for address in seen if not address.startswith(own)] == []
    assert set(of_pages(proxy)) == {"outside.example"}  # that one alone: its icon may be asked for later
    assert refused == []  # nothing even tried what the page's policy would have stopped
    assert not notes.is_file() or notes.read_text() == ""


def test_a_text_on_a_page_cannot_make_it_ask(watched: tuple[str, Path], browser: BrowserContext, proxy: Proxy) -> None:
    """The policy that every page carries stops a picture and a call to elsewhere, whatever brought them there."""
    page = browser.new_page()
    page.goto(watched[0])
    idle(page)
    said = page.evaluate(
        """async () => {
          const picture = new Promise(done => { const i = new Image(); i.onload = () => done('loaded');
            i.onerror = () => done('stopped'); i.src = 'http://elsewhere.example/p.png'; });
          const call = fetch('http://elsewhere.example/').then(() => 'answered', () => 'stopped');
          return [await picture, await call];
        }"""
    )
    assert said == ["stopped", "stopped"]
    assert "elsewhere.example" not in of_pages(proxy)
