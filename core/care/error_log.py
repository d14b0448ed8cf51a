"""Unexpected failures: an id for the person, the full trace for the workspace's own log, nobody's name in either."""

from __future__ import annotations

import json
import logging
import os
import re
import secrets
import traceback
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from core.results.workspace import Workspace

FILE = "errors.jsonl"
KEPT_BYTES = 4 << 20
"""Beyond this the older half of the log is let go."""
HIDDEN = "[patient]"
_PSEUDONYM = re.compile(r"\b(?:P-[0-9A-HJKMNP-TV-Z]{8,}|SYN-\d{4,})\b")
_PATH = re.compile(r"(?:/[^\s'\"<>|:,;()\[\]{}]+){2,}/?")
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ErrorEntry:
    """One failure. ``id`` what the person was given · ``at`` UTC · ``where`` page or command · ``kind`` its class."""

    id: str
    at: str
    where: str
    kind: str
    trace: str


def note_error(error: BaseException, where: str, workspace: Workspace) -> str:
    """Write the trace into the log, readable by its owner only; returns the id. It never fails itself."""
    error_id = secrets.token_hex(4)
    logger.error("Error %s on %s (%s)", error_id, where, type(error).__name__)
    try:
        entry = ErrorEntry(error_id, _now(), where, type(error).__name__, _trace(error, workspace))
        _append(workspace.root / FILE, json.dumps(asdict(entry), ensure_ascii=False) + "\n")
    except OSError as unwritable:  # the disk may be what failed: the id then stands in the server's own log
        logger.error("Error %s could not be kept: %s", error_id, unwritable.strerror)
    return error_id


def latest_errors(workspace: Workspace, most: int = 20) -> tuple[ErrorEntry, ...]:
    """The last failures, the newest first."""
    path = workspace.root / FILE
    if not path.is_file():
        return ()
    found = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines()[::-1]:
        try:
            found.append(ErrorEntry(**json.loads(line)))
        except (ValueError, TypeError):  # a line that a crash cut off
            continue
        if len(found) == most:
            break
    return tuple(found)


def without_patients(text: str, workspace: Workspace) -> str:
    """The text without pseudonyms and original ids of the workspace, and without paths outside of the program."""
    text = _PSEUDONYM.sub(HIDDEN, text)
    for name in sorted(_known(workspace), key=len, reverse=True):
        if name in text:
            text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", HIDDEN, text)
    return text


def _trace(error: BaseException, workspace: Workspace) -> str:
    """Frames with file, line and function, as Python prints them; messages may quote values and are looked through."""
    parts = traceback.TracebackException.from_exception(error)
    text = without_patients("".join(parts.format()), workspace)
    root = str(Path(__file__).resolve().parents[2])
    return _PATH.sub(lambda m: _shown(m[0], root), text)


def _shown(path: str, root: str) -> str:
    """A path of the program below its own folder; of any other the last folder of a library, or nothing."""
    if path.startswith(root):
        return path[len(root) + 1 :]
    library = path.partition("site-packages/")[2] or path.partition("/lib/")[2]
    return library or "[path]"


def _known(workspace: Workspace) -> set[str]:
    """Every pseudonym and original id there is. Read only when something has failed."""
    names: set[str] = set()
    for path in workspace.cohorts.glob("*/patients.parquet"):
        try:
            names |= {str(i) for i in pd.read_parquet(path, columns=[]).index}
        except (OSError, ValueError):
            continue
    for path in workspace.protected.glob("*-ids.parquet"):
        try:
            names |= set(pd.read_parquet(path)["original"].astype(str))
        except (OSError, ValueError, KeyError):
            continue
    return {n for n in names if len(n) > 2}


def _append(path: Path, line: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_file() and path.stat().st_size > KEPT_BYTES:
        lines = path.read_bytes().splitlines(keepends=True)
        temporary = path.with_name(f".{secrets.token_hex(8)}.tmp")
        temporary.write_bytes(b"".join(lines[len(lines) // 2 :]))
        temporary.chmod(0o600)
        temporary.replace(path)
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(handle, line.encode())
    finally:
        os.close(handle)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
