"""A workspace in which every text that comes from people or files tries to be more than text."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import pandas as pd

from core.cohort.cohort import Cohort, Exclusion
from core.cohort.sample import make_sample_cohort
from core.cohort.storage import save_cohort
from core.jobs.queue import JobQueue
from core.results.board_store import Verdict, list_boards, note_opinion
from core.results.workspace import Workspace
from tests.browser import whole
from tests.browser.whole import Whole, whole_app

TRICK = (
    '=1+1 [go](http://evil.example/a) ![i](http://evil.example/p.png) <a href="http://evil.example/b">h</a> '
    '<img src=x onerror="window.hacked=1"> www.evil.example $x^2$ :red[r] `c` **b**'
)


def hostile_cohort() -> Cohort:
    """The sample with the trick in every title, label, unit, category, warning and reason."""
    cohort = make_sample_cohort()[0]
    words = [c for c in cohort.patients if not pd.api.types.is_numeric_dtype(cohort.patients[c])]
    patients = cohort.patients.copy()
    for column in words:
        patients[column] = patients[column].map(lambda v: v if pd.isna(v) else f"{v} {TRICK}")
    endpoints = {
        name: replace(e, label=f"{e.label} {TRICK}", time_zero=f"{e.time_zero} {TRICK}",
                      event_label=f"{e.event_label} {TRICK}", competing_label=f"{e.competing_label} {TRICK}")
        for name, e in cohort.endpoints.items()
    }  # fmt: skip
    return replace(
        cohort, title=f"Cohort {TRICK}", patients=patients, endpoints=endpoints,
        labels={c: f"{cohort.labels.get(c, c)} {TRICK}" for c in patients},
        units={c: f"{u} {TRICK}" for c, u in cohort.units.items()},
        warnings=(*cohort.warnings, f"A warning {TRICK}"), exclusions=(Exclusion(f"a reason {TRICK}", 3),),
    )  # fmt: skip


@contextmanager
def hostile_app(folder: Path) -> Iterator[Whole]:
    """The application with all of it, a board's note and a job's title included."""

    def save(workspace: Workspace, *_: object) -> Cohort:
        cohort = hostile_cohort()
        if not workspace.cohort(cohort.name).exists():
            save_cohort(cohort, None, workspace)
        return cohort

    with patch.object(whole, "save_sample", save), whole_app(folder) as running:
        workspace = running.served.workspace
        for board in list_boards(workspace):
            note_opinion(board.id, board.patients[0], Verdict.DISAGREE, f"A note {TRICK}", workspace)
        queue = JobQueue(workspace)
        queue.cancel(queue.submit("encode", {"cohort": "nobody"}, f"A job {TRICK}").id)
        yield running
