"""The resident worker: ``python -m core.jobs.resident_loop WORKSPACE --table module:NAME``.

It answers requests, a line of JSON each, on its standard input and output, one at a time, and keeps in memory what it
has opened. Only :mod:`core.jobs.resident` starts it. It ends when its input closes, that is when its owner ends, and
when nobody asked for a while.
"""

from __future__ import annotations

import argparse
import json
import os
import select
import sys
import traceback
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import IO, Any

from core.errors import PrognoscopeError
from core.results.workspace import Workspace

Answerer = Callable[[Mapping[str, Any]], Mapping[str, Any]]
Table = Callable[[Workspace], Mapping[str, Answerer]]
"""What a table's name stands for: given the workspace, the requests it answers."""


def find_table(name: str, workspace: Workspace) -> Mapping[str, Answerer]:
    """The requests of ``module:NAME``."""
    module, _, attribute = name.partition(":")
    table: Table = getattr(import_module(module), attribute)
    return table(workspace)


def answer(line: str, table: Mapping[str, Answerer]) -> dict[str, Any]:
    """One answer: ``{"result"}`` or ``{"error", "where", "fix"}``, with the request's ``id``."""
    asked = json.loads(line)
    head = {"id": asked["id"]}
    try:
        if asked["request"] not in table:
            raise PrognoscopeError(
                f"no request named {asked['request']!r}", "the resident worker", f"use one of {', '.join(table)}"
            )
        return {**head, "result": dict(table[asked["request"]](asked["arguments"]))}
    except PrognoscopeError as error:
        return {**head, **error.as_json()}
    except Exception:  # noqa: BLE001  the last resort: a sentence for the person, the trace for the log
        traceback.print_exc()
        unexpected = PrognoscopeError(
            "something unexpected", "the resident worker", "see jobs/resident.log in the workspace"
        )
        return {**head, **unexpected.as_json()}


def serve(asked: IO[bytes], answers: IO[bytes], table: Mapping[str, Answerer], idle: float) -> None:
    """Answer until the input closes or nothing was asked for ``idle`` seconds."""
    while select.select([asked], [], [], idle)[0]:
        line = asked.readline()
        if not line:
            return
        text = json.dumps(answer(line.decode(), table), allow_nan=False)
        answers.write(text.encode() + b"\n")
        answers.flush()


def main() -> int:
    """Serve one owner."""
    parser = argparse.ArgumentParser()
    parser.add_argument("workspace", type=Path)
    parser.add_argument("--table", required=True)
    parser.add_argument("--idle", type=float, required=True)
    args = parser.parse_args()
    os.environ["PROGNOSCOPE_WORKSPACE"] = str(args.workspace)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints goes to the log, not among the answers
    # unbuffered: a line that waits in a buffer would be one that select does not see
    with os.fdopen(os.dup(0), "rb", buffering=0) as asked:
        serve(asked, answers, find_table(args.table, Workspace(args.workspace)), args.idle)
    return 0


if __name__ == "__main__":
    sys.exit(main())
