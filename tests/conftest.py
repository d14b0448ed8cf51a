"""What every test may use: the real data where it is, a private workspace, the repository's root; and how several
processes share the tests."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Generator
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest

from core.results.workspace import Workspace
from tests.browser.chromium import chromium
from tests.turnstile import Turnstile

__all__ = ["chromium"]

ROOT = Path(__file__).resolve().parents[1]
SHARED_DATA = ROOT.parent / "shared" / "data"
# what lies outside workspaces (the end of each audit log) stays out of the home folder, also in started programs
os.environ["PROGNOSCOPE_STATE"] = tempfile.mkdtemp(prefix="prognoscope-state-")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real public data; a test that asks for it skips, with the reason, where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"real data is not at {SHARED_DATA}")
    return SHARED_DATA


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """An empty workspace of the test's own, also for code that asks the environment."""
    monkeypatch.setenv("PROGNOSCOPE_WORKSPACE", str(tmp_path / "workspace"))
    return Workspace.default()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long files first, so that whoever finishes last finishes little later; the browser's, which wait much,
    between those that compute."""
    files = dict.fromkeys(item.path for item in items)
    browser = dict.fromkeys(item.path for item in items if item.get_closest_marker("browser"))
    slow = dict.fromkeys(item.path for item in items if item.get_closest_marker("slow") and item.path not in browser)
    ordered = dict.fromkeys(path for pair in zip_longest(browser, slow) for path in pair if path) | files
    places = {path: place for place, path in enumerate(ordered)}
    items.sort(key=lambda item: places[item.path])


_SHARED = pytest.StashKey[Turnstile]()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Give every process the folder of the turnstile."""
    stash = node.config.stash
    if _SHARED not in stash:
        stash[_SHARED] = Turnstile(Path(tempfile.mkdtemp(prefix="prognoscope-tests-")))
    node.workerinput["turnstile"] = str(stash[_SHARED].folder)


def pytest_unconfigure(config: pytest.Config) -> None:
    """The process that made the turnstile takes it away."""
    if _SHARED in config.stash:
        shutil.rmtree(config.stash[_SHARED].folder, ignore_errors=True)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """A test marked ``alone`` runs while no other process is at a test; with one process nothing has to be done."""
    given = getattr(item.config, "workerinput", {}).get("turnstile")
    if given is None:
        return (yield)
    with Turnstile(Path(given)).passed(item.get_closest_marker("alone") is not None):
        return (yield)
