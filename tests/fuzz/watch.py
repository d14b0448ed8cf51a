"""Sees every file that Python opens for writing, renames or removes outside one folder."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import TracebackType

_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_ONE = ("os.remove", "os.rmdir", "os.mkdir", "os.truncate", "os.chmod", "os.chown", "os.utime", "shutil.rmtree")
_TWO = ("os.rename", "os.link", "os.symlink", "shutil.copyfile", "shutil.move")
_ALLOWED = ("/dev/", "/proc/", *(str(Path.home() / place / "matplotlib") for place in (".config", ".cache")))
"""Devices; and the folders that matplotlib makes when a library imports it."""
_active: list[Watch] = []


class Watch:
    """``outside`` are the changes of files that do not lie in ``folder``, as (what, path)."""

    def __init__(self, folder: Path) -> None:
        self.folder = os.path.realpath(folder) + os.sep
        self.outside: list[tuple[str, str]] = []

    def __enter__(self) -> Watch:
        if not _hooked:
            sys.addaudithook(_seen)
            _hooked.append(True)
        _active.append(self)
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        _active.remove(self)

    def note(self, event: str, path: object) -> None:
        if isinstance(path, bytes):
            path = os.fsdecode(path)
        if not isinstance(path, str | os.PathLike):
            return  # a number of an open file: it was seen when it was opened
        name = os.path.realpath(os.fspath(path))
        own = name.endswith(".pyc") or "__pycache__" in name or ".hypothesis" in name
        if not (name + os.sep).startswith(self.folder) and not name.startswith(_ALLOWED) and not own:
            self.outside.append((event, name))


_hooked: list[bool] = []


def _seen(event: str, arguments: tuple[object, ...]) -> None:
    if not _active:
        return
    watch = _active[-1]
    if event == "open":
        path, _, flags = arguments
        if isinstance(flags, int) and flags & _WRITES:
            watch.note(event, path)
    elif event in _ONE:
        if not (event in ("os.remove", "os.rmdir", "os.mkdir", "os.chmod") and _relative(arguments)):
            watch.note(event, arguments[0])
    elif event in _TWO:
        watch.note(event, arguments[1])
        if event == "os.rename":
            watch.note(event, arguments[0])


def _relative(arguments: tuple[object, ...]) -> bool:
    """Within a folder that was opened before, as ``rmtree`` removes: the folder itself was seen."""
    inside = len(arguments) > 1 and isinstance(arguments[-1], int) and arguments[-1] >= 0
    return inside and not Path(os.fsdecode(arguments[0])).is_absolute()  # type: ignore[arg-type]
