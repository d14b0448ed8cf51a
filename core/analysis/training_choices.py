"""What a reader chose to train: as arguments of a job, as the command that repeats it, and what of it is unusual."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from core.errors import PrognoscopeError
from core.results.catalogue.records import ModelEntry, SettingValue
from core.results.model_catalogue import CATALOGUE, value_words

DEFAULT_MODEL, DEFAULT_FOLDS, DEFAULT_SEEDS = "hdmoe", "5", 3
MOST_SEEDS = 20


@dataclass(frozen=True)
class TrainingChoices:
    """Choices of the Train page.

    ``modalities`` empty = every one that can be used now · ``folds`` as on the command line, or ``file:<name>`` for
    folds of one's own · ``settings`` (name, value) pairs that differ from the model's defaults.
    """

    model: str = DEFAULT_MODEL
    preset: str = "recommended"
    modalities: tuple[str, ...] = ()
    folds: str = DEFAULT_FOLDS
    seeds: int = DEFAULT_SEEDS
    protocol: str = "honest"
    device: str = "cpu"
    references: bool = True
    settings: tuple[tuple[str, SettingValue], ...] = ()

    @property
    def entry(self) -> ModelEntry:
        """The chosen model in the catalogue; the first one for a name that is gone."""
        return CATALOGUE.get(self.model) or CATALOGUE[DEFAULT_MODEL]

    def values(self) -> dict[str, SettingValue]:
        """Every setting with its value."""
        return {s.name: s.default for s in self.entry.settings} | dict(self.settings)

    def with_settings(self, values: Mapping[str, SettingValue]) -> dict[str, Any]:
        """Changes that set these settings; a value that is the default is not kept."""
        merged = self.entry.non_default(self.values() | dict(values))
        return {"settings": tuple(merged.items())}

    def as_json(self) -> dict[str, Any]:
        """Plain values, for a saved view."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> TrainingChoices:
        """Rebuild from :meth:`as_json`; settings that the model does not have any more are dropped."""
        data = dict(value)
        entry = CATALOGUE.get(data["model"])
        known = {s.name for s in entry.settings} if entry is not None else set()
        data["settings"] = tuple((str(n), v) for n, v in data["settings"] if n in known)
        data["modalities"] = tuple(str(m) for m in data["modalities"])
        return cls(**data)


def of_model(model: str, choices: TrainingChoices) -> TrainingChoices:
    """The choices after another model was chosen: its defaults, on the same patients and folds."""
    return TrainingChoices(
        model=model, modalities=choices.modalities, folds=choices.folds, seeds=choices.seeds, device=choices.device,
        references=choices.references,
    )  # fmt: skip


def of_preset(name: str, choices: TrainingChoices) -> TrainingChoices:
    """The choices after a preset was chosen: its settings and nothing of the former ones."""
    preset = choices.entry.preset(name)
    return replace(
        choices, preset=preset.name, settings=tuple(preset.settings.items()),
        seeds=DEFAULT_SEEDS if preset.seeds is None else preset.seeds,
        references=True if preset.references is None else preset.references,
    )  # fmt: skip


def job_arguments(
    choices: TrainingChoices, cohort: str, endpoint: str, modalities: tuple[str, ...], folds: str
) -> dict[str, Any]:
    """Arguments of the job ``train``.

    Parameters
    ----------
    modalities : the ones in use (:attr:`TrainingChoices.modalities` may be empty)
    folds : as on the command line

    Raises
    ------
    PrognoscopeError
        For choices that cannot be trained together.
    """
    entry = choices.entry
    unread = [m for m in modalities if m not in entry.modalities]
    if unread or not modalities:
        raise PrognoscopeError(
            f"{entry.title} reads no {' and no '.join(unread)}" if unread else "no modality chosen",
            "the chosen modalities", f"choose from {', '.join(entry.modalities)}",
        )  # fmt: skip
    if choices.protocol == "upstream" and (not entry.trained or entry.name == "late-fusion"):
        raise PrognoscopeError(
            f"{entry.title} has no epochs to choose from", "the protocol", "choose the honest protocol"
        )
    arguments: dict[str, Any] = {
        "cohort": cohort, "model": choices.model, "modalities": list(modalities), "endpoint": endpoint,
        "folds": folds, "seeds": choices.seeds, "protocol": choices.protocol, "device": choices.device,
        "settings": dict(choices.settings), "references": choices.references,
    }  # fmt: skip
    return arguments | {"command": command_of(arguments)}


def command_of(arguments: Mapping[str, Any]) -> str:
    """The command that repeats a training; everything that has another value than the command's own default."""
    words = ["./run", "cli", "train", "--cohort", arguments["cohort"], "--model", arguments["model"]]
    words += ["--modalities", ",".join(arguments["modalities"]), "--endpoint", arguments["endpoint"]]
    words += ["--folds", arguments["folds"], "--seeds", str(arguments["seeds"])]
    for name in ("protocol", "device"):
        words += (
            [f"--{name}", arguments[name]] if arguments[name] != {"protocol": "honest", "device": "cpu"}[name] else []
        )
    for name, value in arguments["settings"].items():
        words += ["--set", f"{name}={_typed(value)}"]
    return shlex.join(words + ([] if arguments["references"] else ["--no-references"]))


def _typed(value: SettingValue) -> str:
    """A value as the command line reads it."""
    return (
        {True: "true", False: "false", None: "none"}[value]
        if isinstance(value, bool | None)
        else repr(value).strip("'")
    )


def unusual(arguments: Mapping[str, Any], endpoint: str, modalities: tuple[str, ...]) -> list[tuple[str, str, str]]:
    """(what, chosen, by default) of everything unusual; ``endpoint`` and ``modalities`` are the usual ones."""
    entry = CATALOGUE[arguments["model"]]
    usual = {
        "Endpoint": (arguments["endpoint"], endpoint),
        "Modalities": (" + ".join(arguments["modalities"]), " + ".join(modalities)),
        "Folds": (arguments["folds"], DEFAULT_FOLDS),
        "Seeds": (str(arguments["seeds"]), str(DEFAULT_SEEDS)),
        "Protocol": (arguments["protocol"], "honest"),
        "Device": (arguments["device"], "cpu"),
        "Simpler models beside it": ("yes" if arguments["references"] else "no", "yes"),
    }
    found = [(what, chosen, default) for what, (chosen, default) in usual.items() if chosen != default]
    for setting in entry.settings:
        if setting.name in arguments["settings"]:
            found.append(
                (setting.label, value_words(arguments["settings"][setting.name]), value_words(setting.default))
            )
    return found
