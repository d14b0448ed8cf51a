"""What the server sends of every page and tab when every text of the data tries to be more than text.

The messages are those a browser gets; how Chromium draws them is tried in tests/browser.
"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from pages.widgets import load_clients
from pages.widgets.inert_markdown import inert, make_inert
from pages.widgets.load_clients import Session
from tests.browser.hostile import TRICK, hostile_app
from tests.browser.places import PLACES
from tests.browser.test_everybody_can_use_it import state_of
from tests.own_loop import run_apart
from tests.serving.test_hostile_exports import alive

_MARKDOWN = re.compile(r"(?<!\\)\](?=[(\[:])|://|www\.\w|(?<!\\)\$x|(?<!\\):red\[", re.IGNORECASE)
_LINK = re.compile(r"(?:<|\\u003c)\s*a\b", re.IGNORECASE)


def acting(message: ForwardMsg) -> list[str]:
    """What in a message would become a link, a picture, a script or a formula."""
    if message.WhichOneof("type") != "delta":
        return []
    delta = message.delta
    part = delta.new_element if delta.WhichOneof("type") == "new_element" else delta.add_block
    kind = part.WhichOneof("type")
    element: Any = getattr(part, kind) if kind else None
    if kind == "html":
        return [f"html: {w}" for w in alive(element.body)]
    if kind == "plotly_chart":
        return [f"figure: {element.spec[m.start() - 60 : m.end() + 60]}" for m in _LINK.finditer(element.spec)]
    if kind in (None, "text", "code", "bidi_component", "arrow_data_frame", "json"):
        return []
    found = []
    for field, value in element.ListFields():
        if field.name in ("label", "body", "help", "tooltip"):
            found += [f"{kind}.{field.name}: {value[m.start() : m.end() + 60]}" for m in _MARKDOWN.finditer(str(value))]
    return found


def test_markdown_is_disarmed_once_and_words_stay() -> None:
    assert inert(inert(TRICK)) == inert(TRICK)
    for plain in ("Albumin [g/L]", "12:30 (a: b)", "**bold** `code $X` - list", "Stage I\n\n* one\n* two"):
        assert inert(plain) == plain
    assert not _MARKDOWN.search(inert(TRICK))
    message = ForwardMsg()
    message.delta.new_element.radio.label = TRICK
    message.delta.new_element.radio.options.append(TRICK)
    assert len(acting(message)) >= 4  # what the pages below are looked through for
    make_inert(message)
    assert message.delta.new_element.radio.options[0] == message.delta.new_element.radio.label == inert(TRICK)
    assert acting(message) == []


@pytest.mark.slow
def test_no_page_sends_anything_that_acts(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[str] = []
    sent = {"hostile": 0}
    learn = load_clients._learn

    def look(session: Session, message: ForwardMsg, raw: bytes) -> str:
        sent["hostile"] += raw.count(b"evil")
        found.extend(acting(message))
        return learn(session, message, raw)

    monkeypatch.setattr(load_clients, "_learn", look)
    with hostile_app(tmp_path_factory.mktemp("hostile")) as whole:
        for place in PLACES:
            seen = run_apart(_visit(whole.served.url, state_of(place, whole), place.page, place.tab))
            found = [f"{place.name}: {w}" if not w.startswith("[") else w for w in found]
            assert not seen, (place.name, seen)
    assert found == [], json.dumps(found[:20], indent=1, ensure_ascii=False)
    assert sent["hostile"] > 100, "the texts are shown, as the signs they are"


async def _visit(url: str, view: str, page: str, tab: str) -> str:
    """Open a page as a browser does, then the tab; the words of an error it shows."""
    kept = load_clients.PAGES
    seen = load_clients.Seen()

    async def step(session: Session, *_: object) -> None:
        seen.errors.append(await load_clients._rerun(session, page))
        if tab and session.tabs:
            seen.errors.append(await load_clients._rerun(session, page, tab))
        raise _OverError

    before, load_clients._step = load_clients._step, step  # type: ignore[assignment]
    try:
        await load_clients._live(url, view, 0, float("inf"), 1e-3, seen)
    except _OverError:
        pass
    finally:
        load_clients._step, load_clients.PAGES = before, kept
    return " ".join(e for e in seen.errors if e)


class _OverError(Exception):
    """One page is enough."""
