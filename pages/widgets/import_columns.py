"""The wizard's other columns: what each holds, which are given to models, and which are left out."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.cohort.column_view import Kind
from core.cohort.preview import Preview
from pages.widgets import import_state as wizard
from pages.widgets.html import note
from pages.widgets.import_state import Wizard
from pages.widgets.topbar import bound_select

NONE = ""


def columns_panel(state: Wizard) -> None:
    """Roles of the columns that are neither id nor outcome."""
    found, mapping = state.preview, state.mapping
    if found is None:
        return
    free = [c.name for c in found.columns if c.name not in mapping.outcome_columns]
    st.subheader("The other columns")
    _several("Given to models as clinical inputs", free, mapping.inputs, "import_inputs", "inputs")
    _several("Left out", free, mapping.dropped, "import_dropped", "dropped")
    left, right = st.columns(2)
    with left:
        places = [c.name for c in found.columns if c.name in free and not c.unique and c.kind is not Kind.EMPTY]
        bound_select(
            "Place that sent the patient (site)", [NONE, *places], mapping.site, "import_site",
            lambda c: wizard.change_mapping(site=c), format_func=lambda c: c or "no such column",
        )  # fmt: skip
    with right:
        numbers = [
            c.name for c in found.columns if c.kind is Kind.NUMBERS and (c.name in free or c.name == mapping.entry)
        ]
        bound_select(
            "Start of observation (delayed entry)", [NONE, *numbers], mapping.entry, "import_entry",
            lambda c: wizard.change_mapping(entry=c), format_func=lambda c: c or "no such column",
        )  # fmt: skip
    note("All others are kept beside the patients: numbers as markers, words as descriptions. No model reads them.")
    with st.expander(f"All {len(found.columns):,} columns, and what they were taken for"):
        st.dataframe(_overview(state, found), hide_index=True, height=330, key="import_overview", alt="Columns")


def _several(label: str, options: list[str], chosen: tuple[str, ...], key: str, what: str) -> None:
    kept = [c for c in chosen if c in options]
    st.session_state[key] = kept
    st.multiselect(
        label, options, key=key, placeholder="none",
        on_change=lambda: wizard.change_mapping(**{what: tuple(st.session_state[key])}),
    )  # fmt: skip


def _overview(state: Wizard, found: Preview) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Column": [c.name for c in found.columns],
            "Used as": [_use(state, c.name) for c in found.columns],
            "Holds": [c.words for c in found.columns],
            "Missing": [c.missing for c in found.columns],
            "Why": [found.reasons.get(c.name, "") for c in found.columns],
        }
    )


def _use(state: Wizard, column: str) -> str:
    """What the mapping makes of a column, in a word."""
    mapping = state.mapping
    uses = {mapping.id: "patient id", mapping.entry: "entry", mapping.site: "site"}
    uses |= {e.time: f"time of {e.name}" for e in mapping.endpoints}
    uses |= {e.event: f"event of {e.name}" for e in mapping.endpoints}
    uses |= dict.fromkeys(mapping.dropped, "left out")
    uses |= dict.fromkeys(mapping.inputs, "model input")
    return uses.get(column, "kept")
