"""The comparison in numbers: who was compared on whom, every metric, every paired difference, and what differs."""

from __future__ import annotations

import streamlit as st

from core.analysis.comparison_tables import differences_table, metrics_table, run_names
from core.analysis.run_comparison import RunComparison, compare_runs
from core.analysis.run_settings import differences
from core.cohort.wording import plural
from core.results.naming import OPTIMISTIC, badge, run_words
from core.results.run import Run
from core.results.workspace import Workspace
from pages.widgets.compare_choice import baseline_of
from pages.widgets.data import View, read_predictions
from pages.widgets.html import badge_html, facts, note, numbers_table

BESIDE = 3
"""With so many runs the two tables fit side by side."""


def compared(view: View, runs: tuple[Run, ...]) -> RunComparison:
    """The comparison on the selected patients, computed once a session for the same runs and patients."""
    ids = None if not view.state.selection.filters else frozenset(view.cohort.patients.index[view.mask])
    stamps = tuple((r.id, r.created_at) for r in runs)
    return _compared(str(view.workspace.root), stamps, baseline_of(runs), ids, runs, view.workspace)


@st.cache_resource(scope="session", show_spinner=False, max_entries=8)
def _compared(
    root: str, stamps: tuple[tuple[str, str], ...], baseline: str, ids: frozenset[str] | None, _runs: tuple[Run, ...],
    _workspace: Workspace,
) -> RunComparison:  # fmt: skip
    return compare_runs(_runs, {r.id: read_predictions(r, _workspace) for r in _runs}, baseline, ids)


def names_of(result: RunComparison) -> dict[str, str]:
    """Short names of the compared runs."""
    return run_names(tuple(c.run for c in result.compared))


def numbers(view: View, result: RunComparison) -> None:
    """Patients in common, refused runs with the reason, and the two tables."""
    names = names_of(result)
    facts([
        (f"{len(result.ids):,}", f"of {view.selected.count:,} selected", "patients predicted by all of these runs"),
        (f"{result.n_events:,}", "", f"events ({result.compared[0].run.endpoint})"),
        (f"{len(result.compared)}", "", "runs compared"),
    ])  # fmt: skip
    for refusal in result.refused:
        note(f"Not compared: {run_words(refusal.run)}. Reason: {refusal.reason}.", warn=True)
    _badges(result)
    with st.container(key="compare_numbers"):
        left, right = st.columns(2, gap="large") if len(result.compared) <= BESIDE else (st.container(), st.container())
    with left:
        _values(result, names)
    with right:
        _differences(result, names)


def _values(result: RunComparison, names: dict[str, str]) -> None:
    st.subheader("Each run")
    table = metrics_table(result, names)
    numbers_table(table, right=tuple(table.columns[1:]))
    notes = "; ".join(f"{m.label}: {m.note}" for m in result.metrics if m.note)
    note(f"Values with 95 % bootstrap intervals over the same {len(result.ids):,} patients. {notes}.")


def _differences(result: RunComparison, names: dict[str, str]) -> None:
    st.subheader("Run minus baseline")
    table = differences_table(result, names)
    numbers_table(table, right=tuple(table.columns[1:]))
    note(
        "Paired: both runs are evaluated on the same bootstrap samples of the same patients. The test looks at folds "
        "and seeds (Nadeau and Bengio, which allows for overlapping training sets)"
        + (", corrected over all runs with Holm's method." if len(result.compared) > 2 else ".")
    )


def _badges(result: RunComparison) -> None:
    """What the numbers have to be called."""
    kinds = sorted({badge(c.run.protocol, result.predictions[c.run.id].in_sample) for c in result.compared})
    words = [badge_html(kind) for kind in kinds] + ([badge_html("synthetic patients")] if result.synthetic else [])
    st.html(" ".join(words))
    if OPTIMISTIC in kinds:
        note("An optimistic run chose its epoch on the very patients it is evaluated on: it is no fair opponent.",
             warn=True)  # fmt: skip


def what_differs(runs: tuple[Run, ...]) -> None:
    """Settings and facts that are not the same in all chosen runs."""
    st.subheader("What differs between these runs")
    table = differences(runs, run_names(runs))
    if table.empty:
        note(f"Nothing: the {plural(len(runs), 'run')} repeat each other with the same settings, data and code.")
        return
    numbers_table(table)
