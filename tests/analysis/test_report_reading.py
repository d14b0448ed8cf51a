"""Pieces of a report give the report back, whatever the evidence; words say what the numbers say."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from core.analysis.report_reading import effect_words, pieces, report_words, sentence_table
from core.results.report_evidence import ReportEvidence, Sentence

TEXT = "A large mass. No ascites. Kidneys normal."
MASS = Sentence(0, 0, 13, "tumour", "expert 3 (level 2, first model)", 0.6, -2.5, 0.4, 1.0)
ASCITES = Sentence(0, 14, 25, "liver", "", 0.4, 0.75, 0.9, 0.5)
FOUND = ReportEvidence("r", "P", 36.0, 4, 41.0, -3.25, (MASS, ASCITES), "left out", "lexicon", True, "test", 1.0)


@given(st.text(max_size=60), st.lists(st.tuples(st.integers(-3, 70), st.integers(-3, 70)), max_size=8))
def test_joined_the_pieces_are_the_report(text: str, places: list[tuple[int, int]]) -> None:
    sentences = [replace(MASS, start=max(a, 0), end=b) for a, b in places]
    found = pieces(text, sentences, 0)
    assert "".join(p.text for p in found) == text
    numbers = [p.sentence for p in found if p.sentence is not None]
    assert len(numbers) == len(set(numbers))


def test_sentences_stand_where_they_are_and_those_of_other_reports_do_not() -> None:
    found = pieces(TEXT, [MASS, ASCITES, replace(MASS, report=1)], 0)
    assert [(p.text, p.sentence) for p in found] == [
        ("A large mass.", 0), (" ", None), ("No ascites.", 1), (" Kidneys normal.", None),
    ]  # fmt: skip


def test_words_follow_the_numbers() -> None:
    assert "lowers the estimated 3-year survival by 2.50" in effect_words(MASS, 36, 4)
    assert "All 4 models agree" in effect_words(MASS, 36, 4)
    assert "raises" in effect_words(ASCITES, 36, 4)
    assert "Only 2 of 4 models agree" in effect_words(ASCITES, 36, 4)
    assert "in none of the models" in effect_words(replace(MASS, effect=0.0, std=0.0), 36, 4)
    assert "One model alone" in effect_words(MASS, 36, 1)
    assert "41.0 %" in report_words(FOUND)
    assert "lowers it by 3.2" in report_words(FOUND)


def test_table_has_every_number_and_no_weight_where_there_is_none() -> None:
    table = sentence_table(FOUND, [TEXT])
    assert list(table["sentence"]) == ["A large mass.", "No ascites."]
    assert list(table["weight"]) == ["60 %", "40 %"]
    assert table.loc[0, "adds"] == "\N{MINUS SIGN}2.50"
    without = replace(FOUND, sentences=(replace(MASS, weight=None),))
    assert "weight" not in sentence_table(without, [None])
    assert sentence_table(without, [None]).loc[0, "sentence"] == ""
