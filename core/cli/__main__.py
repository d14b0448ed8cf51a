"""The command line: ``./run cli COMMAND …``. Exit code 0 done, 1 failed, 2 wrong use."""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from collections.abc import Callable, Sequence

from core.care.error_log import FILE as ERRORS
from core.care.error_log import note_error
from core.care.version import make_ready
from core.cli.output import Answer, print_answer
from core.cli.recorded import recorded
from core.errors import PrognoscopeError
from core.results.trouble import disk_trouble
from core.results.workspace import Workspace

Command = Callable[[argparse.Namespace, Workspace], Answer]

MODULES = {
    "import": "cohort_commands",
    "cohorts": "cohort_commands",
    "combine": "combine_command",
    "encode": "encode_command",
    "export-features": "export_command",
    "train": "train_command",
    "predict": "predict_command",
    "score-new": "predict_command",
    "evaluate": "run_commands",
    "compare": "run_commands",
    "runs": "run_commands",
    "jobs": "jobs_command",
    "complete-sample": "sample_command",
    "audit": "audit_command",
    "audit-log": "audit_log_command",
    "access": "access_command",
    "explain": "explain_command",
    "routing": "routing_command",
    "report": "report_command",
    "card": "report_command",
    "napari": "napari_command",
    "bench": "bench_command",
    "backup": "care_commands",
    "restore": "care_commands",
    "erase": "care_commands",
    "upgrade": "care_commands",
    "doctor": "doctor_command",
}
"""Command → the file that does it. Only that file is imported: torch takes seconds that a list need not wait for."""


ANY_WORKSPACE = ("restore", "doctor", "upgrade")
"""Commands that do not mind the form of the workspace they are called in."""


def build_parser(command: str = "") -> argparse.ArgumentParser:
    """The parser of one command, or of all when none of that name is known; each sets ``run`` to what does it."""
    parser = argparse.ArgumentParser(prog="./run cli", description="Prognoscope without the browser.")
    parser.add_argument("--json", action="store_true", help="print one JSON object as the last line")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for module in [MODULES[command]] if command in MODULES else dict.fromkeys(MODULES.values()):
        importlib.import_module(f"core.cli.{module}").add_commands(commands)
    for name, parsed in commands.choices.items():
        # also accepted after the command; SUPPRESS keeps an earlier --json from being reset
        parsed.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
        parsed.prog = f"./run cli {name}"
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; every failure is one sentence, never a traceback."""
    words = list(sys.argv[1:] if argv is None else argv)
    if any(not _is_text(word) for word in words):
        return _fail(
            PrognoscopeError("a word that is no UTF-8 text", "the command", "rename the file it names, or set LC_ALL"),
            "--json" in words,
        )
    args = build_parser(next((w for w in words if not w.startswith("-")), "")).parse_args(words)
    try:
        if args.command not in ANY_WORKSPACE:
            make_ready(Workspace.default())
        answer = recorded(args, Workspace.default())
    except PrognoscopeError as error:
        return _fail(error, args.json)
    except KeyboardInterrupt:
        return _fail(PrognoscopeError("stopped by the user", f"command {args.command}", "start it again"), args.json)
    except Exception as error:  # noqa: BLE001  the last resort: an id for the person, the trace for the log
        return _fail(_unexpected(error, args.command), args.json)
    print_answer(answer, args.json)
    return 0


def _is_text(word: str) -> bool:
    """Whether an argument can be printed and stored; bytes that are no UTF-8 reach Python as halves of signs."""
    try:
        word.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _unexpected(error: Exception, command: str) -> PrognoscopeError:
    """A full disk or refused write in its own sentence; else the trace goes to the log and the person gets its id."""
    trouble = disk_trouble(error)
    if trouble is not None:
        return trouble
    mark = note_error(error, f"command {command}", Workspace.default())
    where = str(Workspace.default().root / ERRORS)
    return PrognoscopeError(f"an unexpected {type(error).__name__} (error {mark})", where, "report it with its id")


def _fail(error: PrognoscopeError, as_json: bool) -> int:
    print(f"\n{error}", file=sys.stderr)
    if as_json:
        print(json.dumps(error.as_json(), ensure_ascii=False))
    return 1


if __name__ == "__main__":
    sys.exit(main())
