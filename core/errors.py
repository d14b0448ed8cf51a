"""The one exception a user ever reads: what was found, where, and what to do."""

from __future__ import annotations

import unicodedata

LONGEST = 600
"""Letters of a part of a message: what was found may repeat what somebody typed or what a file holds."""


class PrognoscopeError(Exception):
    """A failure the user can act on.

    Parameters
    ----------
    found : str
        What was found, without a full stop ("3 patients have two different outcomes").
    where : str
        File, column or object it was found in. Never a patient's original identifier.
    fix : str
        What the user can do about it.
    """

    def __init__(self, found: str, where: str, fix: str) -> None:
        self.found, self.where, self.fix = (_readable(part) for part in (found, where, fix))
        super().__init__(f"{self.found} in {self.where}: {self.fix}.")

    def __reduce__(self) -> tuple[type[PrognoscopeError], tuple[str, str, str]]:
        """Rebuilt from its three parts, so that it also travels out of a worker process."""
        return type(self), (self.found, self.where, self.fix)

    def as_json(self) -> dict[str, str]:
        """The shape the command line prints with ``--json``."""
        return {"error": self.found, "where": self.where, "fix": self.fix}


def _readable(text: str) -> str:
    """One line that reads as it is written: signs that break or turn a line are spelled out, its rest is left away."""
    shown = text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
    if shown.isprintable():
        return shown
    return "".join(c if c.isprintable() or unicodedata.category(c) == "Zs" else ascii(c)[1:-1] for c in shown)
