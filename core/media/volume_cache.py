"""Volumes that were just read, kept while there is room: a page and its viewer ask for the same ones."""

from __future__ import annotations

import threading
from collections import OrderedDict
from pathlib import Path

from core.media.volumes import Volume, read_volume

ROOM_BYTES = 512 * 2**20


class VolumeCache:
    """The volumes read last, by path and time of change, until they take more than ``room`` bytes together."""

    def __init__(self, room: int = ROOM_BYTES) -> None:
        self._room = room
        self._kept: OrderedDict[tuple[str, int], Volume] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, path: str | Path) -> Volume:
        """:func:`core.media.volumes.read_volume`, or what it gave before; a changed file is read again."""
        key = (str(path), _changed(Path(path)))
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
                return found
        volume = read_volume(path)
        with self._lock:
            self._kept[key] = volume
            while len(self._kept) > 1 and sum(v.array.nbytes for v in self._kept.values()) > self._room:
                self._kept.popitem(last=False)
        return volume


def _changed(path: Path) -> int:
    """Time of the latest change; 0 for what is not there (reading it says so)."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


VOLUMES = VolumeCache()
"""The one of this process."""
