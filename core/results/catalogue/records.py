"""What a page needs to know of a model: its settings with their defaults, and presets of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

SettingValue = bool | int | float | str | None
Kind = Literal["whole number", "number", "yes or no", "choice"]


@dataclass(frozen=True)
class Setting:
    """One setting of a model or of its training.

    Parameters
    ----------
    name : str
        As on the command line: ``"top_k"``, ``"training.epochs"``.
    label, tooltip : str
        Words for a page.
    default : value
        That of the configuration itself (a test compares them).
    choices : tuple of str
        The values of a word; empty for numbers and for yes or no.
    optional : bool
        May be left empty (None).
    """

    name: str
    label: str
    default: SettingValue
    tooltip: str
    choices: tuple[str, ...] = ()
    optional: bool = False

    @property
    def kind(self) -> Kind:
        """Which control shows it."""
        if self.choices:
            return "choice"
        if isinstance(self.default, bool):
            return "yes or no"
        return "whole number" if isinstance(self.default, int) else "number"


@dataclass(frozen=True)
class Preset:
    """Settings that belong together.

    ``settings`` are those that differ from the defaults · ``seeds`` and ``references`` replace the reader's choice
    where they are given.
    """

    name: str
    title: str
    tooltip: str
    settings: Mapping[str, SettingValue] = field(default_factory=dict)
    seeds: int | None = None
    references: bool | None = None


@dataclass(frozen=True)
class ModelEntry:
    """One model of the registry, or one of the simpler models it is read against.

    ``modalities`` it can read · ``trained`` by epochs, so that it has a protocol, seeds that matter and a live view ·
    ``named_experts`` the experts that are called after something, so that an audit can ask whether they mean it.
    """

    name: str
    title: str
    tooltip: str
    modalities: tuple[str, ...]
    trained: bool
    settings: tuple[Setting, ...]
    presets: tuple[Preset, ...]
    named_experts: tuple[str, ...] = ()

    def setting(self, name: str) -> Setting | None:
        """The setting called ``name``; None for one this model does not have."""
        return next((s for s in self.settings if s.name == name), None)

    def preset(self, name: str) -> Preset:
        """The preset called ``name``, or the first."""
        return next((p for p in self.presets if p.name == name), self.presets[0])

    def non_default(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The settings among ``values`` that differ from their defaults, in the order of the catalogue."""
        return {s.name: values[s.name] for s in self.settings if s.name in values and values[s.name] != s.default}
