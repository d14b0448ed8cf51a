"""A disk that is full, a workspace that cannot be written, a name that is too long: what the system says of it becomes
one sentence."""

from __future__ import annotations

import errno
import re

from core.errors import PrognoscopeError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_LONG = (errno.ENAMETOOLONG,)
_REFUSED = (errno.EROFS, errno.EACCES, errno.EPERM)
# libraries that write for us (SQLite, safetensors, Arrow) keep the number in their words
_FULL_WORDS = ("no space left on device", "disk is full", "disk quota exceeded", "file too large", "os error 28")
_SHORT = re.compile(r"\d+ requested and \d+ written")
"""NumPy, when a file takes fewer bytes than it was given."""
_REFUSED_WORDS = ("read-only file system", "readonly database", "permission denied", "os error 30", "os error 13")


def disk_trouble(error: BaseException) -> PrognoscopeError | None:
    """The sentence for a full disk or a refused write, also where it is the cause of ``error``; None for all else.

    No path is named: it may hold what must not be shown.
    """
    seen: BaseException | None = error
    while seen is not None:
        kind = _kind(seen)
        if kind == "full":
            return PrognoscopeError(
                "no room left on the disk", "the workspace",
                "free some space (the System page shows what takes how much) and try again; nothing was half-written",
            )  # fmt: skip
        if kind == "refused":
            return PrognoscopeError(
                "a workspace that cannot be written", "the folder or its file system",
                "make it writable for this user (it may be mounted read-only), or name another in "
                "PROGNOSCOPE_WORKSPACE; what is stored can still be read",
            )  # fmt: skip
        if kind == "long":
            return PrognoscopeError(
                "a name that is longer than the file system allows", "the command or form", "use a shorter one"
            )
        seen = seen.__cause__ or seen.__context__
    return None


def _kind(error: BaseException) -> str:
    if isinstance(error, PrognoscopeError):
        return ""
    if isinstance(error, OSError) and error.errno is not None:
        kinds = (("full", _FULL), ("refused", _REFUSED), ("long", _LONG))
        return next((kind for kind, numbers in kinds if error.errno in numbers), "")
    words = str(error).lower()
    if any(w in words for w in _FULL_WORDS) or _SHORT.search(words):
        return "full"
    return "refused" if any(w in words for w in _REFUSED_WORDS) else ""
