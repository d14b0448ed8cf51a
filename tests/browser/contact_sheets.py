"""All pages side by side, at two widths, light and dark: ``python -m tests.browser.contact_sheets WORKSPACE FOLDER``.

For looking, not for testing: whether spacing, wording, number formats and colours are of one hand. WORKSPACE has to
hold runs (a copy: what is looked at may store something); ``--cohort``, ``--run`` and ``--patient`` say of whom the
pages speak, ``--only`` takes some of the places.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from PIL import Image, ImageDraw
from playwright.sync_api import Browser, Error, sync_playwright

from core.results.views import save_view
from core.results.workspace import Workspace
from pages.widgets.state import PageState
from tests.browser.chromium import FLAGS
from tests.browser.conftest import Served, application
from tests.browser.places import PLACES, Place, go, in_scheme
from tests.browser.waiting import photograph

WIDTHS, SCHEMES = (1440, 1024), ("light", "dark")
SHOWN_PX, TALLEST_PX, GAP = 720, 1500, 14
"""A picture in a sheet: its width, and where it is cut off."""


def pictures(browser: Browser, app: Served, place: Place, view: str, folder: Path) -> list[Path]:
    """One page at both widths, light and dark; a place this workspace has not got gives none."""
    found = []
    for scheme in SCHEMES:
        page = browser.new_context(viewport={"width": WIDTHS[0], "height": 900}, color_scheme=scheme).new_page()  # type: ignore[arg-type]
        page.set_default_timeout(30_000)
        try:
            go(page, app.url, place, view)
            in_scheme(page, scheme)
            for width in WIDTHS:
                path = folder / f"{place.name}-{width}-{scheme}.png"
                photograph(page, path, width)
                found.append(path)
        except Error as error:
            print(f"{place.name}: {str(error).splitlines()[0]}")
        finally:
            page.context.close()
    return found


def sheet(paths: list[Path], target: Path) -> None:
    """The pictures in a row, each as wide as the others, with its name above it."""
    small = []
    for path in paths:
        with Image.open(path) as image:
            height = min(TALLEST_PX, round(image.height * SHOWN_PX / image.width))
            full = image.convert("RGB").resize((SHOWN_PX, round(image.height * SHOWN_PX / image.width)))
            small.append(full.crop((0, 0, SHOWN_PX, height)))
    page = Image.new("RGB", (len(small) * (SHOWN_PX + GAP), max(i.height for i in small) + 24), "#888888")
    for at, (path, image) in enumerate(zip(paths, small, strict=True)):
        ImageDraw.Draw(page).text((at * (SHOWN_PX + GAP), 5), path.stem, fill="white")
        page.paste(image, (at * (SHOWN_PX + GAP), 24))
    page.save(target)


def main() -> None:
    """Serve the workspace, look at every place, and lay the pictures out."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("workspace", type=Path)
    asked.add_argument("folder", type=Path)
    for name in ("cohort", "run", "patient"):
        asked.add_argument(f"--{name}", default="")
    asked.add_argument("--only", nargs="*", default=[], metavar="PLACE")
    given = asked.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    workspace = Workspace(given.workspace)
    state = PageState(cohort=given.cohort, run=given.run, patient=given.patient)
    view = save_view(state.as_json(), workspace)
    path = shutil.which("chromium") or shutil.which("google-chrome")
    with application(workspace, given.folder / "server.log") as app, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS.split())
        for place in PLACES:
            if given.only and place.name not in given.only:
                continue
            if found := pictures(browser, app, place, view, given.folder):
                sheet(found, given.folder / f"sheet-{place.name}.png")
                print(f"{place.name}: {len(found)} pictures")
        browser.close()


if __name__ == "__main__":
    main()
