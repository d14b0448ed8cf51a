"""Sessions as browsers make them, many at a time: a page is asked for over the WebSocket, tiles over HTTP.

``python -m pages.widgets.load_clients --url http://127.0.0.1:8501 --sessions 25 --seconds 300`` prints one
JSON line: the milliseconds of every rerun by page and of every tile, and every error. Each session has a cookie of its
own, goes from page to page with pauses as of a reader, opens the slide of the patient, looks at nine tiles at a time.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httpx
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetStates
from websockets.asyncio.client import ClientConnection, connect

from core.results.views import save_view
from core.results.workspace import Workspace
from pages.widgets.state import PageState

PATIENCE_S = 120.0
_SLIDE = re.compile(rb'"address":\s*"((?:/[\w-]+)*/slide/[\w-]+)",\s*"token":\s*"([\w.\-]+)"')
_SIZE = re.compile(r'Width="(\d+)" Height="(\d+)"')
_TILE = 510
PAGES = ("", "survival", "patient", "slide", "experts", "compare", "evidence", "board", "train")
"""Where a session goes; ``slide`` is the patient's page with that tab open."""


@dataclass
class Seen:
    """What all sessions together have seen: milliseconds by page, of tiles, and errors in words."""

    pages: dict[str, list[float]] = field(default_factory=dict)
    tiles: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


@dataclass
class Session:
    """One browser: its connections, and what the server told it: pages, tabs, addresses of a slide and a download."""

    http: httpx.AsyncClient
    socket: ClientConnection
    view: str
    origin: str
    scripts: dict[str, str] = field(default_factory=dict)
    tabs: str = ""
    slide: tuple[str, str] = ("", "")
    download: str = ""


def _learn(session: Session, message: ForwardMsg, raw: bytes) -> str:
    """Remember what a browser remembers; the words of an error that the page shows."""
    kind = message.WhichOneof("type")
    if kind == "navigation":
        session.scripts |= {p.url_pathname: p.page_script_hash for p in message.navigation.app_pages}
    if kind == "delta":
        delta = message.delta
        if delta.WhichOneof("type") == "add_block" and delta.add_block.WhichOneof("type") == "tab_container":
            session.tabs = delta.add_block.tab_container.id or session.tabs
        element = delta.new_element if delta.WhichOneof("type") == "new_element" else None
        if element is not None and element.WhichOneof("type") == "link_button":
            session.download = element.link_button.url
        if element is not None and element.WhichOneof("type") == "exception":
            return str(element.exception.message)
    if found := _SLIDE.search(raw):
        session.slide = (found[1].decode(), found[2].decode())
    return ""


async def _rerun(session: Session, page: str, tab: str = "") -> str:
    """Ask for a page and read until its script has ended; the words of an error, or ""."""
    ask = BackMsg()
    ask.rerun_script.query_string = f"view={session.view}" if session.view else ""
    ask.rerun_script.page_script_hash = session.scripts.get(page, "")
    if tab and session.tabs:
        states = WidgetStates()
        state = states.widgets.add()
        state.id, state.string_value = session.tabs, tab
        ask.rerun_script.widget_states.CopyFrom(states)
    await session.socket.send(ask.SerializeToString())
    trouble = ""
    while True:
        raw = await session.socket.recv()
        message = ForwardMsg()
        message.ParseFromString(raw if isinstance(raw, bytes) else raw.encode())
        trouble = trouble or _learn(session, message, message.SerializeToString())
        if message.WhichOneof("type") == "script_finished":
            if message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
                return trouble
            if message.script_finished == ForwardMsg.FINISHED_WITH_COMPILE_ERROR:
                return "a page that cannot be compiled"


