"""What every test may use: the real data where it is, a private workspace, the repository's root."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.results.workspace import Workspace

ROOT = Path(__file__).resolve().parents[1]
SHARED_DATA = ROOT.parent / "shared" / "data"


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
