"""The System page as an administrator uses it: a backup by a click, an erasure, its proof; a second server."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from core.care.archive import verify_archive
from core.cohort.storage import load_cohort
from core.results.run_store import load_predictions
from core.results.workspace import Workspace
from tests.browser.conftest import ROOT, Served, application
from tests.pages.builders import save_sample_run

pytestmark = pytest.mark.browser
GONE = "SYN-0011"
LONG = 90_000


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("system")
    workspace = Workspace(folder / "workspace")
    save_sample_run(workspace)
    with application(workspace, folder / "server.log") as served:
        yield served


def open_system(chromium: Browser, served: Served) -> Page:
    page = chromium.new_page(viewport={"width": 1440, "height": 1000})
    page.goto(f"{served.url}/system")
    expect(page.get_by_role("heading", name="Versions")).to_be_visible(timeout=LONG)
    return page


def test_backup_erasure_and_proof(running: Served, chromium: Browser, screenshots: Path) -> None:
    page = open_system(chromium, running)
    page.get_by_role("button", name="Make a backup").click()
    expect(page.get_by_text("sealed, key file")).to_be_visible(timeout=LONG)
    (made,) = (running.workspace.root / "backups").glob("*.zip")
    assert verify_archive(made).cohorts.keys() == {"sample"}

    page.get_by_label("Pseudonym or original id").fill(GONE)
    page.get_by_role("button", name="Show what would go").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("the predictions of 1 run for this patient")).to_be_visible(timeout=LONG)
    expect(dialog.get_by_text(made.name)).to_be_visible()
    page.screenshot(path=screenshots / "system-erase.png")
    expect(dialog.get_by_role("button", name="Erase")).to_be_disabled()
    dialog.get_by_text("The patient has withdrawn consent").click()
    dialog.get_by_role("button", name="Erase").click()
    expect(dialog).to_be_hidden(timeout=LONG)
    expect(page.get_by_text("1 patient erased since: train again")).to_be_visible(timeout=LONG)
    assert GONE not in load_cohort("sample", running.workspace).ids
    assert GONE not in set(load_predictions("hdmoe-1", running.workspace).table["id"])

    page.get_by_role("button", name="Search for erased patients").click()
    expect(page.get_by_text("no erased patient is named in any of them")).to_be_visible(timeout=LONG)
    expect(page.get_by_text("which may still hold an erased patient")).to_be_visible()
    assert GONE not in page.content()
    assert GONE not in page.url
    assert GONE not in running.log.read_text()
    page.close()


def test_a_second_server_leaves_with_one_sentence(running: Served) -> None:
    """Both ways to start one: by the script's first step, and by the server itself."""
    environment = {**os.environ, "PROGNOSCOPE_WORKSPACE": str(running.workspace.root)}
    first = [sys.executable, "-m", "core.cli.first_start"]
    server = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", "0"]
    for command in (first, server):
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False
        )
        told = done.stdout + done.stderr
        assert done.returncode != 0
        assert "another Prognoscope server (process" in told
        assert "open the dashboard that is there" in told
        assert "Traceback" not in told
