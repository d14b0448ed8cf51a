"""What belongs to whom among the things Streamlit serves by an address alone.

A file under ``/media``, a place to upload to and a page's own session have unguessable addresses, which Streamlit
answers whoever asks. Each is told to the browser it is meant for, over that browser's socket: what was told to a login
is what this login may ask for, and nobody else.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from dataclasses import dataclass, field

MEDIA, UPLOAD = "/media/", "/_stcore/upload_file/"
_TOLD = re.compile(rb"(/media/|/_stcore/upload_file/)([A-Za-z0-9][A-Za-z0-9._/-]{7,199})")
_MOST = 20_000


@dataclass
class Belongings:
    """Addresses told to each login, by its session; the oldest are forgotten beyond 20 000."""

    _of: dict[str, OrderedDict[str, None]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def learn(self, owner: str, frame: bytes) -> None:
        """Note the addresses in a message on its way to the owner's browser."""
        if b"/media/" not in frame and b"/_stcore/upload_file/" not in frame:
            return
        for start, rest in _TOLD.findall(frame):
            self.add(owner, (start + rest).decode("ascii"))

    def add(self, owner: str, name: str) -> None:
        """From now on this is the owner's."""
        with self._lock:
            mine = self._of.setdefault(owner, OrderedDict())
            mine[name] = None
            mine.move_to_end(name)
            while len(mine) > _MOST:
                mine.popitem(last=False)

    def has(self, owner: str, name: str) -> bool:
        """Whether this was told to the owner."""
        with self._lock:
            return name in self._of.get(owner, ())

    def forget(self, owner: str) -> None:
        """The owner's session is over."""
        with self._lock:
            self._of.pop(owner, None)
