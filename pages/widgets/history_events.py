"""What happens without a choice being changed, for the history: a file was made."""

from __future__ import annotations

from collections.abc import Callable

from pages.widgets import state as page
from pages.widgets.history_words import exported


def told_when_made(words: str, make: Callable[[], str | bytes]) -> Callable[[], str | bytes]:
    """``make``, and a line in the history of this session when it was done.

    The server makes a file outside the session's script: the list it adds to is therefore taken hold of now.
    """
    waiting = page.events()

    def made() -> str | bytes:
        data = make()
        waiting.append(exported(words))
        return data

    return made
