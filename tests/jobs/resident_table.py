"""Requests for a resident worker's tests; importing this costs nothing."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import Any

from core.errors import PrognoscopeError
from core.jobs.resident_loop import Answerer
from core.results.workspace import Workspace

NAME = "tests.jobs.resident_table:requests"


def requests(workspace: Workspace) -> Mapping[str, Answerer]:
    kept: dict[str, int] = {"asked": 0}

    def count(arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        kept["asked"] += 1
        print("a library that prints")
        return {"asked": kept["asked"], "pid": os.getpid(), "text": arguments.get("text", "")}

    def wait(arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        (workspace.root / "waiting").write_text(str(os.getpid()))
        time.sleep(arguments["seconds"])
        return {"pid": os.getpid()}

    def refuse(arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        raise PrognoscopeError("age = 300", "the change", "use less")

    def fall(arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        raise ZeroDivisionError("a secret path /home/x")

    return {"count": count, "wait": wait, "refuse": refuse, "fall": fall}
