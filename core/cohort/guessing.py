"""A first proposal of what a table's columns mean, from their names and contents, with the reason for each guess."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.cohort.code_words import certain_meanings
from core.cohort.column_view import ColumnView, Kind
from core.cohort.importers.table import INPUTS, LONGEST, PER_MONTH
from core.cohort.table_mapping import EndpointMapping, TableMapping

_ID_NAMES = {
    "id", "ids", "patient", "patientid", "patientno", "patientnumber", "pid", "patid", "patno", "case", "caseid",
    "casesubmitterid", "subject", "subjectid", "subjid", "record", "recordid", "studyid", "participant",
    "participantid", "person", "personid", "identifier", "mrn", "number", "no", "nr", "num", "barcode",
    "bcrpatientbarcode", "submitterid",
}  # fmt: skip
_ROW_NUMBERS = {"rownames", "rowname", "row", "rownum", "rownumber", "rowid", "index", "x", "x1", "v1"}
_PARTS = {"slide", "sample", "image", "scan", "visit", "block", "aliquot"}
"""Words of an id that belongs to a part of a patient."""
_ENDPOINTS = {
    "OS": {"os", "overall", "death", "dead", "died", "deceased", "vital", "survival", "surv"},
    "DSS": {"dss", "specific"},
    "RFS": {"rfs", "recurrence", "recurred", "relapse"},
    "DFS": {"dfs", "dfi"},
    "PFS": {"pfs", "pfi", "progression", "progressed"},
    "EFS": {"efs"},
}
_FREE = {"recurrence": "RFS", "relapse": "RFS", "disease": "DFS", "progression": "PFS", "event": "EFS"}
_TIME_WORDS = {"time", "futime", "survtime", "stime", "followup", "follow", "fu", "duration", "tte", "ttd"}
_UNIT_WORDS = {
    "months": {"months", "month", "mo", "mos", "mth", "mths"},
    "days": {"days", "day"},
    "weeks": {"weeks", "week", "wks"},
    "years": {"years", "year", "yrs", "yr"},
}
_ALL_UNITS = frozenset().union(*_UNIT_WORDS.values())
_NO_TIME = {"age", "birth", "dob", "date", "diagnosis", "dx", "treatment", "therapy", "trt", "entry", "status", "event"}
_EVENT_WORDS = {"status", "event", "fustat", "vital", "censor", "cens", "censored", "censorship", "indicator"}
_NO_EVENT = {"time", "date", "site", "type", "cause", "cycle", *_ALL_UNITS}
_SITES = {"site", "sitecode", "studysite", "center", "centre", "hospital", "institution", "institute", "clinic",
          "tss", "tissuesourcesite"}  # fmt: skip
_EVENTS_IN_WORDS = {"OS": "death", "DSS": "death of the disease", "RFS": "recurrence or death",
                    "DFS": "recurrence or death", "PFS": "progression or death", "EFS": "event"}  # fmt: skip


@dataclass(frozen=True)
class Proposal:
    """A mapping to start from, and why: a sentence for each column that has one, and one for the time unit."""

    mapping: TableMapping
    reasons: dict[str, str]
    unit_reason: str


def propose(columns: Sequence[ColumnView], patient: str, why: str, copies_of_id: Sequence[str] = ()) -> Proposal:
    """Propose a mapping.

    Parameters
    ----------
    columns : sequence of ColumnView
    patient, why : str
        The id column and the reason, from :func:`guess_id`; empty where none tells the patients apart.
    copies_of_id : sequence of str
        Columns that repeat the id of their line, cell for cell; they are left out.
    """
    reasons: dict[str, str] = {}
    named = {c.name: c for c in columns}
    if patient:
        reasons[patient] = why
    rest = [c for c in columns if c.name != patient]
    endpoints = _endpoints(rest, reasons)
    longest = max((named[e.time].high for e in endpoints), default=0.0)
    unit, unit_reason = guess_unit(tuple(e.time for e in endpoints), longest, columns) if endpoints else ("", "")
    used = {c for e in endpoints for c in (e.time, e.event)}
    rest = [c for c in rest if c.name not in used]
    site = next((c.name for c in rest if c.plain_name in _SITES and c.distinct > 1 and not c.unique), "")
    entry = next((c.name for c in rest if c.plain_name in {"entry", "entrytime"} and c.kind is Kind.NUMBERS), "")
    dropped = [c.name for c in rest if c.name in copies_of_id or (c.plain_name in _ROW_NUMBERS and c.unique)]
    inputs = [c.name for c in rest if c.name.lower() in INPUTS and c.name not in dropped]
    for column in dropped:
        reasons[column] = "left out: it repeats the id or numbers the rows"
    for column in inputs:
        reasons[column] = "given to models: its name is that of a usual clinical input"
    if site:
        reasons[site] = "the place that sent the patient, by its name"
    if entry:
        reasons[entry] = "start of observation, by its name"
    mapping = TableMapping(
        patient, unit, endpoints, entry, site, inputs=tuple(i for i in inputs if i != site), dropped=tuple(dropped)
    )
    return Proposal(mapping, reasons, unit_reason)


def guess_id(columns: Sequence[ColumnView]) -> tuple[str, str]:
    """The column that tells patients apart, and why; empty where none does."""
    best, chosen, why = 0.0, "", ""
    for column in columns:
        score, reason = _id_score(column)
        if score > best:
            best, chosen, why = score, column.name, reason
    return chosen, why


def _id_score(column: ColumnView) -> tuple[float, str]:
    strong = column.plain_name in _ID_NAMES
    if column.missing or not column.known or (column.kind is Kind.NUMBERS and not column.whole):
        return 0.0, ""
    if column.unique and column.plain_name in _ROW_NUMBERS:
        return 1.0, "patient id: every row has its own number, and no column is named as an id"
    if column.unique and strong:
        return 4.0, "patient id: named as one, and different for every patient"
    if column.tokens & _PARTS:
        return (1.2 if column.unique else 0.0), "patient id: different on every line"
    if column.unique and column.tokens & {"id", "patient", "case", "subject", "barcode"}:
        return 3.0, "patient id: its name says so, and it is different for every patient"
    if strong and column.distinct > 12 and column.plain_name not in {"number", "no", "nr", "num"}:
        return 3.5, "patient id: named as one; some patients have several lines"
    if column.unique and column.kind is Kind.WORDS:
        return 1.5, "patient id: different for every patient"
    return 0.0, ""


def _endpoints(columns: Sequence[ColumnView], reasons: dict[str, str]) -> tuple[EndpointMapping, ...]:
    """Times paired with the event of the same endpoint, overall survival first."""
    times = sorted((c for c in columns if _time_score(c)), key=lambda c: -_time_score(c))
    events = sorted((c for c in columns if _event_score(c)), key=lambda c: -_event_score(c))
    found: dict[str, EndpointMapping] = {}
    for time in times:
        key = endpoint_key(time)
        if (key or "OS") in found:
            continue
        event = _event_for(key, events)
        if event is None:
            continue
        events.remove(event)
        name = key or endpoint_key(event) or "OS"
        codes, why = certain_meanings(event)
        found[name] = EndpointMapping(name, time.name, event.name, codes, _event_words(name, event))
        reasons[time.name] = f"time of {name}: numbers, and the name fits"
        reasons[event.name] = f"event of {name}: few different values, and the name fits"
        if why:
            reasons[event.name] += f"; meaning proposed since {why}"
    return tuple(sorted(found.values(), key=lambda e: list(_ENDPOINTS).index(e.name)))


def endpoint_key(column: ColumnView) -> str:
    """Which endpoint a column's name speaks of; empty when it does not say."""
    if "free" in column.tokens:
        return next((key for word, key in _FREE.items() if word in column.tokens), "")
    # overall survival last: "disease_specific_survival" speaks of the disease
    return next((key for key in reversed(_ENDPOINTS) if column.tokens & _ENDPOINTS[key]), "")


