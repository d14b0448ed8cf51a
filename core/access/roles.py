"""What each role may do: one table, read by the pages that hide and by the core that refuses."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Permission(StrEnum):
    """A kind of thing that somebody does."""

    READ = "read"
    """Look at cohorts, runs, patients and stored results that the grants name."""
    NOTE = "note"
    """Make and change board lists and what is noted on them."""
    EXPLAIN = "explain"
    """Let explanations, audits and estimates be computed."""
    SCORE = "score"
    """Have a new patient estimated."""
    EXPORT = "export"
    """Take anything out: figures, tables, reports, bundles."""
    IMPORT = "import"
    TRAIN = "train"
    DELETE = "delete"
    GRANT = "grant"
    """Say who may do what."""
    AUDIT = "audit"
    """Read the audit log."""
    OPERATE = "operate"
    """Back up, restore, benches: everything that has no permission of its own."""


class Role(StrEnum):
    """What a person is in this workspace. ``NOBODY`` is who has no grant."""

    NOBODY = "nobody"
    VIEWER = "viewer"
    RESEARCHER = "researcher"
    ADMIN = "admin"


_VIEWER = frozenset({Permission.READ})
_RESEARCHER = _VIEWER | {
    Permission.NOTE, Permission.EXPLAIN, Permission.SCORE, Permission.EXPORT, Permission.IMPORT, Permission.TRAIN,
}  # fmt: skip

MAY: Mapping[Role, frozenset[Permission]] = {
    Role.NOBODY: frozenset(),
    Role.VIEWER: _VIEWER,
    Role.RESEARCHER: _RESEARCHER,
    Role.ADMIN: frozenset(Permission),
}

TASK_NEEDS: Mapping[str, Permission] = {
    "import": Permission.IMPORT,
    "encode": Permission.TRAIN,
    "complete-sample": Permission.IMPORT,
    "prepare-sample": Permission.IMPORT,
    "train": Permission.TRAIN,
    "predict": Permission.EXPLAIN,
    "score-new": Permission.SCORE,
    "audit": Permission.EXPLAIN,
    "explain": Permission.EXPLAIN,
    "explain-cohort": Permission.EXPLAIN,
    "routing": Permission.EXPLAIN,
    "image-means": Permission.EXPLAIN,
}
"""Task of the queue → what submitting it needs. A task that is not named needs :attr:`Permission.OPERATE`."""


def needed_for(task: str) -> Permission:
    """What submitting a task needs."""
    return TASK_NEEDS.get(task, Permission.OPERATE)
