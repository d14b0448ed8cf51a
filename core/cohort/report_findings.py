"""What the reports of a study may tell about who its patients are: counted, shown masked, decided by a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from core.cohort.identity_patterns import Kind
from core.cohort.report_identity import Found, blanked, find_identifying, masked
from core.cohort.report_texts import ReportText
from core.cohort.wording import plural
from core.errors import PrognoscopeError

EXAMPLES = 3
OPTION = "--identifying"
TOLD = "Reports may have told who a patient is"
"""How the warning begins that says what was decided."""


class Identifying(StrEnum):
    """What is done with reports in which something that may identify was found."""

    KEEP = "keep"
    BLANK = "blank"
    LEAVE_OUT = "leave-out"


@dataclass(frozen=True)
class KindFound:
    """How often one kind was found, in how many reports, and a few masked examples."""

    kind: str
    count: int
    reports: int
    examples: tuple[str, ...]

    @property
    def words(self) -> str:
        """``"3 dates in 2 reports (12.03.****)"``."""
        many = {Kind.ADDRESS: "addresses", Kind.EMAIL: "e-mail addresses", Kind.AGE: "ages of 90 or more"}
        shown = f" ({', '.join(self.examples)})" if self.examples else ""
        return f"{plural(self.count, self.kind, many.get(Kind(self.kind)))} in {plural(self.reports, 'report')}{shown}"


@dataclass(frozen=True)
class ReportFindings:
    """``reports`` looked through · ``touched`` those in which something was found · ``kinds`` what, in no text."""

    reports: int = 0
    touched: int = 0
    kinds: tuple[KindFound, ...] = ()

    @property
    def words(self) -> str:
        """One line: what was found, or that nothing was."""
        if not self.kinds:
            return f"nothing found that may identify in {plural(self.reports, 'report')}"
        return f"{self.touched:,} of {plural(self.reports, 'report')} may identify: " + "; ".join(
            k.words for k in self.kinds
        )

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> ReportFindings:
        """Rebuild from ``asdict``."""
        kinds = (KindFound(**{**k, "examples": tuple(k["examples"])}) for k in value["kinds"])
        return cls(value["reports"], value["touched"], tuple(kinds))

    def as_json(self) -> dict[str, Any]:
        """Plain values for a job or the command line."""
        return asdict(self)


NOTHING_FOUND = ReportFindings()


@dataclass(frozen=True)
class Decided:
    """Reports as they are stored, and what was found in them as they came."""

    reports: tuple[ReportText, ...]
    found: ReportFindings
    warnings: tuple[str, ...] = ()


def decide(reports: Sequence[ReportText], what: Identifying | None) -> Decided:
    """Look through reports and keep, blank or leave out those that may identify.

    Raises
    ------
    PrognoscopeError
        When something was found and nobody decided what to do; the sentence holds counts and masked examples.
    """
    places = [find_identifying(r.text) for r in reports]
    found = _summed(reports, places)
    if not reports or not found.kinds:
        return Decided(tuple(reports), found)
    if what is None:
        raise PrognoscopeError(
            f"texts that may tell who a patient is: {found.words}", "the reports",
            f"say {OPTION} blank to replace what was found, leave-out to import without these reports, or keep when "
            "you looked at it and may keep it",
        )  # fmt: skip
    if what is Identifying.LEAVE_OUT:
        kept = tuple(r for r, p in zip(reports, places, strict=True) if not p)
        done = f"{plural(found.touched, 'report')} left out"
    elif what is Identifying.BLANK:
        kept = tuple(replace(r, text=blanked(r.text, p)) for r, p in zip(reports, places, strict=True))
        done = "replaced by [name], [date] and the like"
    else:
        kept, done = tuple(reports), "kept, as decided at import"
    counts = "; ".join(replace(k, examples=()).words for k in found.kinds)  # what is stored repeats nothing
    return Decided(kept, found, (f"{TOLD} ({counts}): {done}.",))


def _summed(reports: Sequence[ReportText], places: Sequence[tuple[Found, ...]]) -> ReportFindings:
    kinds = []
    for kind in Kind:
        having = [(r, [p for p in found if p.kind is kind]) for r, found in zip(reports, places, strict=True)]
        having = [(r, found) for r, found in having if found]
        shown = dict.fromkeys(masked(kind, r.text[p.start : p.end]) for r, found in having for p in found[:EXAMPLES])
        if having:
            total = sum(len(found) for _, found in having)
            kinds.append(KindFound(str(kind), total, len(having), tuple(list(shown)[:EXAMPLES])))
    return ReportFindings(len(reports), sum(bool(p) for p in places), tuple(kinds))
