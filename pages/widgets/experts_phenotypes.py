"""The Phenotypes tab: groups the model makes, whether other models make the same, how they fare, what they are."""

from __future__ import annotations

from functools import partial

import numpy as np
import streamlit as st

from core.analysis.drawn import drawn_numbers
from core.analysis.group_survival import GroupSurvival, analyse_groups
from core.analysis.outcome import make_outcome
from core.analysis.phenotypes import (
    By,
    PhenotypeChoice,
    Phenotypes,
    choices,
    made_of_missing,
    make_phenotypes,
    phenotype_grouping,
    phenotype_table,
    stability_words,
)
from core.analysis.reproduce import python_code, r_code
from core.cohort.selection import IdsFilter
from core.errors import PrognoscopeError
from core.figures.survival import survival_figure
from core.results.routing_record import RoutingRecord, routing_stamp
from pages.widgets import state as page
from pages.widgets.data import View
from pages.widgets.experts_record import routing_of
from pages.widgets.figure_block import Block, chart_key, figure_block
from pages.widgets.frame import loading, show_error
from pages.widgets.html import note, numbers_table, state_box
from pages.widgets.open_patient import open_patient
from pages.widgets.phenotype_arms import arms_panel
from pages.widgets.phenotype_profile import profile_panel
from pages.widgets.topbar import bound_select

WAY, LEVEL, COUNT = "phenotype_by", "phenotype_level", "phenotype_count"
LABEL = "phenotype"
WHY = "Groups of patients that the experts make, with their survival and with how stable they are."


def phenotypes_tab(view: View) -> None:
    """Choice, stability beside the curves, the way to a group's patients, profile and treatment arms."""
    record = routing_of(view, WHY)
    if record is None or view.run is None:
        return
    choice = _choice(record)
    with loading("Making the groups"):
        found = _made(str(view.workspace.root), record.run, routing_stamp(record.run, view.workspace), choice, record)
    place = {patient: i for i, patient in enumerate(view.cohort.ids)}
    rows = np.array([place[i] for i in record.ids if view.mask[place[i]]])
    if not len(rows):
        state_box("No selected patient here", ("None of the selected patients was judged by this run.",), "slight")
        return
    outcome = make_outcome(view.cohort, rows, view.state.endpoint, view.state.options.competing_as)
    try:
        result = analyse_groups(outcome, phenotype_grouping(record, found, outcome, view.run),
                                view.state.options.survival)  # fmt: skip
    except PrognoscopeError as error:
        show_error(error)
        return
    with st.container(key="phenotype_head"):
        left, right = st.columns([7, 4], gap="medium")
    with left:
        _curves(view, found, result)
    with right:
        _stability(record, found)
        for words in made_of_missing(view.cohort, record, found, view.run.modalities):
            note(words, warn=True)
    _groups(record, found, result)
    profile_panel(view, record, found)
    arms_panel(view, outcome, result.grouping)


def _choice(record: RoutingRecord) -> PhenotypeChoice:
    left, right, _ = st.columns([4, 4, 4], gap="medium")
    ways, asked = choices(record), page.current().phenotyping
    way = next((w for w in ways if w == asked.by), ways[0])
    with left:
        by = bound_select("Groups by", ways, way, WAY, lambda w: page.phenotypes_by(by=str(w)), format_func=str)
    with right:
        if by is By.DOMINANT:
            levels = list(record.levels)
            level = asked.level if asked.level in levels else levels[-1]
            return PhenotypeChoice(
                by, bound_select("Level", levels, level, LEVEL, lambda n: page.phenotypes_by(by=str(by), level=n))
            )
        count = bound_select(
            "How many", (2, 3, 4, 5), asked.count, COUNT, lambda n: page.phenotypes_by(by=str(by), count=n)
        )
        return PhenotypeChoice(by, "", int(count))


@st.cache_resource(scope="session", show_spinner=False, max_entries=8)
def _made(root: str, run: str, stamp: int, choice: PhenotypeChoice, _record: RoutingRecord) -> Phenotypes:
    return make_phenotypes(_record, choice)


def _curves(view: View, found: Phenotypes, result: GroupSurvival) -> None:
    unsure = {name for g, name in enumerate(found.names) if not found.stable(g)}
    title = f"{result.outcome.remaining} by {found.choice.by}"
    synthetic = view.cohort.synthetic
    alt = f"{title}: {result.n} patients, {result.n_events} events in {len(result.groups)} groups"
    figure_block(
        Block("phenotypes", alt, lambda shown: survival_figure(result, title, synthetic, True, shown, unsure),
              partial(drawn_numbers, result), partial(python_code, result, title, synthetic),
              partial(r_code, result, title, synthetic)),
        key=chart_key("phenotypes", (found.choice, view.state.selection)),
    )  # fmt: skip
    for words in result.notes:
        note(words, warn=words.startswith("Circular"))
    if not result.grouping.warnings:
        note("Out-of-fold: each patient’s group comes from models that never saw them. The models were trained on "
             "survival, so groups that differ are what they were made for, not a discovery.")  # fmt: skip


def _stability(record: RoutingRecord, found: Phenotypes) -> None:
    st.subheader("Do other models find these groups?")
    st.markdown(f"**{found.verdict}**")
    rows = f"Seeds, on patients none of them saw: {stability_words(found.seeds)}."
    note(rows)
    if found.folds is not None:
        note(f"Folds of one seed, on all patients: {stability_words(found.folds)}.")
    note("Adjusted Rand index: 1 = the same groups, 0 = as alike as chance. 95 % interval by drawing patients again.")
    numbers_table(phenotype_table(found), right=("Patients",))
    note("Jaccard: share of a group’s patients that another seed puts together again; grey below 0.6.")
    if found.choice.by is By.DOMINANT:
        level = record.levels[found.choice.level]
        if not level.named:
            note(f"Experts matched between models: mean correlation of the gates {level.within.mean():.2f} within and "
                 f"{level.between.min():.2f} between seeds.")  # fmt: skip


def _groups(record: RoutingRecord, found: Phenotypes, result: GroupSurvival) -> None:
    """One button a group: its patients become the selection of all pages."""
    st.markdown("**Look at the patients of a group** (they become the selection on all pages)")
    here = {i for group in result.groups for i in group.ids}
    with st.container(horizontal=True, key="phenotype_groups"):
        for g, name in enumerate(found.names):
            ids = tuple(i for i, m in zip(record.ids, found.member, strict=True) if m == g and i in here)
            if ids:
                st.button(f"{name} ({len(ids)})", key=f"phenotype_{g}", on_click=_select, args=(ids, name))
    if any(isinstance(f, IdsFilter) and f.label.startswith(LABEL) for f in page.current().selection.filters):
        open_patient([i for i in record.ids if i in here], "phenotype")


def _select(ids: tuple[str, ...], name: str) -> None:
    page.add_filter(IdsFilter(ids, f"{LABEL}: {name}"))
