"""``python -m core.desktop SESSION``: the desktop viewer as a program of its own."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from core.desktop.screen import READY
from core.desktop.session import load_session
from core.desktop.window import open_session
from core.errors import PrognoscopeError


def main(words: list[str]) -> int:
    """Open one session; what went wrong is one sentence on standard error."""
    try:
        open_session(load_session(Path(words[0])), opened=_tell)
    except PrognoscopeError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _tell(windows: list[dict[str, Any]]) -> None:
    """For whoever started this: that the windows are there, and a line of JSON on what they show."""
    sys.stdout.write(f"{READY.decode()}\n{json.dumps({'process': os.getpid(), 'windows': windows})}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
