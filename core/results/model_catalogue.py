"""Every model by name, in words: what the Train page offers.

The web process must never load torch, so it cannot ask the registry. This list says the same in plain records; a test
compares it with the registry and with every configuration, field by field.
"""

from __future__ import annotations

from collections.abc import Mapping

from core.results.catalogue.networks import NETWORKS
from core.results.catalogue.records import ModelEntry
from core.results.catalogue.simple_models import SIMPLE

CATALOGUE: Mapping[str, ModelEntry] = {entry.name: entry for entry in (*NETWORKS, *SIMPLE)}


def named_experts(model: str) -> tuple[str, ...]:
    """What a model's experts are called after (``("liver", "tumour")``); empty where they have no names."""
    entry = CATALOGUE.get(model)
    return entry.named_experts if entry is not None else ()


def setting_words(model: str, name: str) -> str:
    """A setting in words for a page; its own name where the catalogue has none."""
    entry = CATALOGUE.get(model)
    setting = entry.setting(name) if entry is not None else None
    return setting.label if setting is not None else name


def value_words(value: object) -> str:
    """A setting's value in words: ``"yes"``, ``"all"`` for none, ``"0.0005"``."""
    if value is None:
        return "all"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)
