"""Stable pseudonyms: the same patient in the same workspace always has the same one."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import uuid
from collections.abc import Iterable
from pathlib import Path

from core.errors import PrognoscopeError
from core.results.workspace import Workspace

KEY_FILE = "pseudonym.key"
LENGTH = 8
# No I, L, O, U: they are misread as 1, 1, 0 and V when a pseudonym is read aloud or typed.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def protected_folder(workspace: Workspace) -> Path:
    """The folder for secrets and original ids, readable by its owner only; made when it is missing."""
    workspace.protected.mkdir(parents=True, exist_ok=True, mode=0o700)
    workspace.protected.chmod(0o700)
    return workspace.protected


def workspace_secret(workspace: Workspace) -> bytes:
    """The workspace's 32 secret bytes, made on first use and never written anywhere else."""
    path = protected_folder(workspace) / KEY_FILE
    if not path.is_file():
        _make_secret(path)
    secret = path.read_bytes()
    if len(secret) != 32:
        raise PrognoscopeError(
            "a damaged pseudonym secret", KEY_FILE, "restore it from a backup or start a new workspace"
        )
    return secret


def _make_secret(path: Path) -> None:
    """Written aside and then given its name: it appears whole, and of two processes that start at once one makes it."""
    temporary = path.with_name(f".{uuid.uuid4().hex}.tmp")
    try:
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
            stream.write(secrets.token_bytes(32))
            stream.flush()
            os.fsync(stream.fileno())
        os.link(temporary, path)
    except FileExistsError:  # the other process was first
        return
    finally:
        temporary.unlink(missing_ok=True)


def known_secret(workspace: Workspace) -> bytes | None:
    """The workspace's secret where there is one already; nothing is made, not even the folder."""
    return workspace_secret(workspace) if (workspace.protected / KEY_FILE).is_file() else None


def pseudonyms(ids: Iterable[str], secret: bytes, length: int = LENGTH) -> dict[str, str]:
    """One pseudonym for each distinct original id.

    HMAC-SHA-256 of the id under the workspace's secret, the first ``length`` × 5 bits in base 32. Two ids of
    one cohort that agree in all of them (1 chance in 5 000 for 20 000 patients at length 8) both get as many
    more characters as it takes to tell them apart, whatever order they come in.

    Parameters
    ----------
    ids : iterable of str
        Original ids; repeats are allowed.
    secret : bytes
        From :func:`workspace_secret`.
    length : int
        Characters after ``P-``.

    Returns
    -------
    dict of original id to pseudonym
    """
    codes = {i: _encode(hmac.new(secret, i.encode(), hashlib.sha256).digest()) for i in dict.fromkeys(ids)}
    found: dict[str, str] = {}
    pending = list(codes)
    while pending:
        groups: dict[str, list[str]] = {}
        for original in pending:
            groups.setdefault(codes[original][:length], []).append(original)
        found |= {members[0]: f"P-{short}" for short, members in groups.items() if len(members) == 1}
        pending = [i for members in groups.values() if len(members) > 1 for i in members]
        length += 1
    return found


def _encode(digest: bytes) -> str:
    number = int.from_bytes(digest, "big") << 4  # 256 bits + 4 = 52 characters of 5 bits
    return "".join(_ALPHABET[(number >> shift) & 31] for shift in range(255, -1, -5))
