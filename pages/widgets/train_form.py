"""What a training is made of: model, preset, inputs, endpoint, folds, seeds, protocol, device and settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import streamlit as st

from core.analysis.training_choices import MOST_SEEDS, of_model, of_preset
from core.results.model_catalogue import CATALOGUE
from pages.widgets import state as page
from pages.widgets.data import View
from pages.widgets.html import note
from pages.widgets.topbar import bound_select
from pages.widgets.train_folds import folds_choice
from pages.widgets.train_modalities import modalities_choice
from pages.widgets.train_settings import settings_panel

PROTOCOLS = {"honest": "Honest", "upstream": "Upstream (optimistic)"}
DEVICES = {"cpu": "Processor", "cuda": "GPU"}


def form(view: View) -> tuple[str, ...]:
    """All choices, each bound to the page state; returns the modalities a training would use."""
    _model()
    _preset()
    usable = modalities_choice(view)
    _endpoint(view)
    folds_choice(view)
    _seeds()
    _protocol()
    _device()
    _references()
    settings_panel()
    return usable


def _model() -> None:
    choices = page.current().training
    bound_select(
        "Model", list(CATALOGUE), choices.entry.name, "train_model",
        lambda name: page.put(replace(page.current(), training=of_model(name, page.current().training))),
        format_func=lambda name: CATALOGUE[name].title, help=_list({e.title: e.tooltip for e in CATALOGUE.values()}),
    )  # fmt: skip
    note(choices.entry.tooltip)


def _preset() -> None:
    choices = page.current().training
    presets = {p.name: p for p in choices.entry.presets}
    chosen = choices.entry.preset(choices.preset)
    changed = choices.settings != tuple(chosen.settings.items())
    bound_select(
        "Preset", list(presets), chosen.name, "train_preset",
        lambda name: page.put(replace(page.current(), training=of_preset(name, page.current().training))),
        format_func=lambda name: presets[name].title, help=_list({p.title: p.tooltip for p in presets.values()}),
    )  # fmt: skip
    note(chosen.tooltip)
    if changed:
        st.button(
            f"Back to “{chosen.title}”", key="train_preset_again", type="tertiary",
            on_click=lambda: page.train_with(settings=tuple(chosen.settings.items())),
            help="Settings below were changed after this preset was chosen.",
        )  # fmt: skip


def _list(words: Mapping[str, str]) -> str:
    """A tooltip with one line an option."""
    return "\n".join(f"- **{name}**: {tooltip}" for name, tooltip in words.items())


def _endpoint(view: View) -> None:
    endpoints = view.cohort.endpoints
    bound_select(
        "Endpoint", list(endpoints), page.current().endpoint, "train_endpoint",
        lambda name: page.put(replace(page.current(), endpoint=name)),
        format_func=lambda name: f"{endpoints[name].label} ({name})",
        help="What is predicted. A competing event ends observation, like the end of follow-up.",
    )  # fmt: skip


def _seeds() -> None:
    st.session_state["train_seeds"] = page.current().training.seeds
    st.number_input(
        "Seeds", 1, MOST_SEEDS, key="train_seeds",
        on_change=lambda: page.train_with(seeds=int(st.session_state["train_seeds"])),
        help="How often every fold is trained, each time from another random start; predictions are averaged.",
    )  # fmt: skip


def _protocol() -> None:
    choices = page.current().training
    offered = list(PROTOCOLS) if choices.entry.trained and choices.model != "late-fusion" else ["honest"]
    if choices.protocol not in offered:
        page.train_with(protocol="honest")
    bound_select(
        "Protocol", offered, page.current().training.protocol, "train_protocol",
        lambda name: page.train_with(protocol=name), format_func=lambda name: PROTOCOLS[name],
        help="- **Honest**: held-out patients choose nothing.\n- **Upstream** repeats what the released code does: it "
        "picks the best epoch on the very patients it reports. The honest number then stands beside it.",
    )  # fmt: skip
    if page.current().training.protocol == "upstream":
        note("These numbers will be called optimistic wherever they show.", warn=True)


def gpu_present() -> bool:
    """Whether this machine lists an NVIDIA GPU; the training itself checks whether it can be used."""
    return Path("/proc/driver/nvidia/gpus").is_dir() and any(Path("/proc/driver/nvidia/gpus").iterdir())


def _device() -> None:
    offered = list(DEVICES) if gpu_present() else ["cpu"]
    if page.current().training.device not in offered:
        page.train_with(device="cpu")
    bound_select(
        "Device", offered, page.current().training.device, "train_device",
        lambda name: page.train_with(device=name), format_func=lambda name: DEVICES[name],
        help="A GPU can be chosen where this machine has one.",
    )  # fmt: skip


def _references() -> None:
    st.session_state["train_references"] = page.current().training.references
    st.checkbox(
        "Also train the simpler models", key="train_references",
        on_change=lambda: page.train_with(references=st.session_state["train_references"]),
        help="Kaplan-Meier null, Cox and each modality alone, on the same folds: the rows the run is read against.",
    )  # fmt: skip
