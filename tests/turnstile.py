"""Tests pass together, except those that measure time: these wait until nobody else is at work, and are alone."""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Turnstile:
    """Two locks in a folder that the processes of one test run share.

    Whoever enters passes the gate into the room. One who must be alone keeps the gate, so that nobody follows, and
    enters once the room is empty; without the gate others could keep the room occupied for ever.
    """

    folder: Path

    @contextmanager
    def passed(self, alone: bool) -> Iterator[None]:
        """Inside the room, with others or ``alone``."""
        how = fcntl.LOCK_EX if alone else fcntl.LOCK_SH
        with (
            _locked(self.folder / "gate", fcntl.LOCK_EX) as leave_gate,
            _locked(self.folder / "room", how),
        ):
            if not alone:
                leave_gate()
            yield


@contextmanager
def _locked(path: Path, how: int) -> Iterator[Callable[[], None]]:
    with path.open("w") as stream:
        fcntl.flock(stream, how)

        def leave() -> None:
            # a process forked by a test shares the file: closing it here would not free the lock
            fcntl.flock(stream, fcntl.LOCK_UN)

        try:
            yield leave
        finally:
            leave()
