"""Patients named by a person: pasted ids, and groups that can be joined, cut and compared."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from core.arrays import BoolArray
from core.cohort.cohort import Cohort


@dataclass(frozen=True)
class Found:
    """Pasted ids: the pseudonyms found, in the order pasted, and the words that name nobody here."""

    found: tuple[str, ...]
    not_found: tuple[str, ...]


def find_ids(text: str, cohort: Cohort, original_ids: Mapping[str, str] | None = None) -> Found:
    """Look up ids pasted freely, separated by spaces, commas, semicolons or lines; case does not matter.

    Parameters
    ----------
    text : str
    cohort : Cohort
    original_ids : mapping of pseudonym to original id, optional
        With it original ids are understood too; the answer holds pseudonyms only.
    """
    known = {p.lower(): p for p in cohort.ids}
    for pseudonym, original in (original_ids or {}).items():
        if pseudonym.lower() in known:
            known.setdefault(original.lower(), pseudonym)
    words = dict.fromkeys(w.strip("\"'") for w in re.split(r"[\s,;|]+", text))
    words.pop("", None)
    found = dict.fromkeys(known[w.lower()] for w in words if w.lower() in known)
    return Found(tuple(found), tuple(w for w in words if w.lower() not in known))


@dataclass(frozen=True)
class NamedGroup:
    """A group of patients with a name; ``ids`` are pseudonyms, sorted and distinct."""

    name: str
    ids: tuple[str, ...]

    @classmethod
    def of(cls, name: str, ids: Iterable[str]) -> NamedGroup:
        """A group of these patients."""
        return cls(name, tuple(sorted(set(ids))))

    def __len__(self) -> int:
        return len(self.ids)

    def union(self, other: NamedGroup) -> NamedGroup:
        """Patients of either group."""
        return NamedGroup.of(f"{self.name} or {other.name}", {*self.ids, *other.ids})

    def intersection(self, other: NamedGroup) -> NamedGroup:
        """Patients of both groups."""
        return NamedGroup.of(f"{self.name} and {other.name}", set(self.ids) & set(other.ids))

    def difference(self, other: NamedGroup) -> NamedGroup:
        """Patients of this group who are not in the other."""
        return NamedGroup.of(f"{self.name} without {other.name}", set(self.ids) - set(other.ids))


def selected_group(name: str, cohort: Cohort, mask: BoolArray) -> NamedGroup:
    """The selected patients as a named group."""
    return NamedGroup.of(name, cohort.patients.index[mask])


@dataclass(frozen=True)
class Overlap:
    """Patients in ``first`` only, in ``second`` only and in both: shown before two groups are compared."""

    first_only: int
    both: int
    second_only: int


def overlap(first: NamedGroup, second: NamedGroup) -> Overlap:
    """How far two groups share patients."""
    both = len(set(first.ids) & set(second.ids))
    return Overlap(len(first) - both, both, len(second) - both)
