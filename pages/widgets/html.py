"""Small pieces of HTML the pages share; every text from data is escaped here and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

import pandas as pd
import streamlit as st


def state_box(title: str, lines: Iterable[str], kind: str = "") -> None:
    """One of the designed states: a title and sentences; ``kind`` is ``""``, ``"error"`` or ``"slight"``."""
    body = "".join(f"<p>{_with_code(line)}</p>" for line in lines)
    role = "alert" if kind == "error" else "status"
    st.html(f'<div class="state {kind}" role="{role}"><h3>{escape(title)}</h3>{body}</div>')


def _with_code(line: str) -> str:
    """Escaped text in which `backticks` become code."""
    parts = line.split("`")
    return "".join(f"<code>{escape(p)}</code>" if i % 2 else escape(p) for i, p in enumerate(parts))


def steps(names: Sequence[str], current: int) -> None:
    """The steps of a longer task, with the one it is at (1 = the first; beyond the last: all are done)."""
    cells = []
    for number, name in enumerate(names, start=1):
        kind = "now" if number == current else "done" if number < current else ""
        sign = "✓" if number < current else str(number)
        here = ' aria-current="step"' if number == current else ""
        cells.append(f'<li class="{kind}"{here}><span>{sign}</span>{escape(name)}</li>')
    st.html(f'<ol class="steps">{"".join(cells)}</ol>')


def facts(items: Sequence[tuple[str, str, str]]) -> None:
    """Large numbers with words: (number, "of …" or empty, what it counts)."""
    cells = "".join(
        f'<div><span class="n">{escape(n)}</span> <span class="of">{escape(of)}</span>'
        f'<div class="what">{escape(what)}</div></div>'
        for n, of, what in items
    )
    st.html(f'<div class="facts">{cells}</div>')


def numbers_table(frame: pd.DataFrame, right: Sequence[str] = ()) -> None:
    """A small table of results, all of it visible at once; columns in ``right`` are right-aligned."""
    side = {c: ' class="r"' if c in right else "" for c in frame.columns}
    head = "".join(f"<th{side[c]}>{escape(_heading(c))}</th>" for c in frame.columns)
    body = "".join(
        "<tr>" + "".join(f"<td{side[c]}>{escape(str(row[c]))}</td>" for c in frame.columns) + "</tr>"
        for row in frame.to_dict("records")
    )
    st.html(f'<table class="numbers"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>')


def _heading(column: object) -> str:
    """A column's name as a heading: words begin large; signs such as p stay."""
    words = column if isinstance(column, str) else ""
    return words[:1].upper() + words[1:] if words[:2].isalpha() else words


def note(text: str, warn: bool = False) -> None:
    """A sentence under a chart."""
    st.html(f'<p class="note{" warn" if warn else ""}">{escape(text)}</p>')


def verdicts(items: Iterable[tuple[str, str, str, str, str]]) -> None:
    """Cards of (question, answer, its kind, reason, numbers); the kind is ``"yes"``, ``"no"`` or ``"open"``."""
    cards = "".join(
        f'<div class="verdict {kind}"><p class="question">{escape(question)}</p>'
        f'<p class="answer">{escape(answer)}</p><p>{escape(reason)}</p><p class="note">{escape(numbers)}</p></div>'
        for question, answer, kind, reason, numbers in items
    )
    st.html(f'<div class="verdicts">{cards}</div>')


def badge_html(text: str, warn: bool | None = None) -> str:
    """A badge such as "out-of-fold"; anything else than that is a warning, unless ``warn`` says otherwise."""
    warn = text != "out-of-fold" if warn is None else warn
    return f'<span class="badge{" warn" if warn else ""}">{escape(text)}</span>'
