"""Which form a workspace is in, and bringing an older one up to date before anything else touches it.

Upgrading is stepwise: every step plans the files it replaces, and all of a step's files change places or none. What was
stopped between two of them is finished by whoever opens the workspace next.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import core
from core.care.maintenance import alone
from core.care.migrations import STEPS
from core.errors import PrognoscopeError
from core.results.files import read_json, write_bytes, write_json
from core.results.trouble import disk_trouble
from core.results.workspace import Workspace

FILE = "workspace.json"
STAGE, JOURNAL = ".upgrade", "journal.json"
CURRENT = len(STEPS)
"""The form this program writes; form 0 carries no stamp."""
_PARTS = ("cohorts", "runs", "features", "protected", "predictions", "boards", "jobs", "views")
_ready: dict[Path, int] = {}


def version_of(workspace: Workspace) -> int:
    """The form of a workspace; that of this program where nothing is kept yet.

    Raises
    ------
    PrognoscopeError
        When the stamp cannot be read.
    """
    path = workspace.root / FILE
    if not path.is_file():
        return 0 if any((workspace.root / part).is_dir() for part in _PARTS) else CURRENT
    try:
        return int(read_json(path)["version"])
    except (KeyError, TypeError, ValueError) as error:
        raise PrognoscopeError("an unreadable stamp of the workspace", FILE, "restore a backup") from error


def check_version(version: int, program: str = "") -> None:
    """Refuse what a newer program wrote."""
    if version > CURRENT:
        made = f", made by Prognoscope {program}" if program else ""
        raise PrognoscopeError(
            f"form {version} of a workspace{made}, newer than form {CURRENT} of this program ({core.__version__})",
            "the workspace", "use the newer program, or restore a backup that was made before the upgrade",
        )  # fmt: skip


def make_ready(workspace: Workspace) -> tuple[str, ...]:
    """See to it that this program may work with the workspace; what was upgraded, in words.

    Cheap when there is nothing to do: one look at the stamp.

    Raises
    ------
    PrognoscopeError
        For a workspace of a newer program.
    """
    path = workspace.root / FILE
    stamp = path.stat().st_mtime_ns if path.is_file() else 0
    if stamp and _ready.get(path) == stamp and not (workspace.root / STAGE).exists():
        return ()
    check_version(version_of(workspace), str(read_json(path).get("program", "")) if stamp else "")
    if (workspace.root / STAGE).exists() or not stamp or version_of(workspace) < CURRENT:
        if not workspace.root.is_dir() or (not stamp and version_of(workspace) == CURRENT):
            return ()
        done = _upgrade(workspace)
    else:
        done = ()
    _ready[path] = path.stat().st_mtime_ns if path.is_file() else 0
    return done


def _upgrade(workspace: Workspace) -> tuple[str, ...]:
    """Finish a step that was stopped, then do those that are missing."""
    try:
        with alone(workspace, "try again", patience=60.0):
            finish_step(workspace)
            done = []
            for number, step in enumerate(STEPS, start=1):
                if version_of(workspace) >= number:
                    continue
                changes = step.plan(workspace)
                _commit(changes, number, workspace)
                done += [step.words] if changes else []
            return tuple(done)
    except OSError as error:
        trouble = disk_trouble(error)
        if trouble is None:
            raise
        if any(step.plan(workspace) for step in STEPS[version_of(workspace) :]):
            raise trouble from error
        return ()  # it cannot be written, and is in a form that can be read


def _commit(changes: Mapping[Path, bytes], version: int, workspace: Workspace) -> None:
    stage = workspace.root / STAGE
    stage.mkdir(mode=0o700)
    moves = {}
    for number, (target, content) in enumerate(changes.items()):
        write_bytes(stage / f"{number}.new", content)
        (stage / f"{number}.new").chmod(target.stat().st_mode & 0o777)
        moves[f"{number}.new"] = target.relative_to(workspace.root).as_posix()
    write_json(stage / JOURNAL, {"version": version, "moves": moves})
    finish_step(workspace)


def finish_step(workspace: Workspace) -> None:
    """Carry a step with a journal to its end; one without never began and is forgotten."""
    stage = workspace.root / STAGE
    if not stage.is_dir():
        return
    if (stage / JOURNAL).is_file():
        journal = read_json(stage / JOURNAL)
        for name, target in journal["moves"].items():
            if (stage / name).is_file():
                (stage / name).replace(workspace.root / target)
        write_stamp(int(journal["version"]), workspace)
    shutil.rmtree(stage)


def write_stamp(version: int, workspace: Workspace) -> None:
    """Say which form the workspace is in."""
    write_json(workspace.root / FILE, {"version": version, "program": core.__version__})
