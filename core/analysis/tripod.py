"""The 27 items of TRIPOD+AI (Collins et al., BMJ 2024;385:e078378) by their numbers, in short words of our own.

Each is filled from the run's record, or says what the record lacks. Nothing is typed by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from core.analysis.card_source import CardSource
from core.analysis.tripod_facts import Found, discussion_facts, method_facts, result_facts, title_facts


class Status(StrEnum):
    """How far an item is filled."""

    FILLED = "filled"
    PART = "in part"
    EMPTY = "empty"


@dataclass(frozen=True)
class CardItem:
    """One item. ``facts`` sentences from the record · ``missing`` what the record lacks, in words."""

    number: int
    section: str
    topic: str
    facts: tuple[str, ...]
    missing: tuple[str, ...]

    @property
    def status(self) -> Status:
        """Filled: nothing is missing. In part: something is there. Empty: nothing is."""
        if not self.facts:
            return Status.EMPTY
        return Status.PART if self.missing else Status.FILLED


TOPICS: Mapping[int, tuple[str, str]] = {
    1: ("Title", "What is estimated, by which kind of model, of whom"),
    2: ("Abstract", "The study in one paragraph"),
    3: ("Introduction", "Why the model exists, and for whom"),
    4: ("Introduction", "What was to be done: development, evaluation or both"),
    5: ("Methods", "Where the data come from, and when they were collected"),
    6: ("Methods", "Setting, who could take part, treatments received"),
    7: ("Methods", "How the data were prepared"),
    8: ("Methods", "What the outcome is, at which time, and who judged it"),
    9: ("Methods", "What the model reads, and who measured it"),
    10: ("Methods", "How many patients, and why that many"),
    11: ("Methods", "What happens to missing values"),
    12: ("Methods", "How the model was built, tuned and tested"),
    13: ("Methods", "What was done about rare outcomes"),
    14: ("Methods", "What was done for fairness"),
    15: ("Methods", "What the model gives out"),
    16: ("Methods", "How training and evaluation data differ"),
    17: ("Methods", "Ethical approval"),
    18: ("Open science", "Funding, interests, protocol, registration, data, code"),
    19: ("Patient involvement", "How patients and the public took part"),
    20: ("Results", "The way of the participants, follow-up and characteristics"),
    21: ("Results", "Patients and events in each analysis"),
    22: ("Results", "The model itself, so that another can use it"),
    23: ("Results", "How well it does, with intervals, also among groups"),
    24: ("Results", "What was updated after training"),
    25: ("Discussion", "What the results mean beside others"),
    26: ("Discussion", "What limits them"),
    27: ("Discussion", "What it takes to use the model, and what is next"),
}


def tripod_items(source: CardSource, limitations: int, groups: int) -> tuple[CardItem, ...]:
    """All 27 items.

    Parameters
    ----------
    limitations, groups : int
        How many limitations and subgroups the card itself lists.
    """
    found: dict[int, Found] = {}
    for facts in (title_facts(source), method_facts(source, groups), result_facts(source, groups),
                  discussion_facts(source, limitations)):  # fmt: skip
        found |= facts
    return tuple(CardItem(number, *TOPICS[number], *found.get(number, Found())) for number in TOPICS)


def counted(items: tuple[CardItem, ...]) -> dict[Status, int]:
    """How many items are filled, in part, empty; they sum to the items."""
    return {status: sum(item.status is status for item in items) for status in Status}
