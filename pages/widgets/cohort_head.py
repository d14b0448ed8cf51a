"""The Cohort page's head: how many are selected, how many had the event, who is left out and why."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd
import streamlit as st

from core.analysis.drawn import drawn_numbers, medians_table
from core.analysis.group_survival import GroupSurvival, analyse_groups
from core.analysis.grouping import everybody
from core.analysis.outcome import make_outcome
from core.analysis.reproduce import python_code, r_code
from core.cohort.cohort import Exclusion
from core.cohort.selection import usable
from core.errors import PrognoscopeError
from core.figures.survival import survival_figure
from pages.widgets.data import View
from pages.widgets.figure_block import Block, figure_block
from pages.widgets.frame import show_error
from pages.widgets.html import facts, note, numbers_table
from pages.widgets.state import current


def headline(view: View) -> None:
    """Selected of total, events, follow-up, and every exclusion with its reason."""
    endpoint = view.cohort.endpoint(view.state.endpoint)
    known = view.mask & endpoint.known
    reasons = usable(view.cohort, view.state.endpoint, view.cohort.modalities, view.mask).exclusions
    items = [
        (f"{view.selected.count:,}", f"of {len(view.cohort):,}", "patients selected"),
        (f"{int((endpoint.event & known).sum()):,}", "", f"events: {endpoint.event_label} ({endpoint.name})"),
        (f"{sum(e.count for e in reasons):,}", "", "selected, but without an outcome or a modality"),
        (f"{sum(e.count for e in view.cohort.exclusions):,}", "", "excluded at import"),
    ]
    if endpoint.has_competing:
        items.insert(2, (f"{int((endpoint.competing & known).sum()):,}", "", endpoint.competing_label))
    facts(items)
    note(f"Incomplete: {_words(reasons)}. At import: {_words(view.cohort.exclusions)}.")


def _words(exclusions: Iterable[Exclusion]) -> str:
    return "; ".join(f"{e.count:,} {e.reason}" for e in exclusions) or "nobody"


def overview(view: View) -> GroupSurvival | None:
    """Survival of everybody selected; None, with the reason shown, where it cannot be computed."""
    try:
        outcome = make_outcome(view.cohort, view.rows, view.state.endpoint)
        return analyse_groups(outcome, everybody(outcome), current().options.survival)
    except PrognoscopeError as error:
        show_error(error)
        return None


def overview_numbers(result: GroupSurvival) -> None:
    """Median and survival at the chosen years, one a line."""
    numbers_table(medians_table(result).drop(columns="Group").T.rename_axis("In numbers").reset_index())


def survival_overview(view: View, result: GroupSurvival) -> None:
    """One Kaplan-Meier curve of everybody selected."""
    outcome = result.outcome
    title = f"{outcome.remaining} of the selected patients"
    figure_block(
        Block(
            "overview-survival",
            f"Kaplan-Meier curve, {outcome.remaining}, {result.n} selected patients, {result.n_events} events",
            lambda screen: survival_figure(result, title, view.cohort.synthetic, interactive=screen),
            lambda: drawn_numbers(result),
            lambda: python_code(result, title, view.cohort.synthetic),
            lambda: r_code(result, title, view.cohort.synthetic),
        )
    )


def import_notes(view: View) -> None:
    """What the import warned of, and where the cohort came from."""
    warnings = view.cohort.warnings
    words = f"Import: {len(warnings)} warning{'' if len(warnings) == 1 else 's'}"
    with st.expander(words, expanded=False):
        for warning in warnings:
            st.markdown(f"- {warning}")
        source = view.cohort.provenance
        files = pd.DataFrame({"File": list(source.files), "SHA-256": [h[:16] + "…" for h in source.files.values()]})
        st.caption(f"Format: {source.format}. Imported: {source.imported_at or 'made on this machine'}.")
        if len(files):
            numbers_table(files)
