"""A tumour board's list: patients, their order, the protocol it rests on; and what the board noted of each.

What is noted is exported with the list and never fed to a model.
"""

from __future__ import annotations

import fcntl
import re
import secrets
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from core.errors import PrognoscopeError
from core.results.files import read_json, write_json
from core.results.workspace import Workspace, checked_name

LONGEST_NAME, LONGEST_NOTE = 200, 4000
MOST_PATIENTS = 200
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]")


class Verdict(StrEnum):
    """Whether the board finds the estimate in line with its own view."""

    AGREE = "agree"
    DISAGREE = "disagree"
    UNSURE = "unsure"


@dataclass(frozen=True)
class Board:
    """A list. ``protocol`` reference of the approval it rests on, printed on everything · ``patients`` pseudonyms in
    the order in which they are discussed · ``run`` whose estimates are shown at ``month``."""

    id: str
    name: str
    protocol: str
    cohort: str
    run: str
    month: float
    created_at: str
    patients: tuple[str, ...] = ()


@dataclass(frozen=True)
class Opinion:
    """What the board noted of a patient at a time (UTC); the last one counts, earlier ones are kept."""

    patient: str
    verdict: Verdict
    note: str
    at: str


def new_board(name: str, protocol: str, cohort: str, run: str, month: float, workspace: Workspace) -> Board:
    """Make an empty list; raises without a name or a protocol reference."""
    title, reference = (_line(t) for t in (name, protocol))
    if not title or not reference:
        raise PrognoscopeError(
            "no name" if not title else "no protocol reference", "the new board",
            "write a name, and the number or title of the protocol or approval the board rests on",
        )  # fmt: skip
    found = Board(
        f"board-{secrets.token_hex(5)}", title, reference, checked_name(cohort), checked_name(run), float(month), _now()
    )
    folder = workspace.boards / found.id
    folder.mkdir(parents=True, mode=0o700)
    write_json(folder / "board.json", asdict(found))
    return found


def load_board(board_id: str, workspace: Workspace) -> Board:
    """A stored list; raises when there is none."""
    path = _folder(board_id, workspace) / "board.json"
    try:
        value = read_json(path)
        return Board(**{**value, "month": float(value["month"]), "patients": tuple(map(str, value["patients"]))})
    except (TypeError, KeyError, ValueError) as error:
        raise PrognoscopeError("an unreadable board", board_id, "delete it and make it again") from error


def list_boards(workspace: Workspace, cohort: str | None = None) -> tuple[Board, ...]:
    """All lists, or those of a cohort, the newest first."""
    if not workspace.boards.is_dir():
        return ()
    names = sorted(p.parent.name for p in workspace.boards.glob("*/board.json"))
    found = [load_board(name, workspace) for name in names]
    kept = [b for b in found if cohort is None or b.cohort == cohort]
    return tuple(sorted(kept, key=lambda b: (b.created_at, b.id), reverse=True))


def add_patients(board_id: str, patients: Sequence[str], workspace: Workspace) -> Board:
    """Put patients at the end of the list; those on it already stay where they are."""
    with _changing(board_id, workspace):
        board = load_board(board_id, workspace)
        joined = tuple(dict.fromkeys((*board.patients, *patients)))
        if len(joined) > MOST_PATIENTS:
            raise PrognoscopeError(
                f"{len(joined)} patients", f"board {board.name!r}", f"keep to {MOST_PATIENTS}, or make a second board"
            )
        return _store(replace(board, patients=joined), workspace)


def order_patients(board_id: str, patients: Sequence[str], workspace: Workspace) -> Board:
    """Put the list into this order; patients left out of it are taken off, what was noted of them stays stored."""
    with _changing(board_id, workspace):
        board = load_board(board_id, workspace)
        kept = tuple(dict.fromkeys(p for p in patients if p in set(board.patients)))
        return _store(replace(board, patients=kept), workspace)


def moved(patients: Sequence[str], patient: str, by: int) -> tuple[str, ...]:
    """The order after one patient moved up (negative) or down, stopping at the ends."""
    rest = [p for p in patients if p != patient]
    place = min(max(0, list(patients).index(patient) + by), len(rest))
    return (*rest[:place], patient, *rest[place:])


def delete_board(board_id: str, workspace: Workspace) -> None:
    """Remove a list with everything noted on it."""
    folder = _folder(board_id, workspace)
    aside = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.old")
    folder.replace(aside)
    shutil.rmtree(aside)


def note_opinion(board_id: str, patient: str, verdict: Verdict, note: str, workspace: Workspace) -> Opinion:
    """Keep what the board says of a patient. The text is stored, never logged."""
    board = load_board(board_id, workspace)
    if patient not in board.patients:
        raise PrognoscopeError("a patient who is not on the list", f"board {board.name!r}", "add the patient first")
    if len(note) > LONGEST_NOTE:
        raise PrognoscopeError(f"a note of {len(note):,} signs", "the board's note", f"keep to {LONGEST_NOTE:,}")
    found = Opinion(patient, Verdict(verdict), _CONTROL.sub("", note).strip(), _now())
    name = f"{found.at.replace(':', '').replace('.', '')}-{secrets.token_hex(4)}.json"
    write_json(_folder(board_id, workspace) / "opinions" / name, asdict(found))
    return found


def opinions_of(board_id: str, workspace: Workspace) -> tuple[Opinion, ...]:
    """Everything noted, the oldest first."""
    folder = _folder(board_id, workspace) / "opinions"
    values = [read_json(p) for p in sorted(folder.glob("*.json")) if not p.name.startswith(".")]
    found = [Opinion(v["patient"], Verdict(v["verdict"]), v["note"], v["at"]) for v in values]
    return tuple(sorted(found, key=lambda o: o.at))


def latest(opinions: Sequence[Opinion], patient: str) -> Opinion | None:
    """The last thing noted of a patient, or None."""
    return next((o for o in reversed(opinions) if o.patient == patient), None)


def frozen_folder(board_id: str, workspace: Workspace) -> Path:
    """Where the frozen pages of a board lie."""
    return _folder(board_id, workspace) / "frozen"


def _folder(board_id: str, workspace: Workspace) -> Path:
    folder = workspace.boards / checked_name(board_id, "id of a board")
    if not (folder / "board.json").is_file():
        raise PrognoscopeError("no such board (any more)", "the workspace", "choose another one")
    return folder


def _store(board: Board, workspace: Workspace) -> Board:
    write_json(_folder(board.id, workspace) / "board.json", asdict(board))
    return board


@contextmanager
def _changing(board_id: str, workspace: Workspace) -> Iterator[None]:
    """One change at a time, also from two browsers."""
    with (_folder(board_id, workspace) / ".lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _line(text: str) -> str:
    return " ".join(_CONTROL.sub("", text).split())[:LONGEST_NAME]


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")
