"""The waterfall with its depths, the reasons in words, and what is known of the explanation's own quality."""

from __future__ import annotations

from html import escape
from typing import Any

import pandas as pd
import streamlit as st

from core.analysis.explanation_sentences import Reason, reasons, trust_lines, unstable_words
from core.analysis.points import axis_words, group_words, points
from core.analysis.reproduce_values import waterfall_code
from core.analysis.waterfall import Depth, StepKind, steps_table, waterfall_steps
from core.figures.waterfall import waterfall_figure
from core.results.explanation import Explanation
from core.results.naming import model_words
from pages.widgets.data import View
from pages.widgets.figure_block import Block, chart_key, figure_block
from pages.widgets.html import note, numbers_table, state_box

OPEN = "values_open"
_ALL = ""
MOST_PLAYERS = 8
_SIGN = "/"


def waterfall_block(view: View, found: Explanation) -> None:
    """The chart, and the box that opens a group or a family; a click on a bar opens it as well."""
    options = _options(found)
    _take_up_click()
    if st.session_state.get(OPEN) not in options:
        st.session_state[OPEN] = _ALL
    with st.container(horizontal=True, vertical_alignment="bottom", key="values_depth"):
        chosen = st.selectbox("Show", list(options), key=OPEN, format_func=lambda o: options[o], width=420)
        if chosen != _ALL:
            st.button("Back to the groups", key="values_close", on_click=_open, args=(_ALL,))
    depth = _depth(chosen)
    if depth.family is not None and not found.stable_ranks:
        state_box("Single genes are not ranked here", (unstable_words(found), "Families and groups are shown."),
                  "slight")  # fmt: skip
        return
    steps = waterfall_steps(found, depth)
    title = f"What moves this patient’s estimate ({model_words(view.run.model) if view.run else ''})"
    words = "; ".join(f"{s.name} {points(s.value)}" for s in steps[1:-1])
    alt = f"From {found.baseline:.1f} % to {found.prediction:.1f} %: {words}."
    figure_block(
        Block(
            "patient-waterfall", alt, lambda shown: waterfall_figure(found, steps, title, shown),
            lambda: steps_table(steps), lambda: waterfall_code(title, axis_words(found.month)),
        ),
        key=chart_key("waterfall", (found.patient, chosen)), on_select=_clicked, selection_mode=("points",),
    )  # fmt: skip
    if any(s.kind in (StepKind.GROUP, StepKind.FAMILY) and s.count > 1 for s in steps):
        note("Blue raises the estimated survival, orange lowers it. Click a bar to open what it sums.")


def _options(found: Explanation) -> dict[str, str]:
    """What can be opened: key → words."""
    options = {_ALL: "Groups"}
    for group in found.by_group()["group"]:
        part = found.features[found.features["group"] == group]
        if len(part) < 2:
            continue
        families = [f for f in found.by_family().query("group == @group")["family"] if f]
        options[group] = f"{group_words(group)}, by family" if families else group_words(group)
        options |= {f"{group}{_SIGN}{f}": f"{group_words(group)} of {f}" for f in families}
    return options


def _depth(chosen: str) -> Depth:
    group, sign, family = chosen.partition(_SIGN)
    return Depth(group, family if sign else None)


def _open(chosen: str) -> None:
    st.session_state[OPEN] = chosen


def _clicked(chosen: list[dict[str, Any]]) -> bool:
    """Open the bar that was clicked; a group opened before keeps its name in front of its families."""
    keys = [p.get("customdata") for p in chosen if p.get("customdata")]
    if not keys:
        return False
    kind, key = str(keys[0][0]), str(keys[0][1])
    before = str(st.session_state.get(OPEN, _ALL))
    if kind == StepKind.FAMILY:
        wanted = f"{before.partition(_SIGN)[0]}{_SIGN}{key}"
    elif kind == StepKind.GROUP:
        wanted = key
    else:
        return False
    if wanted == before:
        return False
    st.session_state[f"{OPEN}_next"] = wanted
    return True


def _take_up_click() -> None:
    """Before the box is drawn: open what was clicked in the last run."""
    if (wanted := st.session_state.pop(f"{OPEN}_next", None)) is not None:
        st.session_state[OPEN] = wanted


def reasons_block(found: Explanation) -> None:
    """Up to three values that raise and three that lower the estimated risk, each sure of its sign."""
    st.subheader("Reasons the models agree on")
    named = reasons(found)
    if named.why_none:
        note(named.why_none, warn=True)
        return
    for title, items in (("Raise the estimated risk", named.raising), ("Lower the estimated risk", named.lowering)):
        st.html(f"<p class='field'><b>{title}</b></p>{_list(items)}")
    note("Each has the same sign in at least 90 % of the models and background draws.")


def _list(items: tuple[Reason, ...]) -> str:
    if not items:
        return "<p class='note'>No stable reason.</p>"
    return "<ul class='value-reasons'>" + "".join(f"<li>{escape(i.sentence)}.</li>" for i in items) + "</ul>"


def levels_block(found: Explanation) -> None:
    """Tables of few players (modalities, pathways, experts), where the explanation holds any."""
    for name in found.extra.get("levels", {}):
        table = found.level(str(name))
        if table is None:
            continue
        st.markdown(f"**By {name}** (KernelSHAP), {axis_words(found.month)}")
        others, table = table.iloc[MOST_PLAYERS:], table.head(MOST_PLAYERS)
        shown = pd.DataFrame(
            {str(name).capitalize(): table["name"].map(group_words), "Value": table["value"].map(points),
             "± over models": table["std"].map(lambda v: "one model" if v != v else f"{v:.1f}")}
        )  # fmt: skip
        numbers_table(shown, right=("Value", "± over models"))
        if len(others):
            note(f"{len(others)} others together {points(float(others['value'].sum()))}.")


def trust_block(found: Explanation) -> None:
    """The explanation's own quality, one line a question."""
    st.subheader("How sure is this explanation?")
    rows = "".join(
        f"<tr><td>{escape(question)}</td><td><span class='badge{'' if good else ' warn'}'>"
        f"{'yes' if good else 'caution'}</span></td><td>{escape(answer)}</td></tr>"
        for question, answer, good in trust_lines(found)
    )
    st.html(f"<table class='numbers'><tbody>{rows}</tbody></table>")
