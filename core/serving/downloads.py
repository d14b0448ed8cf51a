"""Which cohort, run and patient a file is about that a page offers for download: the record of its fetching says so."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

_MOST = 5_000


@dataclass(frozen=True)
class About:
    """Names and a pseudonym; empty where a file is about none."""

    cohort: str = ""
    run: str = ""
    patient: str = ""


_announced: OrderedDict[tuple[str, str], About] = OrderedDict()
_lock = threading.Lock()


def announce(user: str, file: str, about: About) -> None:
    """A page of ``user`` offers a file of this name."""
    with _lock:
        _announced[user, file] = about
        _announced.move_to_end((user, file))
        while len(_announced) > _MOST:
            _announced.popitem(last=False)


def announced(user: str, file: str) -> About:
    """What was said of it; nothing where nothing was said."""
    with _lock:
        return _announced.get((user, file), About())
