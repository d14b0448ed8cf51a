"""Small studies in the layout of the published TCGA tables, for tests that need one thing to be odd."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

GENES = ("TP53_rnaseq", "RP11-707M1.1_mut", "MARCH6_cnv")
HEADER = (
    "",
    "case_id",
    "slide_id",
    "age",
    "site",
    "survival_months",
    "censorship",
    "is_female",
    "oncotree_code",
    "train",
)

Row = dict[str, object]
WriteStudy = Callable[..., Path]


def patient(number: int, **changed: object) -> Row:
    """A line of a well-formed study; patients with even numbers have died."""
    case = f"TCGA-0{number % 3 + 2}-{number:04d}"
    row: Row = {
        "case_id": case,
        "slide_id": f"{case}-01Z-00-DX1.svs",
        "age": 50.0 + number,
        "site": f"0{number % 3 + 2}",
        "survival_months": 10.0 + number,
        "censorship": float(number % 2),
        "is_female": float(number % 2),
        "oncotree_code": "HCC",
        "train": 1.0,
        "TP53_rnaseq": number / 10,
        "RP11-707M1.1_mut": number % 2,
        "MARCH6_cnv": number % 3 - 1,
    }
    return row | changed


@pytest.fixture
def make_patient() -> Callable[..., Row]:
    return patient


@pytest.fixture
def write_study(tmp_path: Path) -> WriteStudy:
    """``write_study(rows, name=…, encoding=…, header=…)`` → path of the CSV."""

    def write(
        rows: list[Row] | None = None,
        name: str = "tcga_test.csv",
        encoding: str = "utf-8",
        header: tuple[str, ...] = (*HEADER, *GENES),
        delimiter: str = ",",
    ) -> Path:
        rows = [patient(i) for i in range(12)] if rows is None else rows
        path = tmp_path / name
        with path.open("w", newline="", encoding=encoding) as stream:
            writer = csv.writer(stream, delimiter=delimiter)
            writer.writerow(header)
            for number, row in enumerate(rows):
                writer.writerow([number if c == "" else row.get(c, "") for c in header])
        return path

    return write
