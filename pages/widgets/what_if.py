"""What if: other clinical values, a kind of data away, a gene family at the median; the curve follows at once.

The resident worker answers: nothing heavy runs in the web process.
"""

from __future__ import annotations

import hashlib
import re

import streamlit as st

from core.analysis.points import group_words, month_words, percent_of, points
from core.analysis.reproduce_plots import plot_code
from core.cohort.cohort import Cohort
from core.errors import PrognoscopeError
from core.figures.what_if import what_if_figure, what_if_table
from core.jobs.resident import ask
from core.results.run import Run
from core.results.what_if import TITLE, Changeable, WhatIf, WhatIfChange, WhatIfOptions
from core.results.workspace import Workspace
from pages.widgets.data import View
from pages.widgets.figure_block import Block, figure_block
from pages.widgets.frame import show_error
from pages.widgets.html import note

UNKNOWN = "not recorded"
STARTED = "what_if_started"


def what_if_panel(view: View, run: Run, patient: str, month: float) -> None:
    """Controls at the left, the curve before and after at the right."""
    st.subheader("What if")
    st.markdown(f"**{TITLE}.** It asks the models about a patient who does not exist. It says nothing of what would "
                "happen to this one.")  # fmt: skip
    if not st.session_state.get(STARTED):
        st.button(
            "Try other values",
            key="what_if_start",
            on_click=_start,
            help="Starts a worker that keeps the models in memory; the first answer takes some seconds.",
        )
        return
    name = _key(run, patient)
    who = {"run": run.id, "patient": patient} | ({} if run.cohort == view.cohort.name else {"cohort": view.cohort.name})
    try:
        with st.spinner("Asking the models"):
            options = WhatIfOptions.from_json(_options(str(view.workspace.root), who, run.created_at))
    except PrognoscopeError as error:
        show_error(error)
        return
    left, right = st.columns([4, 7], gap="large")
    with left:
        change = _controls(view.cohort, options, name)
        st.button("As recorded", key=f"{name}_reset", on_click=_reset, args=(name,), disabled=change == WhatIfChange())
    with right:
        try:
            found = _asked(view.workspace, who, change)
        except PrognoscopeError as error:
            show_error(error)
            return
        _drawn(view.cohort, found, change, month)


def _start() -> None:
    st.session_state[STARTED] = True


def _key(run: Run, patient: str) -> str:
    """Keys of the controls: another patient has controls of their own."""
    return "what_if_" + hashlib.sha256(f"{run.id}|{patient}".encode()).hexdigest()[:12]


@st.cache_data(scope="session", show_spinner=False, max_entries=16)
def _options(root: str, who: dict[str, str], created_at: str) -> dict[str, object]:
    from pathlib import Path

    return dict(ask(Workspace(Path(root)), "what_if_options", who))


def _asked(workspace: Workspace, who: dict[str, str], change: WhatIfChange) -> WhatIf:
    return WhatIf.from_json(ask(workspace, "what_if", {**who, "change": change.as_json()}))


def _controls(cohort: Cohort, options: WhatIfOptions, name: str) -> WhatIfChange:
    """Only what differs from the record is a change."""
    clinical: dict[str, float | str] = {}
    for column in options.clinical:
        value = _level(cohort, column, name) if column.levels else _number(cohort, column, name)
        if value is not None and value != column.current:
            clinical[column.name] = value
    if not options.clinical:
        note("The models are given no clinical values of this patient.")
    off: list[str] = []
    if len(options.modalities) > 1:
        off = st.multiselect("Taken away", options.modalities, key=f"{name}_off", format_func=group_words,
                             placeholder="nothing")  # fmt: skip
    families: list[str] = []
    if options.families:
        families = st.multiselect(
            "Gene families at the training patients’ median", options.families, key=f"{name}_families",
            placeholder="none",
        )  # fmt: skip
    return WhatIfChange(clinical, tuple(off), tuple(families))


def _level(cohort: Cohort, column: Changeable, name: str) -> str | None:
    current = None if column.current is None else str(column.current)
    levels = [*([UNKNOWN] if current is None else []), *column.levels]
    if current is not None and current not in levels:
        levels.insert(0, current)
    start = levels.index(UNKNOWN if current is None else current)
    words = f"{cohort.label(column.name)} (recorded: {current or UNKNOWN})"
    chosen = st.selectbox(words, levels, index=start, key=f"{name}_{column.name}")
    return None if chosen == UNKNOWN else str(chosen)


def _number(cohort: Cohort, column: Changeable, name: str) -> float | None:
    """A slider over the observed range; a value that is not recorded has to be switched on first."""
    assert column.low is not None  # noqa: S101  a number has its range
    assert column.high is not None  # noqa: S101
    unit = f" {cohort.units[column.name]}" if column.name in cohort.units else ""
    current = None if column.current is None else float(column.current)
    words = f"{cohort.label(column.name)} (recorded: {UNKNOWN if current is None else f'{current:g}{unit}'})"
    if not column.low < column.high:
        note(f"{words}: all training patients have {column.low:g}.")
        return None
    whole = all(float(v).is_integer() for v in (column.low, column.high, current or 0.0))
    step = 1.0 if whole and column.high - column.low >= 5 else (column.high - column.low) / 100
    if current is None and not st.checkbox(
        f"Give a value for {cohort.label(column.name)}", key=f"{name}_{column.name}_on"
    ):
        return None
    middle = (column.low + column.high) / 2
    start = min(max(middle if current is None else current, column.low), column.high)
    chosen = float(
        st.slider(words, column.low, column.high, start, step=step, format="%g" if whole else "%.2f",
                  key=f"{name}_{column.name}", help=f"Observed: {column.low:g} to {column.high:g}{unit}.")
    )  # fmt: skip
    # a recorded value outside the range, or between two steps of the slider, is not a change
    return current if current is not None and abs(chosen - start) < step / 2 else chosen


def _reset(name: str) -> None:
    for key in [k for k in st.session_state if str(k).startswith(f"{name}_")]:
        del st.session_state[key]


def _drawn(cohort: Cohort, found: WhatIf, change: WhatIfChange, month: float) -> None:
    before, after = found.at(month)
    if found.changed:
        st.markdown(f"Estimated {month_words(month)} **{percent_of(100 * before)} → {percent_of(100 * after)}** "
                    f"({points(100 * (after - before))} percentage points).")  # fmt: skip
        note("; ".join(_labelled(cohort, words, change) for words in found.changed))
    else:
        st.markdown(f"Estimated {month_words(month)} **{percent_of(100 * before)}**. Nothing is changed.")
    figure_block(
        Block("what-if", f"Estimated survival at month {month:g}: {100 * before:.1f} % as recorded, "
              f"{100 * after:.1f} % with the change.",
              lambda _: what_if_figure(found, month), lambda: what_if_table(found),
              lambda: plot_code("curves", TITLE, "estimated survival"))
    )  # fmt: skip
    for words in found.notes:
        note(words)


def _labelled(cohort: Cohort, words: str, change: WhatIfChange) -> str:
    """A change in words, its column under the name a reader knows, whole numbers without a decimal."""
    words = re.sub(r"\b(\d+)\.0\b", r"\1", words)
    column = next((c for c in change.clinical if words.startswith(f"{c} ")), None)
    return words if column is None else f"{cohort.label(column)}{words.removeprefix(column)}"
