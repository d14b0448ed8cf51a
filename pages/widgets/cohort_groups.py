"""Named groups with set algebra and overlap, and patients pasted by id."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import pandas as pd
import streamlit as st

from core.cohort.selection import IdsFilter, NamedGroup, find_ids, overlap, selected_group
from core.cohort.storage import load_original_ids
from pages.widgets import state as page
from pages.widgets.cohort_table import save_group
from pages.widgets.data import View
from pages.widgets.html import note, numbers_table

UNION, INTERSECTION, DIFFERENCE = "either (union)", "both (intersection)", "first without second (difference)"


def groups_panel(view: View) -> None:
    """Save the selection as a group; join, cut and compare groups."""
    st.header("Groups")
    left, right = st.columns([5, 7])
    with left, st.form("new_group", border=False):
        name = st.text_input("Name for the selected patients", placeholder="for example: early, small tumour")
        if st.form_submit_button(f"Save {view.selected.count:,} patients as a group"):
            save_group(name.strip() or "Group", selected_group("", view.cohort, view.mask).ids)
            st.rerun()
    groups = page.current().groups
    with right:
        if not groups:
            note("No group yet. Saved groups can be compared on the Survival page (Group by: named groups).")
        for index, group in enumerate(groups):
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(f"**{group.name}** · {len(group):,} patients")
                st.button("Show only", key=f"show_{index}", on_click=_show, args=(group,))
                st.button("Remove", key=f"drop_{index}", type="tertiary", on_click=_drop, args=(group,))
    if len(groups) > 1:
        _algebra(groups)
        _overlaps(groups)


def _show(group: NamedGroup) -> None:
    page.add_filter(IdsFilter(group.ids, group.name))


def _drop(group: NamedGroup) -> None:
    state = page.current()
    page.put(replace(state, groups=tuple(g for g in state.groups if g != group)))


def _algebra(groups: tuple[NamedGroup, ...]) -> None:
    named = {g.name: g for g in groups}
    first, how, second, button = st.columns([3, 3, 3, 2], vertical_alignment="bottom")
    a = first.selectbox("First group", list(named), key="algebra_first")
    operation = how.selectbox("Patients in", [UNION, INTERSECTION, DIFFERENCE], key="algebra_how")
    b = second.selectbox("Second group", list(named), index=1, key="algebra_second")
    made = {UNION: NamedGroup.union, INTERSECTION: NamedGroup.intersection, DIFFERENCE: NamedGroup.difference}
    result = made[operation](named[a], named[b])
    button.button(
        f"Make ({len(result):,})", key="algebra_make", disabled=not len(result), on_click=save_group,
        args=(result.name, result.ids), width="stretch",
    )  # fmt: skip


def _overlaps(groups: tuple[NamedGroup, ...]) -> None:
    """Shared patients of every pair: shown before any test."""
    rows = []
    for a, b in combinations(groups, 2):
        found = overlap(a, b)
        rows.append({"Groups": f"{a.name} · {b.name}", "Only the first": found.first_only, "In both": found.both,
                     "Only the second": found.second_only})  # fmt: skip
    numbers_table(pd.DataFrame(rows), right=("Only the first", "In both", "Only the second"))
    if any(row["In both"] for row in rows):
        note("Patients in two groups are left out of every comparison of those groups, and counted there.", warn=True)


def paste_panel(view: View) -> None:
    """Ids pasted freely become a filter; words that name nobody are listed."""
    with st.expander("Paste a list of patients"):
        with st.form("paste", border=False):
            text = st.text_area(
                "Patient ids, separated by spaces, commas or lines", height=100,
                help="Pseudonyms, or the original ids where this workspace holds their protected map. "
                "Only pseudonyms are kept.",
            )  # fmt: skip
            pressed = st.form_submit_button("Find these patients")
        if not pressed:
            return
        found = find_ids(text, view.cohort, _originals(view))
        if found.not_found:
            shown = ", ".join(found.not_found[:40]) + (" …" if len(found.not_found) > 40 else "")
            note(f"{len(found.not_found)} not found in this cohort: {shown}", warn=True)
        if not found.found:
            note("Nobody found, so nothing was filtered.", warn=True)
            return
        st.success(f"{len(found.found)} found.")
        st.button(
            f"Keep only these {len(found.found)}", key="keep_pasted", on_click=page.add_filter,
            args=(IdsFilter(found.found, "pasted list"),),
        )  # fmt: skip


def _originals(view: View) -> dict[str, str]:
    return {} if view.cohort.synthetic else load_original_ids(view.cohort.name, view.workspace)
