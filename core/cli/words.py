"""What several commands read from the command line: settings and modalities."""

from __future__ import annotations

from typing import Any

from core.cohort.modality import Modality
from core.errors import PrognoscopeError


def value_of(text: str) -> Any:
    """A setting's value: true/false, a whole number, a number, none, or a word."""
    words: dict[str, Any] = {"true": True, "false": False, "none": None}
    if text.lower() in words:
        return words[text.lower()]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def settings_of(texts: list[str]) -> dict[str, Any]:
    """Settings written as NAME=VALUE."""
    settings = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign:
            raise PrognoscopeError(f"{text!r} is no setting", "--set", "write it as NAME=VALUE")
        settings[name] = value_of(value)
    return settings


def modalities_of(text: str) -> tuple[Modality, ...]:
    """Comma-separated modalities."""
    try:
        return tuple(Modality(m.strip()) for m in text.split(",") if m.strip())
    except ValueError as error:
        raise PrognoscopeError(str(error), "--modalities", f"use {', '.join(Modality)}") from error
