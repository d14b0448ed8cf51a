"""A lock that a process holds for as long as it lives: the system lets go of it even when the process is killed."""

from __future__ import annotations

import fcntl
import time
from pathlib import Path
from typing import TextIO


class ProcessLock:
    """An exclusive lock on a file. Child processes do not inherit it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stream: TextIO | None = None

    def take(self, patience: float = 0.0) -> bool:
        """Take the lock, trying for ``patience`` seconds; False when another process keeps it."""
        end = time.monotonic() + patience
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        stream = self.path.open("a")
        while True:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= end:
                    stream.close()
                    return False
                time.sleep(0.05)
            else:
                self._stream = stream
                return True

    def release(self) -> None:
        """Let go."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None


def is_held(path: Path) -> bool:
    """Whether some process holds the lock. Asking takes it for a moment, so whoever wants it tries more than once."""
    if not path.is_file():
        return False
    lock = ProcessLock(path)
    if not lock.take():
        return True
    lock.release()
    return False
