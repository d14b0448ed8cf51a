"""What distinguishes runs: the settings, inputs and code that are not the same in all of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from core.results.model_catalogue import CATALOGUE, setting_words, value_words
from core.results.naming import model_words
from core.results.run import Run

NONE = "–"


def effective_settings(run: Run) -> dict[str, Any]:
    """Every setting of the run's model and training: what the run stored over the catalogue's defaults."""
    entry = CATALOGUE.get(run.model)
    values: dict[str, Any] = {} if entry is None else {s.name: s.default for s in entry.settings}
    config: Mapping[str, Any] = run.config
    values |= dict(config.get("model", {}))
    stored = {f"training.{k}": v for k, v in config.get("training", {}).items() if k != "protocol"}
    return values | {k: v for k, v in stored.items() if entry is None or entry.setting(k) is not None}


def non_default_settings(run: Run) -> dict[str, Any]:
    """The settings of a run that differ from the defaults."""
    entry = CATALOGUE.get(run.model)
    values = effective_settings(run)
    if entry is None:
        return values
    return {name: v for name, v in values.items() if (s := entry.setting(name)) is None or s.default != v}


def settings_sentence(run: Run) -> str:
    """``"Epochs 20, Patients a step 16"``, or that all are defaults."""
    found = non_default_settings(run)
    return ", ".join(f"{setting_words(run.model, n)} {value_words(v)}" for n, v in found.items()) or "all as by default"


def _facts(run: Run) -> dict[str, str]:
    """What defines a run beside its settings."""
    return {
        "Model": model_words(run.model),
        "Modalities": " + ".join(run.modalities),
        "Cohort": run.cohort,
        "Data": run.cohort_hash[:12],
        "Endpoint": run.endpoint,
        "Folds": run.folds,
        "Seeds": str(len(run.seeds)),
        "Protocol": run.protocol,
        "Code": run.code_version,
        "Machine": run.machine,
    }


def differences(runs: tuple[Run, ...], names: Mapping[str, str]) -> pd.DataFrame:
    """One row a fact, or a setting beside its default, that is not the same in all runs; one column a run.

    ``names`` run id → its column. A setting that is the default in every run that has it is left out.
    """
    facts = [_facts(run) for run in runs]
    settings = [effective_settings(run) for run in runs]
    rows = [{"What differs": key, **_row(runs, names, [f[key] for f in facts])}
            for key in facts[0] if len({f[key] for f in facts}) > 1]  # fmt: skip
    for key in dict.fromkeys(k for run in runs for k in non_default_settings(run)):
        words = [value_words(s[key]) if key in s else NONE for s in settings]
        if len(set(words)) > 1:
            label = next((w for run in runs if (w := setting_words(run.model, key)) != key), key)
            rows.append({"What differs": label, **_row(runs, names, words)})
    return pd.DataFrame(rows)


def _row(runs: tuple[Run, ...], names: Mapping[str, str], words: list[str]) -> dict[str, str]:
    return {names[run.id]: word for run, word in zip(runs, words, strict=True)}
