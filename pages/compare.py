"""Compare: two or more runs side by side on the patients all of them predicted."""

from __future__ import annotations

import streamlit as st

from core.analysis.run_comparison import RunComparison
from core.errors import PrognoscopeError
from pages.widgets.compare_choice import choose_runs, chosen_runs
from pages.widgets.compare_figures import agreement_block, forest_block
from pages.widgets.compare_results import compared, numbers, what_differs
from pages.widgets.data import View
from pages.widgets.frame import loading, show_error
from pages.widgets.html import state_box
from pages.widgets.opening import nobody_selected, show_page


def body(view: View) -> None:
    """The normal state, or an empty one: nobody selected, or fewer than two runs."""
    if not view.selected.count:
        nobody_selected()
        return
    offered = choose_runs(view)
    runs = chosen_runs(offered)
    if len(runs) < 2:
        _too_few(view, len(offered))
        return
    result: RunComparison | None = None
    try:
        with loading("Comparing the runs"):
            result = compared(view, runs)
    except PrognoscopeError as error:
        show_error(error)
    if result is not None:
        numbers(view, result)
        forest_block(result)
        agreement_block(result)
    what_differs(runs)


def _too_few(view: View, runs: int) -> None:
    if runs > 1:
        state_box("Choose at least two runs", ("They are compared on the patients all of them predicted.",), "slight")
        return
    state_box(
        "Nothing to compare yet",
        (
            f"{'There is one run' if runs else 'There is no run'}; a comparison needs two.",
            "The Train page makes another, for example of a simpler model on the same folds.",
            f"On the command line: `./run cli train --cohort {view.cohort.name} --model snn`",
        ),
    )
    if st.button("Go to Train", key="go_train"):
        st.switch_page("train.py")


show_page("Compare", body)
