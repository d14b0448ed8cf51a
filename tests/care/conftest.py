"""A workspace full of one patient's traces."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.results.workspace import Workspace
from tests.care.canary import Planted, planted


@pytest.fixture
def full(workspace: Workspace, tmp_path: Path) -> Planted:
    return planted(workspace, tmp_path)
