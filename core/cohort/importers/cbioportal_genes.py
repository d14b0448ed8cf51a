"""Gene tables of a cBioPortal study: expression (z-scores preferred), copy-number calls, mutations as 0/1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from core.arrays import Float32Array
from core.cohort.importers.draft import GeneTable
from core.cohort.importers.narrow_table import NarrowTable, read_narrow
from core.cohort.importers.values import numbers
from core.cohort.wording import plural

Metas = Sequence[tuple[Mapping[str, str], Path]]
# In the order wanted: the first of these that a study has is read.
EXPRESSION = ("Z-SCORE", "CONTINUOUS")
COPY_NUMBER = ("DISCRETE", "DISCRETE_LONG", "CONTINUOUS", "LOG2-VALUE")
SILENT = frozenset(
    {"Silent", "Intron", "3'UTR", "5'UTR", "3'Flank", "5'Flank", "IGR", "RNA", "Targeted_Region", "Translation_Start"}
)


def read_genes(
    folder: Path, metas: Metas, ids: Sequence[str], owner: Mapping[str, str]
) -> tuple[GeneTable | None, list[Path], list[str]]:
    """All gene columns of a study, one row a patient.

    Parameters
    ----------
    metas : sequence of (facts, data file)
    ids : sequence of n patient ids
    owner : mapping of sample to patient
        One sample a patient; columns of other samples are not read.

    Returns
    -------
    genes : GeneTable or None
    files : list of Path
    warnings : list of str
    """
    blocks: list[Float32Array] = []
    columns: list[str] = []
    units: dict[str, str] = {}
    files: list[Path] = []
    warnings: list[str] = []
    number = {p: r for r, p in enumerate(ids)}
    row = {sample: number[patient] for sample, patient in owner.items()}
    for kind, wanted, datatypes in (
        ("rnaseq", "MRNA_EXPRESSION", EXPRESSION),
        ("cnv", "COPY_NUMBER_ALTERATION", COPY_NUMBER),
        ("mut", "MUTATION_EXTENDED", ("MAF",)),
    ):
        chosen = _choose(metas, wanted, datatypes)
        if chosen is None:
            continue
        datatype, file = chosen
        table = read_narrow(file, comment="#")
        if kind == "mut":
            symbols, values = _mutations(table, row, len(ids), _sequenced(folder, table))
        elif datatype.endswith("_LONG"):
            symbols, values = _long(table, row, len(ids))
        else:
            symbols, values = _matrix(table, row, len(ids), warnings)
        if not symbols:
            continue
        blocks.append(values)
        columns += [f"{s}_{kind}" for s in symbols]
        units[kind] = _unit(kind, datatype)
        files.append(file)
        warnings += table.warnings
    if not blocks:
        return None, [], warnings
    return GeneTable(np.concatenate(blocks, axis=1), tuple(columns), units), files, warnings


def _choose(metas: Metas, alteration: str, datatypes: Sequence[str]) -> tuple[str, Path] | None:
    for datatype in datatypes:
        for facts, file in metas:
            if facts.get("genetic_alteration_type") == alteration and facts.get("datatype") == datatype:
                return datatype, file
    return None


def _unit(kind: str, datatype: str) -> str:
    if kind == "mut":
        return "0/1"
    if kind == "cnv":
        return "copy-number call" if datatype.startswith("DISCRETE") else "log2 ratio"
    return "z-score" if datatype == "Z-SCORE" else "as given"


def _matrix(table: NarrowTable, row: Mapping[str, int], n: int, warnings: list[str]) -> tuple[list[str], Float32Array]:
    """A gene a line, a sample a column."""
    symbols, lines = _symbols(table, warnings)
    values = np.full((n, len(symbols)), np.nan, dtype=np.float32)
    bad = 0
    for sample, r in row.items():
        if sample in table:
            cells = table[sample]
            parsed, unreadable = numbers([cells[i] for i in lines])
            values[r] = parsed
            bad += int(unreadable.sum())
    if bad:
        warnings.append(f"{plural(bad, 'gene value')} of {table.name} not finite or not a number: set missing.")
    return symbols, values


def _symbols(table: NarrowTable, warnings: list[str]) -> tuple[list[str], list[int]]:
    """Distinct gene symbols and the line of each; lines without one or with an earlier one are counted."""
    found: dict[str, int] = {}
    skipped = 0
    for line, symbol in enumerate(table.get("Hugo_Symbol")):
        if not symbol.strip() or symbol in found:
            skipped += 1
        else:
            found[symbol] = line
    if skipped:
        warnings.append(f"{plural(skipped, 'line')} of {table.name} without a new gene symbol: left out.")
    return list(found), list(found.values())


def _long(table: NarrowTable, row: Mapping[str, int], n: int) -> tuple[list[str], Float32Array]:
    """A line for each gene and sample."""
    symbols = list(dict.fromkeys(s for s in table["Hugo_Symbol"] if s.strip()))
    column = {s: i for i, s in enumerate(symbols)}
    values = np.full((n, len(symbols)), np.nan, dtype=np.float32)
    parsed, _ = numbers(table["Value"])
    for symbol, sample, value in zip(table["Hugo_Symbol"], table["Sample_Id"], parsed, strict=True):
        if sample in row and symbol in column:
            values[row[sample], column[symbol]] = value
    return symbols, values


def _sequenced(folder: Path, table: NarrowTable) -> set[str]:
    """Samples profiled for mutations: of the case list, or at least those with a mutation."""
    path = folder / "case_lists" / "cases_sequenced.txt"
    if path.is_file():
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        listed = next((x.partition(":")[2] for x in lines if x.startswith("case_list_ids")), "")
        return set(listed.split())
    return set(table["Tumor_Sample_Barcode"])


def _mutations(
    table: NarrowTable, row: Mapping[str, int], n: int, sequenced: set[str]
) -> tuple[list[str], Float32Array]:
    """1 where a gene has a mutation that changes the protein, 0 elsewhere; NaN for patients never sequenced."""
    classes = table.get("Variant_Classification")
    hits = [
        (symbol, sample)
        for symbol, sample, kind in zip(table["Hugo_Symbol"], table["Tumor_Sample_Barcode"], classes, strict=True)
        if symbol.strip() and kind not in SILENT and sample in row
    ]
    symbols = sorted({symbol for symbol, _ in hits})
    column = {s: i for i, s in enumerate(symbols)}
    values = np.full((n, len(symbols)), np.nan, dtype=np.float32)
    for sample in sequenced & row.keys():
        values[row[sample]] = 0
    for symbol, sample in hits:
        if np.isnan(values[row[sample], 0]):
            values[row[sample]] = 0
        values[row[sample], column[symbol]] = 1
    return symbols, values
