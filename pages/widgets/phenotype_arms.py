"""Treatment arms within the groups, with the test whether they differ from group to group."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.analysis.arm_columns import arm_columns
from core.analysis.arm_interaction import arm_interaction
from core.analysis.comparisons import interval, p_value
from core.analysis.grouping import Grouping
from core.analysis.outcome import Outcome
from core.analysis.reproduce_interaction import interaction_python, interaction_r
from pages.widgets import state as page
from pages.widgets.data import View
from pages.widgets.figure_block import table_exports
from pages.widgets.html import note, numbers_table, state_box
from pages.widgets.topbar import bound_select

COLUMN = "phenotype_arm"


def arms_panel(view: View, outcome: Outcome, grouping: Grouping) -> None:
    """Hazard ratio of the arms in each group; descriptive, never causal."""
    st.subheader("Treatment arms within the groups")
    columns = arm_columns(view.cohort)
    if not columns:
        state_box("No treatment arm", ("No described column of this cohort can be a treatment arm.",), "slight")
        return
    column = bound_select(
        "Arm", columns, page.current().arm, COLUMN, page.choose_arm, format_func=view.cohort.label, width=320
    )
    found = arm_interaction(view.cohort, column, outcome, grouping)
    if found.reason:
        state_box("Nothing was fitted", (f"{found.reason[:1].upper()}{found.reason[1:]}.",), "slight")
        return
    rows = found.ratios
    table = pd.DataFrame(
        {
            "Group": rows["group"], "Arm": [f"{a} against {found.arms[0]}" for a in rows["arm"]],
            "Patients": rows["patients"], "Events": rows["events"],
            "Hazard ratio (95 %)": [interval(r, low, high) for r, low, high in
                                    zip(rows["ratio"], rows["low"], rows["high"], strict=True)],
        }
    )  # fmt: skip
    numbers_table(table, right=("Patients", "Events"))
    st.markdown(f"The same in all groups? Likelihood-ratio test of group × arm: **{p_value(found.p)}** "
                f"({found.terms} df, {found.patients:,} patients, {found.events:,} events).")  # fmt: skip
    p, title = found.p, f"Hazard ratios of {view.cohort.label(column)} in each group"
    if p is not None:
        table_exports(
            "phenotype-arms", lambda: found.ratios, lambda: interaction_python(title, found.arms, p),
            lambda: interaction_r(title, found.arms, p), lambda: found.behind,
        )  # fmt: skip
    note("Descriptive, never causal: who received which treatment was decided by more than is known here. No advice.")
