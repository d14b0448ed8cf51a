"""Which backups were made of a workspace, and which of them still hold somebody who was erased."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import pyarrow.parquet as pq

from core.care.archive import OPEN, Contents, reading_archive
from core.care.needles import Needles
from core.errors import PrognoscopeError
from core.results.files import read_json, write_json
from core.results.workspace import Workspace

FILE = "backups.json"


@dataclass(frozen=True)
class Backup:
    """A backup that was made. ``path`` where it was written · ``cohorts`` name → content hash at that time."""

    path: str
    made_at: str
    bytes: int
    sha256: str
    seal: str
    cohorts: dict[str, str]

    @property
    def name(self) -> str:
        """The file's name alone."""
        return Path(self.path).name

    @property
    def there(self) -> bool:
        """Whether it still lies where it was written."""
        return Path(self.path).is_file()


def remember(path: Path, size: int, sha256: str, contents: Contents, workspace: Workspace) -> None:
    """Add a backup to the list."""
    made = Backup(str(path.absolute()), contents.made_at, size, sha256, contents.seal, dict(contents.cohorts))
    known = [b for b in list_backups(workspace) if b.path != made.path]
    target = workspace.root / FILE
    write_json(target, [asdict(b) for b in (*reversed(known), made)])
    target.chmod(0o600)


def list_backups(workspace: Workspace) -> tuple[Backup, ...]:
    """Every backup that was made of this workspace, the latest first."""
    path = workspace.root / FILE
    return tuple(Backup(**v) for v in read_json(path))[::-1] if path.is_file() else ()


def holding(needles: Needles, cohorts: Iterable[str], workspace: Workspace) -> tuple[tuple[Backup, bool], ...]:
    """Backups that hold one of the names among their cohorts' patients, the latest first.

    The second value is True where that was looked up in the file, False where the file is not at its place any more and
    the backup was made while one of ``cohorts`` was in the workspace.
    """
    wanted, found = set(cohorts), []
    for made in list_backups(workspace):
        if not made.there:
            if wanted & set(made.cohorts):
                found.append((made, False))
            continue
        try:
            held = _holds(Path(made.path), needles)
        except PrognoscopeError:
            found.append((made, False))  # damaged: nobody can say
            continue
        if held:
            found.append((made, True))
    return tuple(found)


def _holds(path: Path, needles: Needles) -> bool:
    with reading_archive(path) as (archive, contents):
        for name in contents.files:
            parts = name.split("/")
            if len(parts) == 3 and parts[0] == "cohorts" and parts[2] == "patients.parquet":
                table = pq.read_table(io.BytesIO(archive.read(OPEN + name)), columns=["patient"])
                if needles.among(str(v) for v in table.column(0).to_pylist()):
                    return True
    return False
