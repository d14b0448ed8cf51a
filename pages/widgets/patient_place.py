"""The estimate among those of the other patients, and what it becomes for somebody who is still there later."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from core.analysis.patient_estimate import PatientEstimate
from core.analysis.patient_person import Person
from core.analysis.patient_presentations import conditional_table, lower_than
from core.analysis.patient_reproduce import place_code
from core.analysis.patient_sentences import month_words, percent_words, say, state_words
from core.figures.patient_place import place_figure
from core.results.prediction import Predictions
from pages.widgets.data import View
from pages.widgets.figure_block import Block, figure_block
from pages.widgets.html import note, numbers_table


def place_panel(view: View, person: Person, estimate: PatientEstimate, ensemble: Predictions) -> None:
    """A strip of all patients with this one's place."""
    month, state = view.state.month, state_words(person.endpoint)
    number = estimate.at(month)
    st.subheader("Among the other patients")
    if number is not None:
        own = (ensemble.table["id"] == person.patient).to_numpy() & (not person.new)
        others = np.where(own, np.nan, ensemble.survival_at(month))
        lower, known = lower_than(others, number.value)
        words = say("place", state=state, when=month_words(month), lower=lower, others=known)
        title = f"Estimates at {month_words(month)}"
        figure_block(
            Block(
                "patient-place", f"{words} This patient {percent_words(number.value)}.",
                lambda _: place_figure(others, number, title, state, person.base.synthetic),
                lambda: pd.DataFrame({"S": np.sort(others[np.isfinite(others)])}),
                lambda: place_code(title, state, number.value),
            )
        )  # fmt: skip
        note(words)


def later_panel(person: Person, estimate: PatientEstimate) -> None:
    """S(t | alive at s) as a table."""
    state = state_words(person.endpoint)
    st.subheader(f"If still {state} later")
    table = conditional_table(estimate, state)
    numbers_table(table, right=tuple(str(c) for c in table.columns[1:]))
    note(f"Each line: chance to be {state} later, for such a patient who is {state} at the time on the left.")
