"""The wizard's questions about the outcome: who is who, in which unit, and what each event code means."""

from __future__ import annotations

import streamlit as st

from core.cohort.column_view import ColumnView, Kind
from core.cohort.guessing import in_years
from core.cohort.importers.table import LABELS
from core.cohort.preview import Preview
from core.cohort.table_mapping import UNITS, EndpointMapping
from pages.widgets import import_state as wizard
from pages.widgets.html import note
from pages.widgets.import_state import Wizard
from pages.widgets.topbar import bound_select

NOT_SAID = ""
MEANINGS = {
    NOT_SAID: "choose …",
    "censored": "censored (no event so far)",
    "event": "the event",
    "competing": "a competing event",
}


def endpoints_panel(state: Wizard) -> None:
    """Id, time unit and time zero once; then every endpoint with its codes."""
    if state.preview is None:
        return
    st.subheader("Who, when, what happened")
    _once(state, state.preview)
    for number, endpoint in enumerate(state.mapping.endpoints):
        with st.container(border=True, key=f"import_endpoint_{number}"):
            _endpoint(state.preview, number, endpoint, len(state.mapping.endpoints) > 1)
    st.button("Add an endpoint", key="import_add_endpoint", type="tertiary", on_click=wizard.add_endpoint)
    if state.mapping.endpoints:
        st.session_state["import_agreed"] = state.agreed
        st.checkbox(
            "I have checked what each event code means", key="import_agreed",
            on_change=lambda: wizard.change(agreed=st.session_state["import_agreed"]),
        )  # fmt: skip


def _once(state: Wizard, found: Preview) -> None:
    left, middle, right = st.columns(3)
    with left:
        _column("Patient id", found, state.mapping.id, "import_id", lambda c: wizard.change_mapping(id=c))
        _why(found, state.mapping.id)
    with middle:
        bound_select(
            "Times are in", [NOT_SAID, *UNITS], state.mapping.time_unit, "import_unit",
            lambda unit: wizard.change_mapping(time_unit=unit), format_func=lambda unit: unit or "choose …",
        )  # fmt: skip
        note(_unit_words(state, found))
    with right:
        st.session_state["import_zero"] = state.mapping.time_zero
        st.text_input(
            "Times are counted from", key="import_zero", placeholder="entry into the study",
            on_change=lambda: wizard.change_mapping(time_zero=st.session_state["import_zero"].strip()),
        )  # fmt: skip
        note("For example diagnosis or operation.")


def _unit_words(state: Wizard, found: Preview) -> str:
    """Why this unit was proposed; for another one, how long the longest follow-up would be."""
    proposed = found.mapping.time_unit if found.mapping else ""
    if not state.mapping.time_unit or state.mapping.time_unit == proposed:
        return found.unit_reason[:1].upper() + found.unit_reason[1:] + "." if found.unit_reason else ""
    times = [c for e in state.mapping.endpoints if (c := found.column(e.time)) and c.kind is Kind.NUMBERS]
    if not times:
        return ""
    return f"The longest time would be {in_years(max(c.high for c in times), state.mapping.time_unit)}."


def _endpoint(found: Preview, number: int, endpoint: EndpointMapping, several: bool) -> None:
    name, time, event = st.columns(3)
    with name:
        bound_select(
            "Endpoint", list(dict.fromkeys((endpoint.name, *LABELS))), endpoint.name, f"import_name_{number}",
            lambda n: wizard.change_endpoint(number, name=(n or "").strip()), accept_new_options=True,
            format_func=lambda n: f"{LABELS[n]} ({n})" if n in LABELS else n,
        )  # fmt: skip
    with time:
        _column("Time", found, endpoint.time, f"import_time_{number}",
                lambda c: wizard.change_endpoint(number, time=c), numbers=True)  # fmt: skip
    with event:
        _column("Event", found, endpoint.event, f"import_event_{number}",
                lambda c: wizard.change_endpoint(number, event=c, codes={}), coded=True)  # fmt: skip
    _codes(found, number, endpoint)
    if several:
        st.button(f"Leave {endpoint.name} out", key=f"import_drop_{number}", type="tertiary",
                  on_click=wizard.drop_endpoint, args=(number,))  # fmt: skip


def _codes(found: Preview, number: int, endpoint: EndpointMapping) -> None:
    column = found.column(endpoint.event)
    if column is None or not column.codes:
        return
    for place, code in enumerate(column.codes):
        words, answer = st.columns([4, 6], vertical_alignment="center")
        words.markdown(f"**{code.code}** · {code.count:,} patient{'' if code.count == 1 else 's'}")
        with answer:
            bound_select(
                f"Meaning of {code.code}", list(MEANINGS), endpoint.codes.get(code.code, NOT_SAID),
                f"import_code_{number}_{place}", lambda m, c=code.code: _answer(number, endpoint, c, m),
                format_func=lambda m: MEANINGS[m], label_visibility="collapsed",
            )  # fmt: skip
    if column.missing:
        note(f"{column.missing:,} without an entry: kept, with an unknown outcome.")
    _why(found, endpoint.event)
    _labels(number, endpoint)


def _answer(number: int, endpoint: EndpointMapping, code: str, meaning: str) -> None:
    codes = {k: m for k, m in endpoint.codes.items() if k != code}
    wizard.change_endpoint(number, codes=codes | ({code: meaning} if meaning else {}))


def _labels(number: int, endpoint: EndpointMapping) -> None:
    left, right = st.columns(2)
    with left:
        _text("The event is called", f"import_event_label_{number}", endpoint.event_label, "death",
              lambda t: wizard.change_endpoint(number, event_label=t))  # fmt: skip
    if "competing" in endpoint.codes.values():
        with right:
            _text("The competing event is called", f"import_competing_label_{number}", endpoint.competing_label,
                  "for example liver transplant",
                  lambda t: wizard.change_endpoint(number, competing_label=t))  # fmt: skip


def _text(label: str, key: str, value: str, example: str, changed) -> None:
    st.session_state[key] = value
    st.text_input(label, key=key, placeholder=example, on_change=lambda: changed(st.session_state[key].strip()))


def _column(label, found: Preview, value: str, key: str, changed, numbers: bool = False, coded: bool = False) -> None:
    """A choice among the columns that could be meant; the chosen one is always among them."""
    fits = [c.name for c in found.columns if c.name == value or _fits(c, numbers, coded)]
    bound_select(label, [NOT_SAID, *fits], value, key, changed, format_func=lambda c: c or "choose …")


def _fits(column: ColumnView, numbers: bool, coded: bool) -> bool:
    if numbers:
        return column.kind is Kind.NUMBERS
    return bool(column.codes) if coded else column.kind is not Kind.EMPTY


def _why(found: Preview, column: str) -> None:
    reason = found.reasons.get(column, "")
    if reason:
        note(reason[:1].upper() + reason[1:] + ".")
