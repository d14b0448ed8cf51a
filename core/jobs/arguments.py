"""The arguments a task takes, described so that they can be checked before a job waits for an hour only to fail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from core.errors import PrognoscopeError

Kind = Literal["text", "whole number", "number", "yes or no", "texts", "numbers", "settings", "settings by name"]

_FITS: Mapping[str, Any] = {
    "text": lambda v: isinstance(v, str),
    "whole number": lambda v: isinstance(v, int) and not isinstance(v, bool),
    "number": lambda v: isinstance(v, int | float) and not isinstance(v, bool),
    "yes or no": lambda v: isinstance(v, bool),
    "texts": lambda v: isinstance(v, list | tuple) and all(isinstance(x, str) for x in v),
    "numbers": lambda v: (
        isinstance(v, list | tuple) and all(isinstance(x, int | float) and not isinstance(x, bool) for x in v)
    ),
    "settings": lambda v: _settings(v),
    "settings by name": lambda v: (
        isinstance(v, Mapping) and all(isinstance(x, str) and _settings(y) for x, y in v.items())
    ),
}
_WORDS = {
    "texts": "a list of texts",
    "numbers": "a list of numbers",
    "settings": "names with values",
    "settings by name": "names, each with names and values",
}


@dataclass(frozen=True)
class Argument:
    """One argument: its kind, whether it must be given, whether it may be null, and its values
    (of ``texts`` each item's) when they are few."""

    kind: Kind
    required: bool = False
    nullable: bool = False
    choices: tuple[str, ...] = ()


def check_arguments(task: str, known: Mapping[str, Argument], given: Mapping[str, Any]) -> None:
    """Raise for an argument the task does not know, one that is missing, or one of another kind."""
    where = f"the job {task!r}"
    for name in given:
        if name not in known:
            raise PrognoscopeError(f"unknown argument {name!r}", where, f"use {', '.join(known) or 'none'}")
    for name, argument in known.items():
        if name not in given:
            if argument.required:
                raise PrognoscopeError(f"no argument {name!r}", where, f"give {_words(argument)}")
        elif not _fits(argument, given[name]):
            raise PrognoscopeError(f"argument {name!r} of another kind", where, f"give {_words(argument)}")


def _settings(value: Any) -> bool:
    return isinstance(value, Mapping) and all(
        isinstance(name, str) and (one is None or isinstance(one, str | int | float)) for name, one in value.items()
    )


def _fits(argument: Argument, value: Any) -> bool:
    if value is None:
        return argument.nullable
    if not _FITS[argument.kind](value):
        return False
    single = value if argument.kind == "texts" else [value]
    return not argument.choices or all(item in argument.choices for item in single)


def _words(argument: Argument) -> str:
    if argument.choices:
        return ("any of " if argument.kind == "texts" else "one of ") + ", ".join(argument.choices)
    return _WORDS.get(argument.kind, argument.kind if argument.kind == "yes or no" else f"a {argument.kind}")