def _event_for(key: str, events: Sequence[ColumnView]) -> ColumnView | None:
    """The event of the same endpoint; a column that names no endpoint goes with any, overall survival with none."""
    same = [e for e in events if endpoint_key(e) == key]
    if not same and key in ("", "OS"):
        same = [e for e in events if endpoint_key(e) in ("", "OS")]
    if not same and not key:
        same = list(events)
    return same[0] if same else None


def _time_score(column: ColumnView) -> int:
    # a negative time is proposed all the same: the check then says what is wrong with it
    if column.kind is not Kind.NUMBERS or column.tokens & _NO_TIME:
        return 0
    if column.distinct < 3 or (column.codes and column.known > 40) or column.known < column.missing:
        return 0
    named = 2 * bool(column.tokens & _TIME_WORDS) + 2 * bool(column.tokens & _ALL_UNITS)
    return named + (2 if endpoint_key(column) else 0) + (column.plain_name == "time")


def _event_score(column: ColumnView) -> int:
    if not 1 < len(column.codes) <= 8 or column.tokens & _NO_EVENT:
        return 0
    return 2 * bool(column.tokens & _EVENT_WORDS) + (1 if endpoint_key(column) else 0)


def _event_words(name: str, event: ColumnView) -> str:
    """What the event is called: by the event column where that names it alone."""
    for word in ("recurrence", "relapse", "progression"):
        if word in event.tokens and "death" not in event.tokens:
            return word
    return _EVENTS_IN_WORDS.get(name, "event")


def guess_unit(times: Sequence[str], longest: float, columns: Sequence[ColumnView]) -> tuple[str, str]:
    """The unit of the times, and why: the names say it, or only one unit gives possible follow-up times.

    Empty, with the reason, where several units are possible: 40 may be months as well as weeks or days.
    """
    named = {u for c in columns if c.name in times for u, words in _UNIT_WORDS.items() if c.tokens & words}
    if len(named) == 1:
        unit = named.pop()
        return unit, f"the column's name says {unit}"
    if longest > LONGEST:
        return "days", (
            f"the longest time is {longest:,.0f}: {in_years(longest, 'days')} as days, "
            f"but {in_years(longest, 'months')} as months"
        )
    if longest > 60:
        return "months", (
            f"the longest time is {longest:,.0f}: {in_years(longest, 'months')} as months, "
            f"{in_years(longest, 'days')} as days; please check"
        )
    return "", f"the longest time is {longest:g}, which fits several units: please choose"


def in_years(time: float, unit: str) -> str:
    """A time in words a person can judge: ``"13 years"``, ``"4 months"``."""
    months = time / PER_MONTH[unit]
    if months < 24:
        return f"{months:.2g} months"
    return f"{months / 12:.0f} years" if months >= 120 else f"{months / 12:.1f} years"
