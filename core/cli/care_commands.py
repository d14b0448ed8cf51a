"""``backup``, ``restore``, ``erase`` and ``upgrade``: the care of a workspace."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

from core.access.audit_entry import Action
from core.access.record import record
from core.care.backup import How, backup
from core.care.backup_list import holding
from core.care.erasure import ask_to_erase, erase, erasure_plan, unfinished_erasures, verify_erased
from core.care.needles import ErasedNames, KnownNames
from core.care.own_backups import PASSPHRASE
from core.care.person import find_person
from core.care.restore import Opening, restore
from core.care.search import Found, Searched
from core.care.version import CURRENT, make_ready
from core.cli.output import Answer, ProgressBar
from core.cli.paths import user_path
from core.cohort.tombstones import load_tombstones, tombstone_key
from core.cohort.wording import plural
from core.errors import PrognoscopeError
from core.results.erasures import load_erasures
from core.results.workspace import Workspace


def add_commands(commands: Any) -> None:
    """Register the commands of this file."""
    made = commands.add_parser("backup", help="everything the workspace keeps in one checked file; the app may run")
    made.add_argument("file", type=user_path, metavar="FILE", help="a new file, e.g. prognoscope-2026-11-21.zip")
    _passphrase(made, "encrypt the protected part with the words in FILE instead of a new key")
    made.add_argument("--plain-protected", action="store_true", help="keep the protected part readable")
    made.add_argument("--without-protected", action="store_true", help="leave original ids, secret and media out")
    made.set_defaults(run=run_backup)
    back = commands.add_parser("restore", help="a workspace from a backup")
    back.add_argument("file", type=user_path, metavar="FILE")
    back.add_argument("workspace", type=user_path, metavar="WORKSPACE", help="a new or empty folder")
    back.add_argument("--key", type=user_path, metavar="FILE", help="the key file; FILE.key beside it when left out")
    _passphrase(back, "the words the backup was encrypted with")
    back.add_argument("--without-protected", action="store_true", help="restore what needs no key")
    back.set_defaults(run=run_restore)
    gone = commands.add_parser("erase", help="remove a patient on withdrawal of consent, and prove it")
    gone.add_argument("cohort", nargs="?", metavar="COHORT")
    gone.add_argument("patient", nargs="?", metavar="PATIENT", help="pseudonym or original id")
    gone.add_argument("--plan", action="store_true", help="say what would go, change nothing")
    gone.add_argument("--verify", action="store_true", help="search every file for all who were erased")
    gone.add_argument("--also", action="append", default=[], metavar="TEXT", help="with --verify: look for it as well")
    gone.add_argument("--yes", action="store_true", help="do not ask")
    gone.set_defaults(run=run_erase)
    commands.add_parser("upgrade", help="bring an older workspace up to date (every start does)").set_defaults(
        run=run_upgrade
    )


def _passphrase(parser: argparse.ArgumentParser, words: str) -> None:
    parser.add_argument("--passphrase-file", type=user_path, metavar="FILE", help=f"{words} (or ${PASSPHRASE})")


def _words(args: argparse.Namespace) -> str:
    if args.passphrase_file is None:
        return os.environ.get(PASSPHRASE, "")
    try:
        return str(args.passphrase_file.read_text(encoding="utf-8").strip())
    except (OSError, UnicodeDecodeError) as error:
        raise PrognoscopeError("a passphrase that cannot be read", "--passphrase-file", "check the path") from error


def run_backup(args: argparse.Namespace, workspace: Workspace) -> Answer:
    """Make a backup and check it."""
    asked = args.plain_protected or args.without_protected
    how = How("" if asked and args.passphrase_file is None else _words(args), args.plain_protected,
              args.without_protected)  # fmt: skip
    made = backup(args.file, workspace, how, ProgressBar())
    facts = made.contents
    lines = [
        f"{made.path}: {made.bytes / 1e6:,.1f} MB, {len(facts.files) + len(facts.sealed):,} files, every byte checked",
        f"  SHA-256 {made.sha256}",
        *(f"  not in it: {words} ({plural(files, 'file')})" for words, files, _ in facts.left_out),
    ]
    if facts.outside:
        lines.append(f"  listed, not copied: {plural(facts.outside, 'file')} of media outside the workspace")
    lines += [f"  altered before it was copied: {path}" for path in made.altered]
    lines += _about_key(facts.seal, made.key)
    answer = {
        "backup": str(made.path), "bytes": made.bytes, "sha256": made.sha256, "made_at": facts.made_at,
        "files": len(facts.files) + len(facts.sealed), "protected": facts.seal,
        "key": None if made.key is None else str(made.key), "outside": facts.outside, "altered": list(made.altered),
        "left_out": [{"what": w, "files": f, "bytes": b} for w, f, b in facts.left_out],
    }  # fmt: skip
    return Answer(answer, lines)


def _about_key(seal: str, key: Path | None) -> list[str]:
    if key is not None:
        return [f"  the protected part opens with {key.name} alone: keep it apart from the backup"]
    return {
        "plain": ["  the protected part is readable: who has this file has the original ids"],
        "left out": ["  without original ids, secret and media: patients imported again get other pseudonyms"],
        "passphrase": ["  the protected part opens with your passphrase alone"],
    }[seal]


def run_restore(args: argparse.Namespace, workspace: Workspace) -> Answer:
    """Restore into a new folder."""
    opening = Opening(args.key, _words(args), args.without_protected)
    done = restore(args.file, args.workspace, opening, ProgressBar())
    record(Action.RESTORE, Workspace(args.workspace.resolve()), detail="restore")
    lines = [
        f"{args.workspace}: {done.files:,} files of {done.contents.made_at[:16].replace('T', ' ')} UTC, all checked",
        *([f"  {plural(done.closed, 'job')} had not finished then and are closed"] if done.closed else []),
        *(f"  brought up to date: {words}" for words in done.upgraded),
        f"  open it: PROGNOSCOPE_WORKSPACE={args.workspace} ./run app",
    ]
    answer = {
        "workspace": str(args.workspace), "files": done.files, "made_at": done.contents.made_at,
        "closed_jobs": done.closed, "upgraded": list(done.upgraded), "cohorts": dict(done.contents.cohorts),
    }  # fmt: skip
    return Answer(answer, lines)


def run_upgrade(args: argparse.Namespace, workspace: Workspace) -> Answer:
    """Upgrade, and say what was done."""
    done = make_ready(workspace)
    lines = [*(f"brought up to date: {words}" for words in done), f"The workspace is in form {CURRENT}."]
    return Answer({"version": CURRENT, "upgraded": list(done)}, lines)


def run_erase(args: argparse.Namespace, workspace: Workspace) -> Answer:
    """Plan, erase or verify."""
    if args.verify:
        return _verify(args, workspace)
    unfinished = unfinished_erasures(workspace)
    if args.cohort is None and unfinished:
        return _erase(unfinished[0], None, workspace)
    if not args.cohort or not args.patient:
        raise PrognoscopeError("no patient", "the command", "./run cli erase COHORT PATIENT, or --verify")
    plan = erasure_plan(args.cohort, args.patient, workspace)
    lines = ["This goes for good:", *(f"  - {w}" for w in plan.goes), "This stays:", *(f"  - {w}" for w in plan.stays)]
    if args.plan:
        facts = {"cohorts": list(plan.cohorts), "goes": list(plan.goes), "stays": list(plan.stays)}
        return Answer({**facts, "runs": list(plan.runs)}, lines)
    if sys.stdin.isatty() and not args.yes:
        print("\n".join(lines), file=sys.stderr)
        if input("Type the name of the cohort to erase the patient: ").strip() != args.cohort:
            raise PrognoscopeError("another answer", "the question", "nothing was changed; ask again")
    names = KnownNames(find_person(args.cohort, args.patient, workspace).names)
    held = holding(names, plan.cohorts, workspace)
    answer = _erase(ask_to_erase(args.cohort, args.patient, workspace), names, workspace)
    backups = [{"file": made.path, "certain": sure} for made, sure in held]
    return Answer({**answer.json, "backups": backups}, [*answer.lines, *_backup_lines(held)])


def _erase(request: str, names: KnownNames | None, workspace: Workspace) -> Answer:
    left = erase(request, workspace, ProgressBar())
    done = next(e for e in load_erasures(workspace) if e.id == request)
    for cohort in done.cohorts:
        record(Action.ERASE, workspace, cohort=cohort.cohort, count=1, detail="erase")
    lines = [
        f"Erased from {', '.join(c.cohort for c in done.cohorts)}; searched {left.files:,} files "
        f"({left.bytes / 1e6:,.0f} MB).",
        *([f"Flagged, since trained with the patient: {', '.join(done.runs)}"] if done.runs else []),
        *_left_lines(left, names),
    ]
    answer = {
        "erased": True, "at": done.at, "runs": list(done.runs), "cohorts": [vars(c) for c in done.cohorts],
        "files": left.files, "left": [_place(f, names) for f in left.found], "unread": list(left.unread),
        "audit_log": len(left.recorded),
    }  # fmt: skip
    return Answer(answer, lines)


def _left_lines(left: Searched, names: KnownNames | None) -> list[str]:
    lines = [f"Still named in {_place(f, names)}: files of your own are not changed, remove it yourself"
             for f in left.found]  # fmt: skip
    lines += [f"Could not be looked into: {name}" for name in left.unread]
    if left.recorded:
        lines.append("The audit log keeps the pseudonym, which nobody can be told from any more.")
    return lines or ["Neither the pseudonym nor the original id is left in any file."]


def _place(found: Found, names: KnownNames | None) -> str:
    """Where a name stands, without the name."""
    if found.inside == "its name":
        return f"{Path(found.path).parts[0]} (a file or folder that is named so)"
    words = f"{found.path} ({found.inside})" if found.inside else found.path
    return words if names is None or not names.in_bytes(words.encode()) else Path(found.path).parts[0]


def _backup_lines(held: Any) -> list[str]:
    return [
        f"Backup {'still holds' if sure else 'may still hold'} the patient: {made.path}"
        + ("" if sure else " (not at its place any more, or damaged)")
        for made, sure in held
    ]


def _verify(args: argparse.Namespace, workspace: Workspace) -> Answer:
    """Search; anything found is the command's failure."""
    also = (*args.also, *((args.patient,) if args.patient else ()))
    found = verify_erased(workspace, also, ProgressBar())
    stones = load_tombstones(workspace)
    cohorts = {c.cohort for e in load_erasures(workspace) for c in e.cohorts}
    held = holding(ErasedNames(stones, tombstone_key(workspace)), cohorts, workspace) if stones else ()
    record(Action.COMMAND, workspace, detail="erase-verify")
    if found.found or found.unread:
        names = KnownNames(also)
        places = ", ".join(_place(f, names) for f in found.found) or ", ".join(found.unread)
        what = f"an erased patient in {plural(len(found.found), 'file')}" if found.found else (
            f"{plural(len(found.unread), 'file')} that could not be looked into"
        )  # fmt: skip
        raise PrognoscopeError(what, places, "remove the file, or erase again if the patient was imported again")
    answer = {
        "verified": True, "erased_names": len(stones), "files": found.files, "bytes": found.bytes, "found": [],
        "audit_log": len(found.recorded), "backups": [{"file": m.path, "certain": s} for m, s in held],
    }  # fmt: skip
    lines = [f"{found.files:,} files, {found.bytes / 1e6:,.0f} MB: nobody who was erased is named in any of them.",
             *_backup_lines(held)]  # fmt: skip
    if found.recorded:
        lines.append("The audit log keeps the pseudonyms, which nobody can be told from any more.")
    return Answer(answer, lines)
