"""What the run is worth to whom: the decision curve, and how it does among groups of patients."""

from __future__ import annotations

from functools import partial

import streamlit as st

from core.analysis.card_words import DECISION_NOTE, subgroup_table
from core.analysis.decision import decision_sentence, decision_table
from core.analysis.model_card import ModelCard
from core.analysis.reproduce_groups import groups_python, groups_r
from core.analysis.reproduce_quality import decision_python, decision_r
from core.analysis.subgroups import group_numbers, groups_behind
from core.figures.decision_curve import decision_figure
from core.figures.subgroups import level_figure, ranking_figure
from pages.widgets.evidence_table import card_table
from pages.widgets.figure_block import Block, figure_block
from pages.widgets.html import note

TITLE = "Decision curve"


def decision_panel(card: ModelCard) -> None:
    """Net benefit over a stated range of thresholds."""
    st.header("Is it worth acting on?")
    decision = card.decision
    sentence = decision_sentence(decision)
    if decision.curve is None:
        note(sentence, warn=True)
        return
    figure_block(
        Block("evidence-decision", sentence, lambda _: decision_figure(decision, card.badge, card.run.synthetic),
              lambda: decision_table(decision), lambda: decision_python(TITLE, decision.month),
              lambda: decision_r(TITLE, decision.month), lambda: decision.behind)
    )  # fmt: skip
    low, high = decision.curve.thresholds[0], decision.curve.thresholds[-1]
    left_out = f" {decision.left_out:,} patients without an estimate are left out." if decision.left_out else ""
    note(f"{sentence} Thresholds drawn: {100 * low:g} % to {100 * high:g} %.{left_out}")
    note(f"{decision.stage[:1].upper()}{decision.stage[1:]}. {DECISION_NOTE}")


def group_panel(card: ModelCard) -> None:
    """Ranking and level of every group, as two figures and a table."""
    st.header("Groups of patients")
    groups, synthetic = card.subgroups, card.run.synthetic
    table = subgroup_table(card)
    with st.container(key="evidence_groups"):
        left, right = st.columns(2, gap="large")
    numbers, behind = partial(group_numbers, groups), partial(groups_behind, groups)
    with left:
        figure_block(
            Block("evidence-ranking", "Harrell C of every group of patients",
                  lambda _: ranking_figure(groups, card.badge, synthetic), numbers,
                  partial(groups_python, "ranking", "Ranking among groups", card.month),
                  partial(groups_r, "ranking", "Ranking among groups", card.month), behind)
        )  # fmt: skip
    with right:
        figure_block(
            Block("evidence-level", "Estimated minus observed survival of every group of patients",
                  lambda _: level_figure(groups, card.month, card.badge, synthetic), numbers,
                  partial(groups_python, "level", "Level among groups", card.month),
                  partial(groups_r, "level", "Level among groups", card.month), behind)
        )  # fmt: skip
    note("Diamond: everybody. A group needs 20 patients and 5 events to be judged. With so many groups some lie off by "
         "chance; intervals are not corrected for their number.")  # fmt: skip
    with st.expander("All numbers of the groups"):
        card_table(table, right=("Patients", "Events"))
