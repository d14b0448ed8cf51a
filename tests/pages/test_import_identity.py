"""Reports that may tell who a patient is, in the wizard: shown masked, and nothing goes on without a decision."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.cohort.media_index import load_media
from core.cohort.report_findings import Identifying
from core.cohort.storage import list_cohorts, load_cohort
from core.results.workspace import Workspace

OpenPage = Callable[..., AppTest]
OWN = "id,time,event,age\n" + "".join(f"case{i},{i + 1},{i % 2},{50 + i}\n" for i in range(30))
TEXTS = (
    'case_id,text\ncase1,"Patient: Anna Weber, seen on 14.02.2019 by Dr. Kranz. A lesion."\n'
    "case2,No lesion.\ncase3,MRN: 00482913. No change.\n"
)
SECRETS = re.compile(r"Weber|Kranz|2019|482913")


def html(test: AppTest) -> str:
    return " ".join(str(e.value) for e in test.get("html"))


def joined(open_page: OpenPage, texts: str = TEXTS) -> AppTest:
    test = open_page("cohort")
    test.file_uploader[0].upload("own.csv", OWN.encode()).run()
    test.selectbox(key="import_unit").select("months").run()
    test.segmented_control(key="import_join").set_value("report table").run()
    test.file_uploader[0].upload("texts.csv", texts.encode()).run()
    test.checkbox(key="import_agreed").check().run()
    assert not test.exception
    return test


@pytest.mark.parametrize("what", list(Identifying))
def test_nothing_goes_on_before_it_is_decided(what: Identifying, workspace: Workspace, open_page: OpenPage) -> None:
    test = joined(open_page)
    said = html(test)
    assert "2 of 3 reports hold what looks like a name, a date or a number of a person" in said
    assert "14.02.****" in said
    assert "A**** W****" in said
    assert not SECRETS.search(said)
    assert "as decided" not in said
    assert test.radio(key="import_identifying").value is None
    assert test.button(key="import_continue").disabled
    test.radio(key="import_identifying").set_value(what).run()
    assert not test.button(key="import_continue").disabled
    test.button(key="import_continue").click().run()
    assert "2 reports" in html(test)
    assert list_cohorts(workspace) == ()
    test.button(key="import_store").click().run()
    assert not test.exception
    cohort = load_cohort(list_cohorts(workspace)[0].name, workspace)
    texts = [Path(f.path).read_text() for f in load_media(cohort.name, workspace).files]
    assert len(texts) == (1 if what is Identifying.LEAVE_OUT else 3)
    assert any(SECRETS.search(t) for t in texts) is (what is Identifying.KEEP)
    assert not any(SECRETS.search(w) for w in cohort.warnings)


def test_another_study_is_asked_about_again(workspace: Workspace, open_page: OpenPage) -> None:
    test = joined(open_page)
    test.radio(key="import_identifying").set_value(Identifying.KEEP).run()
    test.file_uploader[0].upload("more.csv", b'case_id,text\ncase4,"Frau Ilse Brandt, geb. 12.03.1948"\n').run()
    assert "3 of 4 reports" in html(test)
    assert test.radio(key="import_identifying").value is None
    assert test.button(key="import_continue").disabled


def test_reports_without_anything_are_said_to_be_so(workspace: Workspace, open_page: OpenPage) -> None:
    test = joined(open_page, "case_id,text\ncase1,A lesion of 12 mm.\ncase2,No lesion.\n")
    assert "2 reports" in html(test)
    assert "none found" in html(test)
    assert not test.radio
    assert not test.button(key="import_continue").disabled
