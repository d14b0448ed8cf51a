"""What a form asks of a new patient, and how its answers become the folder that the import reads."""

from __future__ import annotations

import csv
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from core.cohort.cohort import Cohort, Role
from core.cohort.importers.media_files import SLIDES, VOLUMES, ending
from core.cohort.modality import Modality
from core.cohort.uploads import new_place
from core.errors import PrognoscopeError
from core.results.workspace import Workspace

MOST_LEVELS = 30
OLDEST = 120.0


@dataclass(frozen=True)
class Field:
    """One question.

    Parameters
    ----------
    column, label, unit : str
    numeric : bool
    low, high : float or None
        What the training patients have.
    least, most : float or None
        What is possible at all: a number beyond is refused.
    levels : tuple of str
        Of a field of words: what the training patients have.
    used : bool
        Whether the run reads it; what it does not read is shown beside the estimate.
    """

    column: str
    label: str
    unit: str
    numeric: bool
    low: float | None
    high: float | None
    least: float | None
    most: float | None
    levels: tuple[str, ...]
    used: bool

    @property
    def words(self) -> str:
        """``"Age (years)"``."""
        return f"{self.label} ({self.unit})" if self.unit else self.label

    @property
    def range_words(self) -> str:
        """``"training patients: 31 to 85"``."""
        return "" if self.low is None else f"training patients: {self.low:,.4g} to {self.high:,.4g}"

    def outside(self, value: float) -> bool:
        """Whether no training patient had such a value."""
        return self.low is not None and self.high is not None and not self.low <= value <= self.high


@dataclass(frozen=True)
class GivenFile:
    """A file as it was handed in."""

    name: str
    content: bytes


def form_fields(base: Cohort, modalities: Sequence[str]) -> tuple[Field, ...]:
    """Clinical inputs of a run's cohort first, then the markers it never reads; columns of many words are left out."""
    reads = Modality.CLINICAL.value in modalities
    columns = [c for role in (Role.INPUT, Role.MARKER) for c in base.columns(role)]
    found = (_field(base, c, reads and base.roles[c] is Role.INPUT) for c in columns)
    return tuple(f for f in found if f.numeric or 0 < len(f.levels) <= MOST_LEVELS)


def _field(base: Cohort, column: str, used: bool) -> Field:
    values, label = base.patients[column].dropna(), base.label(column)
    unit = base.units.get(column, "")
    words = (column, label[:1].upper() + label[1:], "" if unit in ("count", "ratio") else unit)
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        low, high = (float(values.min()), float(values.max())) if len(values) else (None, None)
        least = 0.0 if low is not None and low >= 0 else None
        most = OLDEST if column.lower() == "age" else None
        return Field(*words, True, low, high, least, most, (), used)
    levels = tuple(sorted(str(v) for v in values.astype("string").unique()))
    return Field(*words, False, None, None, None, None, levels, used)


def stage_form(
    answers: Mapping[str, object],
    fields: Sequence[Field],
    workspace: Workspace,
    slides: Sequence[GivenFile] = (),
    scans: Sequence[GivenFile] = (),
    report: str = "",
    genes: GivenFile | None = None,
) -> Path:
    """Write the answers as a study folder of one patient into the private uploads; nothing names the patient.

    Parameters
    ----------
    answers : mapping of column to value
        None or "" = not known.
    genes : GivenFile, optional
        A table with a header of ``SYMBOL_kind`` columns and one line.

    Raises
    ------
    PrognoscopeError
        For an impossible number, a file of another kind than asked for, or no answer and no file at all.
    """
    known = {f.column: f for f in fields}
    for column, value in answers.items():
        _check(known[column], value)
    row = {c: v for c, v in answers.items() if v not in (None, "")}
    if not row and not slides and not scans and not report.strip() and genes is None:
        raise PrognoscopeError("nothing about the patient", "the form", "fill in a value or add a file")
    for file, endings, what in [*((s, SLIDES, "slide") for s in slides), *((s, VOLUMES, "scan") for s in scans)]:
        if ending(Path(file.name)) not in endings:
            raise PrognoscopeError(f"a {what} that does not end in {', '.join(endings)}", "the files",
                                   f"choose a {what} file")  # fmt: skip
    own, header, cells = f"N{secrets.token_hex(5)}", list(row), [str(v) for v in row.values()]
    if genes is not None:
        more_header, more_cells = _gene_line(genes)
        header, cells = [*header, *more_header], [*cells, *more_cells]
    folder = new_place(workspace) / "patient"
    folder.mkdir(mode=0o700)
    with (folder / "patients.csv").open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([["id", *header], [own, *cells]])
    for place, files in (("slides", slides), ("volumes", scans)):
        for number, file in enumerate(files, start=1):
            target = folder / place / f"{own}_{place[:-1]}{number}{ending(Path(file.name))}"
            target.parent.mkdir(mode=0o700, exist_ok=True)
            target.write_bytes(file.content)
    if report.strip():
        (folder / "reports").mkdir(mode=0o700)
        (folder / "reports" / f"{own}.txt").write_text(report, encoding="utf-8")
    return folder


def _check(field: Field, value: object) -> None:
    if not field.numeric or value in (None, ""):
        return
    number = float(str(value))
    if (field.least is not None and number < field.least) or (field.most is not None and number > field.most):
        limits = f"{field.least:g} or more" if field.most is None else f"{field.least or 0:g} to {field.most:g}"
        raise PrognoscopeError(f"{field.label} {number:g}, which cannot be", "the form", f"enter {limits}")


def _gene_line(genes: GivenFile) -> tuple[list[str], list[str]]:
    """Header and the one line of a gene table, without a column of ids."""
    try:
        text = genes.content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise PrognoscopeError("a gene table that is no text", "the genes", "save it as CSV, UTF-8") from error
    first = text.partition("\n")[0]
    try:
        rows = [r for r in csv.reader(text.splitlines(), delimiter="\t" if "\t" in first else ",") if any(r)]
    except csv.Error as error:
        raise PrognoscopeError(f"a gene table that cannot be read ({error})", "the genes", "save it as CSV") from error
    if len(rows) != 2 or len(rows[0]) != len(rows[1]):
        raise PrognoscopeError(
            f"a gene table of {max(0, len(rows) - 1)} lines", "the genes",
            "give one header with a column a gene (TP53_rnaseq …) and one line of values",
        )  # fmt: skip
    keep = [i for i, name in enumerate(rows[0]) if "_" in name]
    return [rows[0][i].strip() for i in keep], [rows[1][i].strip() for i in keep]