async def _tiles(session: Session, seen: Seen, chance: random.Random) -> None:
    """Look at a place of the slide: nine neighbouring tiles, six at a time as a browser asks for them."""
    address, token = f"{session.origin}{session.slide[0]}", session.slide[1]
    facts = await session.http.get(f"{address}.dzi", params={"t": token})
    size = _SIZE.search(facts.text)
    if facts.status_code != 200 or size is None:
        seen.errors.append(f"slide: status {facts.status_code}")
        return
    width, height = int(size[1]), int(size[2])
    finest = (max(width, height) - 1).bit_length()
    level = finest - chance.randrange(3)
    across, down = (-(-(n >> (finest - level)) // _TILE) for n in (width, height))
    left, top = chance.randrange(max(1, across - 2)), chance.randrange(max(1, down - 2))
    room = asyncio.Semaphore(6)

    async def tile(column: int, row: int) -> None:
        async with room:
            start = time.perf_counter()
            answer = await session.http.get(f"{address}_files/{level}/{column}_{row}.jpeg", params={"t": token})
            seen.tiles.append(1000 * (time.perf_counter() - start))
            if answer.status_code != 200:
                seen.errors.append(f"tile: status {answer.status_code}")

    columns, rows = range(left, min(across, left + 3)), range(top, min(down, top + 3))
    await asyncio.gather(*(tile(column, row) for column in columns for row in rows))


async def _live(url: str, view: str, number: int, end: float, pause: float, seen: Seen) -> None:
    """One session from its first page to the end."""
    chance = random.Random(number)
    await asyncio.sleep(chance.uniform(0, pause))
    origin = "{0.scheme}://{0.netloc}".format(urlsplit(url))
    async with httpx.AsyncClient(base_url=url, timeout=PATIENCE_S, trust_env=False) as http:
        first = await http.get("/", params={"view": view})
        if first.status_code != 200:
            seen.errors.append(f"first page: status {first.status_code}")
            return
        cookie = "; ".join(f"{c.name}={c.value}" for c in http.cookies.jar)
        socket = connect(
            f"{url.replace('http', 'ws', 1)}/_stcore/stream", additional_headers={"Cookie": cookie}, origin=origin,  # type: ignore[arg-type]
            subprotocols=["streamlit"], max_size=None, ping_interval=None, open_timeout=PATIENCE_S, proxy=None,  # type: ignore[list-item]
        )  # fmt: skip
        async with socket as opened:
            session = Session(http, opened, view, origin)
            await _rerun(session, "")
            while True:  # each session goes to one page at least, however slow the machine
                await _step(session, chance.choice(PAGES), chance, seen)
                if time.monotonic() >= end:
                    return
                await asyncio.sleep(min(chance.expovariate(1 / pause), max(0.0, end - time.monotonic())))


async def _step(session: Session, page: str, chance: random.Random, seen: Seen) -> None:
    try:
        async with asyncio.timeout(PATIENCE_S):
            if page == "slide":
                await _rerun(session, "patient")
            start = time.perf_counter()
            trouble = await _rerun(session, "patient" if page == "slide" else page, "Slide" if page == "slide" else "")
            seen.pages.setdefault(page or "cohort", []).append(1000 * (time.perf_counter() - start))
            if trouble:
                seen.errors.append(f"{page or 'cohort'}: {trouble}")
            if page == "slide" and session.slide[0]:
                await _tiles(session, seen, chance)
    except TimeoutError:
        seen.errors.append(f"{page or 'cohort'}: no answer within {PATIENCE_S:g} s")


async def live(url: str, view: str, sessions: int, seconds: float, pause: float) -> Seen:
    """Let ``sessions`` live for ``seconds``, each with pauses of ``pause`` seconds on average."""
    seen, end = Seen(), time.monotonic() + seconds
    ended = await asyncio.gather(
        *(_live(url, view, n, end, pause, seen) for n in range(sessions)), return_exceptions=True
    )
    seen.errors += [f"a session ended: {type(e).__name__}: {e}" for e in ended if isinstance(e, BaseException)]
    return seen


def view_of(cohort: str, run: str, patient: str) -> str:
    """The id of a page state that has these open, for the address; kept in the workspace as a page would."""
    return save_view(PageState(cohort=cohort, run=run, patient=patient).as_json(), Workspace.default())


def main() -> None:
    """Live as many sessions as asked for, and print what they saw."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    parser.add_argument("--open", nargs=3, metavar=("COHORT", "RUN", "PATIENT"), default=("", "", ""))
    parser.add_argument("--sessions", type=int, default=25)
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--pause", type=float, default=10.0)
    given = parser.parse_args()
    view = view_of(*given.open) if all(given.open) else ""
    seen = asyncio.run(live(given.url, view, given.sessions, given.seconds, given.pause))
    print(json.dumps({"pages": seen.pages, "tiles": seen.tiles, "errors": seen.errors}))  # noqa: T201


if __name__ == "__main__":
    main()
