"""What the import would give, shown before anything is stored: open questions, the one error, or the numbers."""

from __future__ import annotations

import pandas as pd

from core.cohort.checking import Checked
from pages.widgets.frame import show_error
from pages.widgets.html import facts, note, numbers_table, state_box
from pages.widgets.import_state import Wizard


def outcome_panel(state: Wizard) -> None:
    """The result of the check in whichever state it is; nothing while it is being made."""
    if state.open_questions:
        words = (
            "One thing is open" if len(state.open_questions) == 1 else f"{len(state.open_questions)} things are open"
        )
        state_box(words, state.open_questions, "slight")
    elif state.asked != state.question or state.job:
        return
    elif state.problem is not None:
        show_error(state.problem)
    elif state.checked is not None:
        checked_panel(state.checked)


def checked_panel(found: Checked) -> None:
    """Patients, endpoints, modalities, exclusions and warnings of a study that was read."""
    excluded = sum(e.count for e in found.exclusions)
    facts([(f"{found.patients:,}", "", "patients"), (f"{excluded:,}", "", "excluded at import"),
           (f"{len(found.warnings):,}", "", "warnings")])  # fmt: skip
    numbers_table(_endpoints(found))
    modalities = ", ".join(f"{name} {count:,}" for name, count in found.modalities.items())
    note(f"Modalities: {modalities or 'none; choose columns to give to models, or import outcomes alone'}.")
    left_out = "; ".join(f"{e.count:,} {e.reason}" for e in found.exclusions)
    note(f"Excluded at import: {left_out or 'nobody'}.")
    incomplete = "; ".join(f"{e.count:,} {e.reason}" for e in found.incomplete)
    if incomplete:
        note(f"Kept, but incomplete: {incomplete}.")
    for warning in found.warnings:
        note(warning, warn=True)


def _endpoints(found: Checked) -> pd.DataFrame:
    """One column an endpoint, one line a number."""
    table = {"": ["Patients with an outcome", "Events", "Competing events", "Censored", "Longest follow-up"]}
    for e in found.endpoints:
        competing = f"{e.competing:,} {e.competing_label}" if e.competing else "none"
        table[f"{e.label} ({e.name})"] = [
            f"{e.patients:,}", f"{e.events:,} {e.event_label}", competing, f"{e.censored:,}", _length(e.longest)
        ]  # fmt: skip
    return pd.DataFrame(table)


def _length(months: float) -> str:
    return f"{months:,.0f} months" if months < 24 else f"{months / 12:,.1f} years"
