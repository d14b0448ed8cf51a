"""What a board noted, as a table and as JSON: exported, never fed back to a model."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

from core.analysis.model_card import RESEARCH_ONLY
from core.results.board_store import Board, Opinion, latest
from core.results.spreadsheet import inert

COLUMNS = ("place", "patient", "verdict", "note", "at", "counts")


def opinion_rows(board: Board, opinions: Sequence[Opinion]) -> list[dict[str, Any]]:
    """Every opinion in the list's order, the oldest of a patient first; ``counts`` marks the last one."""
    rows: list[dict[str, Any]] = []
    for place, patient in enumerate(board.patients, start=1):
        last = latest(opinions, patient)
        for found in (o for o in opinions if o.patient == patient):
            rows.append({"place": place, "patient": patient, "verdict": found.verdict.value, "note": found.note,
                         "at": found.at, "counts": found is last})  # fmt: skip
    return rows


def opinions_csv(board: Board, opinions: Sequence[Opinion]) -> str:
    """A table for a spreadsheet; a cell that would be a formula there is kept a text."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for row in opinion_rows(board, opinions):
        writer.writerow({k: inert(v) for k, v in row.items()})
    return stream.getvalue()


def opinions_json(board: Board, opinions: Sequence[Opinion]) -> str:
    """The list with its protocol and everything noted."""
    value = {
        "notice": RESEARCH_ONLY, "kind": "prognoscope board notes", "version": 1, "board": board.name,
        "protocol": board.protocol, "cohort": board.cohort, "run": board.run, "month": board.month,
        "created_at": board.created_at, "patients": list(board.patients), "opinions": opinion_rows(board, opinions),
    }  # fmt: skip
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"
