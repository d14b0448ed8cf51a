"""The application under a prefix behind a reverse proxy: pages, socket, tiles and downloads all pass by it."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from core.cohort.media_index import MediaFile, MediaIndex, MediaKind, save_media
from core.cohort.modality import Modality
from core.results.views import save_view
from core.results.workspace import Workspace
from core.serving import prefix
from core.serving.exports import predictions_url
from core.serving.libraries import library_address
from core.serving.routes import routes
from core.serving.slide_ids import SlideRef
from core.serving.slide_tiles import slide_address
from core.tasks.bench_tiles import write_texture
from pages.widgets import load_clients
from pages.widgets.load_clients import Seen
from pages.widgets.state import PageState
from tests.own_loop import run_apart
from tests.pages.builders import save_sample_run

ROOT = Path(__file__).resolve().parents[2]
PREFIX = "/team/prognoscope"


@pytest.fixture
def set_here() -> Iterator[None]:
    prefix.set_prefix(PREFIX)
    yield
    prefix.set_prefix("")


@pytest.mark.usefixtures("set_here")
def test_every_own_address_and_route_carries_the_prefix() -> None:
    for address in (predictions_url("run-1", "0" * 32), library_address("niivue.umd.js"),
                    slide_address(SlideRef("c", "p", 0))):  # fmt: skip
        assert address.startswith(f"{PREFIX}/")
    plain = [r.path for r in routes()]  # type: ignore[attr-defined]
    assert [r.path for r in prefix.under_prefix(routes())] == [PREFIX + p for p in plain]  # type: ignore[attr-defined]
    prefix.set_prefix("")
    assert [r.path for r in prefix.under_prefix(routes())] == plain  # type: ignore[attr-defined]


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def proxy(port: int, behind: int) -> Iterator[list[str]]:
    """Passes on what lies under the prefix, byte by byte, and answers 404 to everything else; keeps the paths."""
    asked: list[str] = []
    loop = asyncio.new_event_loop()

    async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(1 << 16):
                writer.write(data)
                await writer.drain()
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        path = head.split(b" ", 2)[1].decode()
        asked.append(path)
        if not path.startswith(f"{PREFIX}/"):
            writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            writer.close()
            return
        away, back = await asyncio.open_connection("127.0.0.1", behind)
        if b"upgrade: websocket" not in head.lower():  # one request a connection: each path is looked at
            head = b"\r\n".join(x for x in head.split(b"\r\n") if not x.lower().startswith(b"connection:"))
            head = head.replace(b"\r\n", b"\r\nConnection: close\r\n", 1)
        back.write(head)
        await asyncio.gather(pipe(reader, back), pipe(away, writer))

    async def run() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", port, limit=1 << 20)
        async with server:
            await server.serve_forever()

    task = loop.create_task(run())

    def forever() -> None:
        asyncio.set_event_loop(loop)
        with suppress(asyncio.CancelledError):
            loop.run_until_complete(task)

    thread = threading.Thread(target=forever, daemon=True)
    thread.start()
    try:
        yield asked
    finally:
        loop.call_soon_threadsafe(task.cancel)
        thread.join(timeout=5)


@pytest.mark.slow
def test_page_socket_tile_and_download_behind_a_proxy(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cohort = save_sample_run(workspace)
    patient = next(i for i in cohort.ids if bool(cohort.availability.at[i, "slides"]))
    write_texture(tmp_path / "s.tif", 2048)
    slide = MediaFile(patient, Modality.SLIDES, MediaKind.SLIDE, str(tmp_path / "s.tif"))
    save_media("sample", MediaIndex((slide,)), workspace)
    view = save_view(PageState(cohort="sample", run="hdmoe-1", patient=patient).as_json(), workspace)
    behind, port = free_port(), free_port()
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(behind),
               "--server.baseUrlPath", PREFIX.strip("/")]  # fmt: skip
    environment = {**os.environ, "PROGNOSCOPE_WORKSPACE": str(workspace.root)}
    log = tmp_path / "server.log"
    server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log.open("w"), stderr=subprocess.STDOUT)
    downloads: list[str] = []
    kept = load_clients._rerun

    async def rerun(session: load_clients.Session, page: str, tab: str = "") -> str:
        found = await kept(session, page, tab)
        if session.download:
            answer = await session.http.get(f"{session.origin}{session.download}")
            downloads.append(f"{answer.status_code} {answer.text[:20]}")
        return found

    monkeypatch.setattr(load_clients, "_rerun", rerun)
    monkeypatch.setattr(load_clients, "PAGES", ("slide", "", "slide", "survival"))
    try:
        _wait(f"http://127.0.0.1:{behind}{PREFIX}/_stcore/health", server, log)
        with proxy(port, behind) as asked:
            url = f"http://127.0.0.1:{port}{PREFIX}"
            seen: Seen = run_apart(load_clients.live(url, view, 1, 15.0, 0.2))
            outside = httpx.get(f"http://127.0.0.1:{port}/", trust_env=False)
    finally:
        server.terminate()
        server.wait(timeout=20)
    assert seen.errors == []
    assert len(seen.tiles) >= 4
    assert outside.status_code == 404
    assert {f"{PREFIX}/_stcore/stream"} <= set(asked)
    assert any(p.startswith(f"{PREFIX}/slide/") and ".jpeg" in p for p in asked)
    assert [p for p in asked if not p.startswith(f"{PREFIX}/")] == ["/"]  # ours, asked just now
    assert downloads
    assert all(d.startswith("200 id,") for d in downloads), downloads[:3]


def _wait(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 100
    while time.monotonic() < end and server.poll() is None:
        try:
            if httpx.get(address, trust_env=False, timeout=2).status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.3)
    raise AssertionError(f"the application did not start: {log.read_text()[-2000:]}")
