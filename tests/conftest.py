"""What every test may use: the real data where it is, a private workspace, the repository's root; and how several
processes share the tests."""

from __future__ import annotations

import shutil
import os
import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from core.results.workspace import Workspace
from tests.turnstile import Turnstile

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
    """The long files first, the browser's before all: whoever finishes last then finishes little later."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: 0 if item.get_closest_marker("browser") else 1 if item.path in slow else 2)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """With ``--dist loadfile``: a file stays with one process, and so do all files of the browser."""
    if config.getoption("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class Together(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            # one Chromium and one application at a time: two of each are too much for two cores
            return "browser" if nodeid.startswith("tests/browser/") else super()._split_scope(nodeid)

    config.option.loadscopereorder = False  # the order is that of the collection
    return Together(config, log)


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
