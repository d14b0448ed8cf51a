"""A browser left alone: after the idle time its page goes to the login by itself, and nothing brings it back."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from core.access.audit_search import Wanted, entries
from core.access.grants import Grant, set_grant
from core.access.roles import Role
from core.results.workspace import Workspace
from tests.access.oidc import provider, secrets_toml
from tests.browser.conftest import ROOT, Served, _wait_for
from tests.browser.waiting import PATIENCE, idle
from tests.pages.builders import save_sample_run

IDLE_SECONDS = 30.0
pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def behind_login(tmp_path: Path) -> Iterator[Served]:
    """The application with a login provider of this machine and half a minute of idle time."""
    workspace, log, file = Workspace(tmp_path / "workspace"), tmp_path / "server.log", tmp_path / "secrets.toml"
    save_sample_run(workspace)
    set_grant("rea@x.org", Grant(Role.RESEARCHER), workspace)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    with provider() as known, log.open("w") as stream:
        known.person = {"sub": "rea@x.org", "email": "rea@x.org"}
        file.write_text(secrets_toml(known, port, f"idle_minutes = {IDLE_SECONDS / 60}"))
        command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
        process = subprocess.Popen(
            [*command, "--secrets.files", str(file)], cwd=ROOT, stdout=stream, stderr=subprocess.STDOUT,
            env={**os.environ, "PROGNOSCOPE_WORKSPACE": str(workspace.root)},
        )  # fmt: skip
        try:
            _wait_for(f"http://127.0.0.1:{port}/_stcore/health", process, log)
            yield Served(f"http://127.0.0.1:{port}", log, workspace)
        finally:
            process.terminate()
            process.wait(timeout=20)


def test_a_page_left_alone_logs_out_by_itself(behind_login: Served, chromium: Browser) -> None:
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{behind_login.url}/login?with=default")
    page.locator(".research-only").wait_for(timeout=PATIENCE)
    idle(page)
    before = time.time()
    page.goto(f"{behind_login.url}/survival")  # begins the idle time anew
    page.locator(".research-only").wait_for(timeout=PATIENCE)
    idle(page)
    clicked = time.time()
    page.wait_for_url("**/login?ended=idle", timeout=PATIENCE)
    left = time.time()
    assert left - before >= IDLE_SECONDS - 1
    assert left - clicked <= IDLE_SECONDS + 25  # looked at each second; the rest is a loaded machine
    assert "240" not in page.locator("body").inner_text()
    page.go_back()
    page.wait_for_url("**/login**", timeout=PATIENCE)
    assert page.locator(".research-only").count() == 0
    other = context.new_page()
    other.goto(f"{behind_login.url}/patient")
    assert "/login" in other.url
    assert [e.who for e in entries(behind_login.workspace, Wanted(action="idle-logout"))] == ["rea@x.org"]
    context.close()
