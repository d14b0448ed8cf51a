"""Runs exported scripts as a reader would, on the tables exported beside them."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.cohort.cohort import Cohort
from core.results.prediction import Predictions
from tests.pages.builders import make_predictions

LANGUAGES = ("python", "R")
# starting is the slow part: one process for all scripts, each with names of its own
_PYTHON = """
import contextlib, io, json, sys
found = []
for script, *files in json.loads(sys.argv[1]):
    sys.argv, out = [script, *files], io.StringIO()
    with contextlib.redirect_stdout(out):
        try:
            exec(compile(open(script, encoding="utf-8").read(), script, "exec"), {"__name__": "__main__"})
            code = 0
        except SystemExit as ended:
            code = int(ended.code or 0)
    found.append((code, out.getvalue()))
print(json.dumps(found))
"""
_R = """
for (line in readLines(commandArgs(TRUE)[1])) {
  files <- strsplit(line, " ")[[1]]
  own <- new.env(parent = globalenv())
  own$commandArgs <- function(...) files[-1]
  own$quit <- function(status = 0, ...)
    stop(structure(list(message = as.character(status), call = NULL), class = c("ended", "error", "condition")))
  said <- capture.output(code <- tryCatch({ sys.source(files[1], own); 0 },
                                          ended = function(end) as.integer(conditionMessage(end))))
  cat("\\f", code, "\\n", paste(said, collapse = "\\n"), sep = "")
}
"""


@dataclass(frozen=True, eq=False)
class Script:
    """``code`` in one language · ``tables`` the CSV files it is given, the drawn numbers first."""

    code: str
    tables: tuple[pd.DataFrame, ...]

    def altered(self, column: str, row: int = 0, by: float = 1e-4) -> Script:
        """The same with another drawn number."""
        numbers = self.tables[0].copy()
        numbers.loc[numbers.index[row], column] += by
        return Script(self.code, (numbers, *self.tables[1:]))


@dataclass(frozen=True)
class Ended:
    """How a script ended: its code, and what it printed."""

    code: int
    said: str

    @property
    def largest(self) -> float:
        """The largest difference it told."""
        return float(self.said.rpartition("largest difference ")[2])


def run_all(language: str, scripts: dict[str, Script], folder: Path) -> dict[str, Ended]:
    """Run them; each draws a picture or the test fails."""
    if language == "R" and shutil.which("Rscript") is None:
        pytest.skip("no Rscript on this machine")
    calls = []
    for at, script in enumerate(scripts.values()):
        files = [f"{at}-{i}.csv" for i in range(len(script.tables))]
        for name, table in zip(files, script.tables, strict=True):
            table.to_csv(folder / name, index=False)
        (folder / f"{at}.script").write_text(script.code, encoding="utf-8")
        calls.append([f"{at}.script", *files, f"{at}.pdf"])
    ended = _in_python(calls, folder) if language == "python" else _in_r(calls, folder)
    assert all((folder / call[-1]).read_bytes().startswith(b"%PDF") for call in calls)
    return dict(zip(scripts, ended, strict=True))


def _in_python(calls: list[list[str]], folder: Path) -> list[Ended]:
    command = [sys.executable, "-I", "-c", _PYTHON, json.dumps(calls)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [Ended(code, said) for code, said in json.loads(done.stdout)]


def _in_r(calls: list[list[str]], folder: Path) -> list[Ended]:
    (folder / "calls").write_text("\n".join(" ".join(call) for call in calls) + "\n")
    (folder / "all.R").write_text(_R)
    done = subprocess.run(["Rscript", "all.R", "calls"], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    parts = (part.partition("\n") for part in done.stdout.split("\f")[1:])
    return [Ended(int(code), said) for code, _, said in parts]


def as_exported(ended: dict[str, Ended]) -> None:
    """Every script found the exported numbers; those named ``"… altered"`` did not."""
    assert {name: e.code for name, e in ended.items()} == {name: int(name.endswith("altered")) for name in ended}, ended
    assert all(e.largest < 1e-6 for name, e in ended.items() if not name.endswith("altered"))


def tied(cohort: Cohort, seeds: tuple[int, ...] = (0, 1)) -> Predictions:
    """Predictions with whole months and coarse risks: events and censoring fall together, risks are equal."""
    found = make_predictions(cohort, seeds=seeds)
    table = found.table.assign(time=np.ceil(found.table["time"]), risk=found.table["risk"].round(1))
    return Predictions(table, found.times, found.survival)
