"""Valid files, made invalid in the ways in which files are: bytes, cells, headers, lines, encodings."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence

from hypothesis import strategies as st

NASTY = (
    "", " ", "NA", "nan", "NaN", "inf", "-inf", "1e309", "-1", "-0", "0x10", "1_000", "١٢", "9" * 400, "1e-400", "1,5",
    "=1+1", "=HYPERLINK(\"http://x\")", "+1", "-2+3", "@SUM(A1)", "\t", "\n", "\r", "\"", "\"\"\"", "'", ",", ";", "\\",
    "\x00", "\x1f", "\x7f", "\u202e12.5\u202c", "\u200b", "\ufeff", "\ud7ff", "\U0001f9ec", "é", "e\u0301", "İ", "ß",
    "../../etc/passwd", "/etc/passwd", "C:\\x", "..", ".", "~", "$(id)", "`id`", "{0}", "%s", "%n", "<script>alert(1)",
    "</td>", "null", "None", "True", "1.0.0", "2026-11-21", "P-00000000", "A" * 5000, "censored", "event", "_rnaseq",
    "TP53_mut", "id", "time", "fold", "a\nb", "a\tb", "1e5", "600.1", "99999999999999999999", "0.1e", "1 2",
)  # fmt: skip
ENCODINGS = ("utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "latin-1", "cp1252", "utf-32", "cp037")
nasty = st.sampled_from(NASTY)
words = nasty | st.text(max_size=12) | st.floats().map(str) | st.integers().map(str)
Rows = list[list[str]]


@st.composite
def mutated_rows(draw: st.DrawFn, rows: Sequence[Sequence[str]], most: int = 4) -> Rows:
    """A table with up to ``most`` changes of cells, headers, lines and columns."""
    table = [list(row) for row in rows]
    for _ in range(draw(st.integers(0, most))):
        if not table or not table[0]:
            break
        _CHANGES[draw(st.sampled_from(sorted(_CHANGES)))](draw, table)
    return table


def _cell(draw: st.DrawFn, table: Rows) -> None:
    row = table[draw(st.integers(0, len(table) - 1))]
    if row:
        row[draw(st.integers(0, len(row) - 1))] = draw(words)


def _header(draw: st.DrawFn, table: Rows) -> None:
    table[0][draw(st.integers(0, len(table[0]) - 1))] = draw(words | st.sampled_from(table[0]))


def _double_column(draw: st.DrawFn, table: Rows) -> None:
    at = draw(st.integers(0, len(table[0]) - 1))
    for row in table:
        if at < len(row):
            row.insert(at, row[at])


def _drop_column(draw: st.DrawFn, table: Rows) -> None:
    at = draw(st.integers(0, len(table[0]) - 1))
    for row in table:
        if at < len(row):
            del row[at]


def _double_row(draw: st.DrawFn, table: Rows) -> None:
    table.insert(draw(st.integers(0, len(table))), list(table[draw(st.integers(0, len(table) - 1))]))


def _drop_row(draw: st.DrawFn, table: Rows) -> None:
    del table[draw(st.integers(0, len(table) - 1))]


def _ragged(draw: st.DrawFn, table: Rows) -> None:
    row = table[draw(st.integers(0, len(table) - 1))]
    if row and draw(st.booleans()):
        del row[-1]
    else:
        row.append(draw(words))


def _column_of(draw: st.DrawFn, table: Rows) -> None:
    at, word = draw(st.integers(0, len(table[0]) - 1)), draw(words)
    for row in table[1:]:
        if at < len(row):
            row[at] = word


_CHANGES: dict[str, Callable[[st.DrawFn, Rows], None]] = {
    "cell": _cell, "header": _header, "double column": _double_column, "drop column": _drop_column,
    "double row": _double_row, "drop row": _drop_row, "ragged": _ragged, "column of": _column_of,
}  # fmt: skip


@st.composite
def written(draw: st.DrawFn, rows: Sequence[Sequence[str]], delimiter: str = ",") -> bytes:
    """A mutated table as the bytes of a file: mostly well written, else with odd ends, quotes, encodings and bytes."""
    table = draw(mutated_rows(rows))
    sign = delimiter if draw(st.integers(0, 9)) else draw(st.sampled_from([",", "\t", ";", "|"]))
    if draw(st.booleans()) and delimiter == ",":
        stream = io.StringIO()
        ends = draw(st.sampled_from(["\n", "\r\n", "\r"]))
        csv.writer(stream, delimiter=sign, lineterminator=ends).writerows(table)
        text = stream.getvalue()
    else:
        text = "\n".join(sign.join(row) for row in table) + draw(st.sampled_from(["\n", "", "\n\n"]))
    data = text.encode(draw(st.sampled_from(ENCODINGS)), errors="replace")
    return draw(mutated_bytes(data, 3)) if not draw(st.integers(0, 4)) else data


@st.composite
def mutated_bytes(draw: st.DrawFn, data: bytes, most: int = 6) -> bytes:
    """Bytes with up to ``most`` of them flipped, cut out, doubled, or others put between them."""
    found = bytearray(data)
    for _ in range(draw(st.integers(1, most))):
        at = draw(st.integers(0, max(0, len(found) - 1)))
        how = draw(st.integers(0, 4))
        if how == 0 and found:
            found[at] ^= draw(st.integers(1, 255))
        elif how == 1:
            found[at:at] = draw(
                st.binary(max_size=16) | st.sampled_from([b"\0", b"\xff\xfe", b'"', b"\n", b"PK\x03\x04"])
            )
        elif how == 2:
            del found[at : at + draw(st.integers(1, 64))]
        elif how == 3:
            found[at:at] = found[at : at + draw(st.integers(1, 64))]
        else:
            del found[at:]
    return bytes(found)
