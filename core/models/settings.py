"""Settings typed by a person, checked against the configuration they are for before any work begins."""

from __future__ import annotations

import math
import types
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from core.errors import PrognoscopeError


def check_settings(kind: type[Any], settings: Mapping[str, Any], where: str) -> None:
    """Raise for a setting that ``kind`` lacks, of another type, or out of range.

    Parameters
    ----------
    kind : dataclass
        Its annotations say what each setting may be. Whole numbers have to be at least 1 (0 where that is what they
        are by default), others at least 0.
    settings : mapping of name to value
    where : str
        Words for the failure, e.g. ``"the configuration of HDMoE"``.
    """
    known = [f.name for f in fields(kind) if f.name != "name"]
    hints = get_type_hints(kind)
    least = {f.name: 0 if isinstance(f.default, int) and f.default == 0 else 1 for f in fields(kind)}
    for name, value in settings.items():
        if name not in known:
            raise PrognoscopeError(f"unknown setting {name!r}", where, f"use {', '.join(known)}")
        if not _fits(value, hints[name], least[name]):
            raise PrognoscopeError(f"{name} = {value!r}", where, f"give {_words(hints[name], least[name])}")


def _fits(value: Any, hint: Any, least: int) -> bool:
    origin = get_origin(hint)
    if origin is Literal:
        return value in get_args(hint)
    if origin in (Union, types.UnionType):
        return any(_fits(value, h, least) for h in get_args(hint))
    if isinstance(value, bool) or hint is bool:
        return hint is bool and isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and value >= least
    if hint is float:
        return isinstance(value, int | float) and math.isfinite(value) and value >= 0
    return isinstance(value, hint)


def _words(hint: Any, least: int) -> str:
    origin = get_origin(hint)
    if origin is Literal:
        return " or ".join(str(a) for a in get_args(hint))
    if origin in (Union, types.UnionType):
        return " or ".join(_words(h, least) for h in get_args(hint))
    names = {
        bool: "true or false",
        int: f"a whole number from {least} on",
        float: "a number from 0 on",
        types.NoneType: "none",
    }
    return names.get(hint, "a word")
