"""What an outcome code means where it says so itself. Everything else is left to the user: it is never guessed."""

from __future__ import annotations

from collections.abc import Sequence

from core.cohort.column_view import CodeCount, ColumnView

_CENSORED = {"alive", "living", "censored", "lost to follow-up", "lost to follow up", "no event", "event-free",
             "event free", "disease free", "disease-free", "diseasefree", "no recurrence", "no progression",
             "not recurred", "progression free"}  # fmt: skip
_EVENT = {"dead", "deceased", "died", "death", "event", "recurred", "recurrence", "relapse", "relapsed", "progressed",
          "progression", "recurred/progressed"}  # fmt: skip
_NAMED_FOR_EVENT = {"death", "dead", "died", "deceased", "recurrence", "recurred", "relapse", "relapsed",
                    "progression", "progressed", "event"}  # fmt: skip
_REVERSED = {"free", "no", "non", "cens", "censor", "censored", "censorship", "without", "cause", "type", "time"}
_ANSWERS = {"0": "censored", "1": "event", "no": "censored", "yes": "event", "false": "censored", "true": "event"}


def certain_meanings(column: ColumnView) -> tuple[dict[str, str], str]:
    """Meanings of those codes that leave no doubt, and why.

    Certain are words such as ``Alive`` and ``1:DECEASED``, and 0/1, no/yes or false/true in a column named for the
    event itself (``Death``). A column called ``status`` says nothing about what 1 and 2 are.

    Returns
    -------
    meanings : dict of code to ``censored`` or ``event``; a code in doubt is not in it
    why : str
        Empty when nothing is certain.
    """
    spoken = {c.code: m for c in column.codes if (m := _meaning_of_word(c.code))}
    if spoken:
        return spoken, "the codes say so in words"
    if column.tokens & _NAMED_FOR_EVENT and not column.tokens & _REVERSED and _yes_or_no(column.codes):
        return {c.code: _ANSWERS[c.code.lower()] for c in column.codes}, f"the column is called {column.name}"
    return {}, ""


def _meaning_of_word(code: str) -> str:
    """The meaning of a code in words; ``1:DECEASED`` counts by its words."""
    number, sign, text = code.partition(":")
    word = (text if sign and number.strip().isdigit() else code).strip().lower()
    if word in _CENSORED:
        return "censored"
    return "event" if word in _EVENT else ""


def _yes_or_no(codes: Sequence[CodeCount]) -> bool:
    """True when the codes are one pair of opposite answers, or one half of it."""
    found = {c.code.lower() for c in codes}
    return bool(found) and any(found <= pair for pair in ({"0", "1"}, {"no", "yes"}, {"false", "true"}))
