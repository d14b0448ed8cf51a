"""What every fuzz test has: a place of its own, a watch over everything outside it, and a count at the end."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fuzz.effort import TRIED
from tests.fuzz.watch import Watch


@pytest.fixture
def watch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watch]:
    """Nothing outside ``tmp_path`` may be written, renamed or removed while the test runs."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    with Watch(tmp_path) as found:
        yield found
    assert found.outside == []


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The inputs that were really tried."""
    if TRIED:
        parts = ", ".join(f"{area} {count:,}" for area, count in sorted(TRIED.items()))
        terminalreporter.write_line(f"fuzz: {sum(TRIED.values()):,} inputs ({parts})")
