"""Load what the pages are made of when the server starts, so that the first visitor need not wait for it."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

NOT_SERVED = frozenset({"rerun_times"})
"""Programs of their own, which no page uses."""


def load_pages() -> None:
    """Import the parts of every page: about a second of one core, once, beside the server's other work."""
    for path in sorted(Path(__file__).parent.glob("*.py")):
        if path.stem not in NOT_SERVED:
            import_module(f"{__package__}.{path.stem}")
