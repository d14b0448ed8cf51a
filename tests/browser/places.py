"""Every place of the application there is to look at: the pages, and the tabs of those that have some."""

from __future__ import annotations

from dataclasses import dataclass

from playwright.sync_api import Page

from tests.browser.waiting import PATIENCE, still


@dataclass(frozen=True)
class Place:
    """A page, and one of its tabs ("" where it has none)."""

    page: str
    tab: str = ""

    @property
    def name(self) -> str:
        """For file names and messages."""
        return f"{self.page or 'cohort'} {self.tab}".strip().replace(" ", "-").lower()


EXPERTS = tuple(Place("experts", tab) for tab in ("Routing", "Phenotypes", "Map", "Switch off", "Audit"))
PATIENT = tuple(Place("patient", tab) for tab in ("Summary", "Slide", "Scan", "Genes", "Report"))
TALK = Place("board", "Present")
"""The board's presentation: behind its button."""
PLACES = (
    Place(""), Place("survival"), *EXPERTS, *PATIENT, Place("board"), TALK, Place("train"), Place("compare"),
    Place("evidence"), Place("system"),
)  # fmt: skip


def go(page: Page, url: str, place: Place, view: str = "") -> None:
    """Open a place, with the page state stored as ``view``, and wait until everything is drawn."""
    page.goto(f"{url}/{place.page}" + (f"?view={view}" if view else ""))
    page.locator(".research-only").wait_for(timeout=PATIENCE)
    still(page)
    if place.tab:
        to_tab(page, place)


def to_tab(page: Page, place: Place) -> None:
    """Open a tab of the page that is open, and wait until everything is drawn."""
    if place == TALK:
        page.get_by_role("button", name="Present").click()
        page.locator(".talk h1").wait_for(timeout=PATIENCE)
    else:
        page.get_by_role("tab", name=place.tab, exact=True).click()
    still(page)


def in_scheme(page: Page, scheme: str) -> None:
    """Let the reader's system turn to ``"light"`` or ``"dark"``, and wait until page and figures have followed."""
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.wait_for_function("s => getComputedStyle(document.documentElement).colorScheme === s", arg=scheme)
    still(page)
