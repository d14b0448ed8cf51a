"""The one folder that holds everything Prognoscope keeps."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from core.errors import PrognoscopeError

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


def checked_name(name: str, what: str = "name") -> str:
    """``name`` itself when it is safe as a folder name; raises otherwise."""
    if not _NAME.fullmatch(name):
        raise PrognoscopeError(
            f"the {what} {name!r} cannot be used", "the command or form", "use lower-case letters, digits, - and _"
        )
    return name


@dataclass(frozen=True)
class Workspace:
    """Paths inside the workspace folder. ``protected`` holds the map from pseudonyms to original ids."""

    root: Path

    @classmethod
    def default(cls) -> Workspace:
        """``$PROGNOSCOPE_WORKSPACE``, or ``./workspace``."""
        return cls(Path(os.environ.get("PROGNOSCOPE_WORKSPACE", "workspace")).resolve())

    @property
    def cohorts(self) -> Path:
        return self.root / "cohorts"

    @property
    def runs(self) -> Path:
        return self.root / "runs"

    @property
    def views(self) -> Path:
        return self.root / "views"

    @property
    def cells(self) -> Path:
        """Cached results of single benchmark cells."""
        return self.root / "cells"

    @property
    def predictions(self) -> Path:
        """Estimates of patients that a run was not trained on."""
        return self.root / "predictions"

    @property
    def features(self) -> Path:
        """Encoded slides, scans and reports, and the record of each cohort."""
        return self.root / "features"

    @property
    def audits(self) -> Path:
        return self.root / "audits"

    @property
    def explanations(self) -> Path:
        """What explains single estimates, a folder a run."""
        return self.root / "explanations"

    @property
    def boards(self) -> Path:
        """Lists of patients for a tumour board with what was noted there."""
        return self.root / "boards"

    @property
    def protected(self) -> Path:
        return self.root / "protected"

    @property
    def media(self) -> Path:
        """Slides, scans and reports that were unpacked from an archive or made here, a folder a cohort."""
        return self.root / "media"

    def cohort(self, name: str) -> Path:
        return self.cohorts / checked_name(name, "cohort name")

    def media_of(self, name: str) -> Path:
        return self.media / checked_name(name, "cohort name")

    def run(self, run_id: str) -> Path:
        return self.runs / checked_name(run_id, "run id")

    def prediction(self, set_id: str) -> Path:
        return self.predictions / checked_name(set_id, "id of a set of estimates")

    def names(self, folder: Path) -> tuple[str, ...]:
        """Names of the finished items in ``cohorts`` or ``runs``, oldest first."""
        if not folder.is_dir():
            return ()
        found = [p for p in folder.iterdir() if p.is_dir() and not p.name.startswith(".")]
        return tuple(p.name for p in sorted(found, key=lambda p: (p.stat().st_mtime, p.name)))
