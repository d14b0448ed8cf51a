"""Every setting of the chosen model and of its training, with its tooltip."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.results.catalogue.records import Setting
from core.results.model_catalogue import value_words
from pages.widgets import state as page

PREFIX = "training."


def settings_panel() -> None:
    """The settings, folded away: the defaults are meant to be kept."""
    choices = page.current().training
    count = len(choices.settings)
    words = "all as by default" if not count else f"{count} changed"
    with st.expander(f"Settings ({words})"):
        if not choices.entry.settings:
            st.caption("This model has no settings.")
        values = choices.values()
        model = [s for s in choices.entry.settings if not s.name.startswith(PREFIX)]
        training = [s for s in choices.entry.settings if s.name.startswith(PREFIX)]
        for title, part in (("Training", training), ("Model", model)):
            if part:
                st.subheader(title)
            for setting in part:
                _control(choices.entry.name, setting, values[setting.name])


def _control(model: str, setting: Setting, value: Any) -> None:
    """The control that fits the kind of a setting, bound to the page state."""
    key = f"set_{model}_{setting.name}"
    st.session_state[key] = value
    words = f"{setting.tooltip} By default: {value_words(setting.default)}."
    shared: dict[str, Any] = {
        "key": key, "help": words, "on_change": lambda: _changed(setting, st.session_state[key]),
    }  # fmt: skip
    if setting.kind == "choice":
        st.selectbox(setting.label, setting.choices, **shared)
    elif setting.kind == "yes or no":
        st.checkbox(setting.label, **shared)
    elif setting.kind == "whole number":
        st.number_input(setting.label, min_value=1, step=1, value=None if setting.optional else "min", **shared)
    else:
        st.number_input(setting.label, min_value=0.0, step=None, format="%g", **shared)


def _changed(setting: Setting, value: Any) -> None:
    if value is None and not setting.optional:
        value = setting.default
    page.train_with(**page.current().training.with_settings({setting.name: value}))
