"""How long the server takes to run each page again: ``python -m pages.widgets.rerun_times``, for ``bench pages``.

The whole application is run as a session runs it, navigation included, without a browser: a page is opened, and then
run again and again, each time with one thing changed that readers change there. The last line of the output is one
JSON object, page → ``{"clock": [ms], "processor": [ms], "exceptions": [words]}``.
"""

from __future__ import annotations

import argparse
import html
import json
import re
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest

from core.analysis.grouping import GroupBy, Source
from core.cohort.cohort import Cohort
from core.cohort.selection import CategoryFilter, RangeFilter, Selection
from core.cohort.storage import list_cohorts, load_cohort
from core.results.model_catalogue import CATALOGUE
from core.results.workspace import Workspace
from pages.widgets.state import KEY, Choices, Comparing, PageState

MAIN = Path(__file__).resolve().parents[1] / "main.py"
TIMEOUT_S = 120.0
WARM_UP = 2


@dataclass(frozen=True)
class Step:
    """What a reader changes: parts of the page state, and widgets of the session by key."""

    state: Mapping[str, Any] = field(default_factory=dict)
    widgets: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Known:
    """What the steps choose from."""

    cohort: Cohort
    run: str


Walk = Callable[[Known, int], Step]


@dataclass
class Measured:
    """Milliseconds of every rerun, by the clock and of the processor, and what went wrong."""

    clock: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)
    exceptions: list[str] = field(default_factory=list)


def _filtered(known: Known, number: int) -> Step:
    stages = (("A", "B"), ("B", "C"), ("A", "B", "C"))[number % 3]
    filters = (CategoryFilter("stage", stages), RangeFilter("age", 40.0 + number % 7, 85.0))
    return Step({"selection": Selection(filters)})


def _survival(known: Known, number: int) -> Step:
    by = (GroupBy(Source.RISK), GroupBy(Source.COLUMN, "stage"), GroupBy(Source.NONE))[number % 3]
    return Step({**_filtered(known, number // 3).state, "options": Choices(group_by=by)})


def _experts(known: Known, number: int) -> Step:
    return Step(widgets={"experts_tab": ("Routing", "Phenotypes", "Map", "Switch off", "Audit")[number % 5]})


def _patient(known: Known, number: int) -> Step:
    """The next patient; the Genes tab of every fourth, among them the explained ones."""
    tab = "Genes" if number % 4 == 0 else "Summary"
    return Step({"patient": known.cohort.ids[number], "month": (12.0, 36.0, 60.0)[number % 3]}, {"patient_tab": tab})


def _board(known: Known, number: int) -> Step:
    return Step({"patient": known.cohort.ids[number]})


def _train(known: Known, number: int) -> Step:
    model = tuple(CATALOGUE)[number % len(CATALOGUE)]
    return Step({"training": replace(PageState().training, model=model)})


def _compare(known: Known, number: int) -> Step:
    return Step({"comparing": Comparing(month=(12.0, 24.0, 36.0)[number % 3], metric=("harrell_c", "ibs")[number % 2])})


def _evidence(known: Known, number: int) -> Step:
    return Step({"month": (12.0, 24.0, 36.0)[number % 3]})


WALKS: Mapping[str, Walk] = {
    "cohort": _filtered, "survival": _survival, "experts": _experts, "patient": _patient, "board": _board,
    "train": _train, "compare": _compare, "evidence": _evidence,
}  # fmt: skip
"""Script → what is changed; a page without a walk is simply run again."""


def pages_of(test: AppTest) -> dict[str, str]:
    """Title → script, of every page in the navigation."""
    registered = test._registered_pages.values()  # the navigation as the last run declared it
    return {str(p["page_name"]): Path(str(p["script_path"])).name for p in registered}


def measure(test: AppTest, script: str, known: Known, reruns: int) -> Measured:
    """Open a page, then run it again ``reruns`` times."""
    found = Measured()
    walk = WALKS.get(Path(script).stem, lambda *_: Step())
    test.switch_page(script)
    test.run()
    for number in range(WARM_UP + reruns):
        _apply(test, walk(known, number))
        clock, processor = time.perf_counter(), time.process_time()
        test.run()
        if number >= WARM_UP:
            found.clock.append(1000 * (time.perf_counter() - clock))
            found.processor.append(1000 * (time.process_time() - processor))
        found.exceptions += errors_of(test)
    return found


def errors_of(test: AppTest) -> list[str]:
    """What the last run shows of exceptions, caught or not."""
    boxes = [str(e.value) for e in test.get("html") if 'class="state error"' in str(e.value)]
    return [e.message for e in test.exception] + [html.unescape(re.sub("<[^>]+>", " ", b)).strip() for b in boxes]


def _apply(test: AppTest, step: Step) -> None:
    held = test.session_state[KEY]
    test.session_state[KEY] = replace(held, state=replace(held.state, **step.state))
    for key, value in step.widgets.items():
        test.session_state[key] = value


def main(words: Sequence[str]) -> int:
    """Measure every page on the workspace of the environment."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--reruns", type=int, default=40)
    parser.add_argument("--only", default="")
    asked = parser.parse_args(words)
    workspace = Workspace.default()
    test = AppTest.from_file(str(MAIN), default_timeout=TIMEOUT_S).run()
    cohort = load_cohort(list_cohorts(workspace)[0].name, workspace)
    known = Known(cohort, test.session_state[KEY].state.run)
    found = {}
    for title, script in pages_of(test).items():
        if asked.only in ("", title):
            found[title] = asdict(measure(test, script, known, asked.reruns))
    sys.stdout.write(json.dumps(found) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
