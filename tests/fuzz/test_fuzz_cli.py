"""Whatever words follow ``./run cli``, the answer is an answer, one sentence, or the usage. See
:mod:`tests.fuzz.effort`."""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import shutil
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.cli.__main__ import MODULES, build_parser, main
from core.cohort.storage import save_cohort
from core.results.run_store import save_run
from core.results.workspace import Workspace
from tests.fuzz.effort import tried, tries
from tests.fuzz.mutations import NASTY, words
from tests.fuzz.watch import Watch
from tests.pages.builders import make_large_cohort, make_predictions, make_run

LEFT_OUT = ("bench", "napari", "complete-sample", "doctor")
"""They measure, open a window, or make a gigabyte; none of them reads what it is given before that."""
NO_OPTIONS = ("--cluster", "--help", "-h", "--media", "--queue")
"""A cluster to be asked, and the sample's gigabyte; a queue would start a worker."""
HEAVY = ("train", "explain", "routing", "audit", "encode", "predict", "score-new")
"""Given names that exist they would compute for minutes."""
ODD = (*NASTY, "\udcff", "\udce9t\udce9")
"""Also what Python makes of arguments that are no UTF-8."""
PLACES = (
    "a.csv",
    "a.html",
    "a.pdf",
    "a.zip",
    "b/c",
    "d",
    "a.key",
    "é.json",
    "a b.md",
    "study",
    "=x.csv",
    "x" * 300,
    "\udcff.html",
)


@cache
def parser_of(command: str) -> argparse.ArgumentParser:
    """The parser of one command."""
    parser = build_parser(command)
    (sub,) = (a for a in parser._actions if isinstance(a, argparse._SubParsersAction))
    return sub.choices[command]


@st.composite
def command_lines(draw: st.DrawFn) -> list[str]:
    """A command with some of its options and arguments, each of them odd, known, or of the right form."""
    command = draw(st.sampled_from([c for c in MODULES if c not in LEFT_OUT]))
    known = ["sample", "nobody"] if command in HEAVY else ["large", "hdmoe-1", "P-00000001", "sample"]
    line = [command]
    for action in parser_of(command)._actions:
        if set(action.option_strings) & set(NO_OPTIONS) or isinstance(action, argparse._HelpAction):
            continue
        if isinstance(action, argparse._SubParsersAction):
            line.append(draw(st.sampled_from([*action.choices, "?"])))
            continue
        if action.option_strings and not (action.required or draw(st.integers(0, 3)) == 0):
            continue
        if not action.option_strings and not draw(st.integers(0, 9)):
            continue
        line += [draw(st.sampled_from(action.option_strings))] if action.option_strings else []
        if action.nargs != 0:
            line += _values(draw, action, known)
    if draw(st.integers(0, 5)) == 0:
        line.insert(draw(st.integers(0, len(line))), draw(words))
    if draw(st.booleans()):
        line.insert(0, "--json")
    return [word.replace("\x00", "") for word in line]  # no system passes a NUL in an argument


def _values(draw: st.DrawFn, action: argparse.Action, known: list[str]) -> list[str]:
    place = action.type is not None and getattr(action.type, "__name__", "") == "user_path"
    place = place or (action.metavar or "") in ("PATH", "FILE", "FOLDER", "PNG", "CSV") or action.dest in ("to", "path")
    one: st.SearchStrategy[str]
    if place:  # where the user says; names and ids alone must never lead anywhere
        one = st.sampled_from(PLACES)
    else:
        one = words | st.sampled_from([*known, *ODD, *map(str, action.choices or ())])
        one |= st.tuples(words, words).map("=".join)
    return [draw(one) for _ in range(draw(st.integers(1, 2)) if action.nargs == "+" else 1)]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with one cohort and one run."""
    place = tmp_path_factory.mktemp("kept") / "workspace"
    cohort = make_large_cohort(60)
    predictions = make_predictions(cohort)
    save_cohort(cohort, None, Workspace(place))
    save_run(make_run(cohort, predictions), predictions, Workspace(place))
    return place


@tries(0.075, 60)
@given(command_lines())
def test_command_lines(kept: Path, tmp_path: Path, watch: Watch, line: list[str]) -> None:
    root = tmp_path / "workspace"
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(kept, root)
    out, errors = (
        io.TextIOWrapper(io.BytesIO(), "utf-8", e, write_through=True) for e in ("strict", "backslashreplace")
    )
    tried("command lines")
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
        patch.setenv("PROGNOSCOPE_WORKSPACE", str(root))
        patch.setenv("PROGNOSCOPE_STATE", str(tmp_path / "state"))
        patch.setenv("PROGNOSCOPE_CALLER_DIR", str(tmp_path / "caller"))
        patch.setattr("sys.stdin", io.StringIO(""))
        (tmp_path / "caller").mkdir(exist_ok=True)
        try:
            code = main(line)
        except SystemExit as ended:
            code = int(ended.code or 0)
    said, complained = (stream.buffer.getvalue().decode() for stream in (out, errors))  # type: ignore[attr-defined]
    printed = said + complained
    assert code in (0, 1, 2), line
    assert "Traceback" not in printed, line
    assert "an unexpected" not in printed, (line, _traces(root))
    if code == 1:
        assert complained.strip(), line


def _traces(root: Path) -> str:
    found = [p.read_text(errors="replace") for p in root.rglob("*error*") if p.is_file()]
    return os.linesep.join(found)[-3000:]
