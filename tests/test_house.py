"""The laws of the house, each by the tool that holds it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    "command",
    [
        ["ruff", "check", "core", "pages", "tests", "app.py"],
        ["ruff", "format", "--check", "core", "pages", "tests", "app.py"],
        ["mypy"],
        ["lint-imports"],
    ],
    ids=["ruff", "format", "mypy", "layers"],
)
def test_tool_finds_nothing(command: list[str]) -> None:
    done = subprocess.run([str(BIN / command[0]), *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]


def test_light_side_loads_without_torch() -> None:
    """The web process must never pay for torch, nor be able to compute with it."""
    script = (
        "import sys, core.figures.survival, core.serving.guard, core.results.run_store, core.cohort.importing\n"
        "import core.analysis.group_survival\n"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False).returncode == 0


def test_no_patient_data_is_tracked(shared_data: Path) -> None:
    """Nothing of the shared data may be committed: compare the bytes of every tracked file with all of it."""
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    sizes: dict[int, list[Path]] = {}
    for path in shared_data.rglob("*"):
        if path.is_file() and path.stat().st_size > 0:
            sizes.setdefault(path.stat().st_size, []).append(path)
    copies = [
        name
        for name in tracked.split("\0")
        if name and (ROOT / name).is_file() and (ROOT / name).stat().st_size in sizes
        for other in sizes[(ROOT / name).stat().st_size]
        if (ROOT / name).read_bytes() == other.read_bytes()
    ]
    assert not copies
