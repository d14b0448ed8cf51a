"""A board in a real browser: presented by keys alone in large type, and opened from files without a network."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from core.results.board_store import add_patients, delete_board, new_board, opinions_of
from tests.browser.conftest import Served
from tests.browser.waiting import idle, still

pytestmark = pytest.mark.browser
PATIENTS = ("SYN-0007", "SYN-0002", "SYN-0040")
_SMALLEST = """(root) => Math.min(...[...document.querySelectorAll(root + ' *')]
  .filter(e => e.getBoundingClientRect().width > 2 && !['STYLE', 'SCRIPT'].includes(e.tagName)
    && [...e.childNodes].some(n => n.nodeType == 3 && n.textContent.trim()))
  .map(e => parseFloat(getComputedStyle(e).fontSize)))"""
_DRAWN = "() => [...document.querySelectorAll('img.drawn')].every(i => i.naturalWidth > 0 && i.width >= i.naturalWidth)"


def _title(page: Page, words: str) -> None:
    expect(page.locator(".talk h1")).to_have_text(words)


def test_the_whole_meeting_by_keys(chromium: Browser, served: Served, tmp_path: Path, screenshots: Path) -> None:
    workspace = served.workspace
    board = new_board("Liver board", "IRB 2026-17", "sample", "hdmoe-1", 36.0, workspace)
    add_patients(board.id, PATIENTS, workspace)
    context = chromium.new_context(viewport={"width": 1440, "height": 900}, accept_downloads=True)
    page = context.new_page()
    try:
        page.goto(f"{served.url}/board")
        page.get_by_role("button", name="Freeze the pages").click()
        page.get_by_role("button", name="Present").click()
        _title(page, "Patient 1 of 3")
        expect(page.locator(".talk h1")).to_be_in_viewport()
        page.get_by_role("button", name="Next").scroll_into_view_if_needed()
        page.keyboard.press("ArrowRight")
        _title(page, "Patient 2 of 3")
        expect(page.locator(".talk h1")).to_be_in_viewport()
        still(page)  # the parts of the page before are gone
        assert page.evaluate(_SMALLEST, "[data-testid=stMain]") >= 24
        page.wait_for_function(_DRAWN)
        seen = page.locator("body").inner_text()
        assert not any(p in seen + page.url + page.title() for p in PATIENTS)
        page.screenshot(path=screenshots / "board-talk-1440.png")
        idle(page)  # before, the old patient's buttons may still stand there
        page.locator(".st-key-talk_opinion").get_by_text("Disagree", exact=True).first.click()
        page.get_by_label(re.compile("^Note")).fill("older than the others")
        page.keyboard.press("ArrowRight")  # inside the note a key moves the cursor alone
        _title(page, "Patient 2 of 3")
        page.get_by_role("button", name="Keep").click()
        expect(page.locator("p.note")).to_contain_text("Disagree. “older than the others”")
        found = opinions_of(board.id, workspace)
        assert [(o.patient, o.verdict, o.note) for o in found] == [("SYN-0002", "disagree", "older than the others")]
        page.locator(".talk h1").click()
        page.keyboard.press("ArrowLeft")
        _title(page, "Patient 1 of 3")
        page.keyboard.press("Escape")
        with page.expect_download() as download:
            page.get_by_role("button", name="Offline bundle (zip)").click()
        download.value.save_as(tmp_path / "board.zip")
        _offline(chromium, tmp_path)
    finally:
        context.close()
        delete_board(board.id, workspace)


def _offline(chromium: Browser, folder: Path) -> None:
    """The same pages from files, with the network cut."""
    with zipfile.ZipFile(folder / "board.zip") as archive:
        archive.extractall(folder)
    context = chromium.new_context(viewport={"width": 1024, "height": 768}, offline=True)
    page, asked = context.new_page(), list[str]()
    page.on("request", lambda request: asked.append(request.url))
    page.goto((folder / "board" / "index.html").as_uri())
    expect(page.locator("body")).to_contain_text("IRB 2026-17")
    ways = [("ArrowRight", 1), ("ArrowRight", 2), ("PageDown", 3), ("ArrowRight", 3), ("ArrowLeft", 2)]
    for key, place in ways:
        page.keyboard.press(key)
        _title(page, f"Patient {place} of 3")
    assert page.evaluate(_SMALLEST, "body") >= 24
    assert page.evaluate(_DRAWN)
    assert page.evaluate("document.documentElement.scrollWidth") <= 1024
    page.keyboard.press("Home")
    _title(page, "Liver board")
    page.get_by_role("link", name="Patient 3 of 3").focus()
    page.keyboard.press("Enter")
    _title(page, "Patient 3 of 3")
    assert all(url.startswith(("file://", "data:")) for url in asked)
    assert not any(p in page.content() for p in PATIENTS)
    context.close()
