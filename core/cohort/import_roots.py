"""Where on this machine a study may be imported from: the workspace's ``incoming`` folder and the configured roots.

``PROGNOSCOPE_IMPORT_ROOTS`` names further folders, separated by colons. A page can read nothing outside of them,
and nothing that a link leads to.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from core.errors import PrognoscopeError
from core.results.workspace import Workspace

VARIABLE = "PROGNOSCOPE_IMPORT_ROOTS"
INCOMING = "incoming"
LISTED = 200
"""Entries of a root that are offered; a path may still be typed."""


def import_roots(workspace: Workspace) -> tuple[Path, ...]:
    """The folders studies may be imported from, those that exist, without repeats; ``incoming`` first."""
    named = [Path(part) for part in os.environ.get(VARIABLE, "").split(":") if part.strip()]
    wanted = [workspace.root / INCOMING, *(p for p in named if p.is_absolute())]
    return tuple(dict.fromkeys(p.resolve() for p in wanted if p.is_dir()))


def offered(workspace: Workspace) -> tuple[str, ...]:
    """What lies directly in the roots, as full paths: folders and files that are no links."""
    found: list[str] = []
    for root in import_roots(workspace):
        entries = sorted(p for p in root.iterdir() if not p.name.startswith(".") and not p.is_symlink())
        found += [str(p) for p in entries if p.is_dir() or p.is_file()]
    return tuple(found[:LISTED])


def path_inside_roots(text: str, workspace: Workspace) -> Path:
    """The path a user named, when it lies inside a root and no link is on the way to it or anywhere in it.

    Parameters
    ----------
    text : str
        A full path, or one below a root.

    Raises
    ------
    PrognoscopeError
        When it is outside every root, does not exist, or is or holds a link. The error does not say whether a path
        outside the roots exists.
    """
    roots = import_roots(workspace)
    named = Path(text.strip())
    for root in roots:
        # without ".." and before any link is followed: what is typed must itself lie below the root
        candidate = Path(os.path.normpath(root / named))
        if candidate != root and root not in candidate.parents:
            continue
        if not candidate.exists() and not candidate.is_symlink():
            continue
        if any(p.is_symlink() for p in _from(root, candidate)):
            raise PrognoscopeError("a link instead of a folder", "the import folder", "put the study itself there")
        if any(p.is_symlink() for p in _all_in(candidate)):
            raise PrognoscopeError(
                "a link to another place inside the folder", candidate.name, "replace the link by the file itself"
            )
        return candidate
    raise PrognoscopeError(
        "no such study in a folder that may be imported from", "the path given", "choose one of those listed"
    )


def _from(root: Path, path: Path) -> Iterator[Path]:
    """The path and every folder on the way to it below the root."""
    yield path
    for parent in path.parents:
        if parent == root:
            return
        yield parent


def _all_in(folder: Path) -> Iterator[Path]:
    """Every file and folder below a folder; links are not followed."""
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            yield Path(place) / name
