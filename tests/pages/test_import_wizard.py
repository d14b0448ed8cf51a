"""The import wizard in each of its states, from an empty workspace to a stored cohort and its deletion."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.cohort.storage import list_cohorts, load_cohort
from core.jobs.queue import JobQueue
from core.results.run_store import list_runs
from core.results.workspace import Workspace
from pages.widgets import import_state
from pages.widgets.import_state import Step, Wizard

OpenPage = Callable[..., AppTest]
OWN = "id,time,event,age\n" + "".join(f"case{i},{i + 1},{i % 2},{50 + i}\n" for i in range(30))


def html(test: AppTest) -> str:
    return " ".join(str(e.value) for e in test.get("html"))


def wizard(test: AppTest) -> Wizard:
    found = test.session_state[import_state.KEY]
    assert isinstance(found, Wizard)
    return found


def upload(test: AppTest, name: str, content: bytes) -> AppTest:
    test.file_uploader[0].upload(name, content).run()
    assert not test.exception
    return test


def uploads(workspace: Workspace) -> list[Path]:
    folder = workspace.root / "uploads"
    return [p for p in folder.rglob("*") if p.is_file()] if folder.is_dir() else []


def agree_and_continue(test: AppTest) -> None:
    test.checkbox(key="import_agreed").check().run()
    test.button(key="import_continue").click().run()


@pytest.fixture
def pbc(shared_data: Path) -> bytes:
    return (shared_data / "hcc" / "pbc.csv").read_bytes()


def test_nothing_chosen_offers_three_ways_and_no_way_on(
    workspace: Workspace, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.jobs.supervise.ensure_worker", lambda *_: None)  # the job is queued, nobody works at it
    test = open_page("cohort")
    assert "No cohort yet" in html(test)
    assert len(test.file_uploader) == 1
    assert test.button(key="import_look").disabled
    assert "nothing outside of them can be read" in html(test)
    assert {b.key for b in test.button} == {"import_look", "import_sample"}
    test.button(key="import_sample").click().run()
    assert [c.name for c in list_cohorts(workspace)] == ["sample"]
    assert "The cohort is stored" in html(test)
    assert [job.task for job in JobQueue(workspace).jobs()] == ["prepare-sample"]
    test.button(key="import_done").click().run()
    test.button(key="delete_cohort").click().run()
    assert "1 job still needs it" in html(test)
    assert test.button(key="delete_confirm").disabled


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("scan.bin", bytes(range(256)), "A binary file, not a text table"),
        ("empty.csv", b"", "An empty file"),
        ("evil.pkl", b"\x80\x04\x95\x00", "A pickle, which can run code"),
        ("torn.zip", b"PK\x03\x04" + bytes(50), "A damaged archive"),
    ],
)
def test_a_wrong_file_is_one_sentence_and_is_gone(
    name: str, content: bytes, says: str, workspace: Workspace, open_page: OpenPage
) -> None:
    test = upload(open_page("cohort"), name, content)
    assert says in html(test)
    assert "What to do" in html(test)
    assert wizard(test).step is Step.CHOOSE
    assert uploads(workspace) == []
    upload(test, "own.csv", OWN.encode())
    assert says not in html(test)
    assert wizard(test).step is Step.CHECK


def test_pbc_from_an_empty_workspace_to_a_stored_cohort(workspace: Workspace, open_page: OpenPage, pbc: bytes) -> None:
    test = upload(open_page("cohort"), "pbc.csv", pbc)
    assert "3 things are open" in html(test)
    assert "Say what 2 in the column status means (161 patients)." in html(test)
    assert test.button(key="import_continue").disabled
    assert test.selectbox(key="import_id").value == "id"
    assert test.selectbox(key="import_unit").value == "days"
    for place, meaning in enumerate(("censored", "competing", "event")):
        assert test.selectbox(key=f"import_code_0_{place}").value == ""
        test.selectbox(key=f"import_code_0_{place}").select(meaning).run()
    assert "Name the competing event of OS" in html(test)
    test.text_input(key="import_competing_label_0").set_value("liver transplant").run()
    assert "161 death" in html(test)
    assert "25 liver transplant" in html(test)
    assert test.button(key="import_continue").disabled  # the codes are not confirmed yet
    assert list_cohorts(workspace) == ()
    agree_and_continue(test)
    assert "Nothing has been stored so far" in html(test)
    assert list_cohorts(workspace) == ()
    test.text_input(key="import_name").set_value("Not a name").run()
    assert test.button(key="import_store").disabled
    test.text_input(key="import_name").set_value("pbc-mayo").run()
    test.text_input(key="import_title").set_value("PBC, Mayo Clinic").run()
    test.button(key="import_store").click().run()
    assert not test.exception
    assert "The cohort is stored" in html(test)
    stored = load_cohort("pbc-mayo", workspace)
    endpoint = stored.endpoint()
    assert (len(stored), int(endpoint.event.sum()), int(endpoint.competing.sum())) == (418, 161, 25)
    assert endpoint.competing_label == "liver transplant"
    assert uploads(workspace) == []
    test.button(key="import_done").click().run()
    assert "PBC, Mayo Clinic · 418 patients" in test.selectbox(key="bar_cohort").options
    assert test.get("plotly_chart")


def test_changing_a_code_takes_the_confirmation_back(workspace: Workspace, open_page: OpenPage) -> None:
    test = upload(open_page("cohort"), "own.csv", OWN.encode())
    test.selectbox(key="import_unit").select("months").run()
    test.checkbox(key="import_agreed").check().run()
    test.text_input(key="import_event_label_0").set_value("death of any cause").run()
    assert not test.button(key="import_continue").disabled
    test.selectbox(key="import_code_0_0").select("competing").run()
    assert not test.checkbox(key="import_agreed").value
    assert test.button(key="import_continue").disabled


def test_a_table_the_import_refuses_says_why_before_it_is_stored(workspace: Workspace, open_page: OpenPage) -> None:
    test = upload(open_page("cohort"), "own.csv", OWN.replace("case3,4,", "case3,-4,").encode())
    test.selectbox(key="import_unit").select("months").run()
    assert "1 negative time in column" in html(test)
    assert test.button(key="import_continue").disabled


def test_leaving_the_wizard_removes_the_upload(filled: Workspace, open_page: OpenPage) -> None:
    test = open_page("cohort")
    test.button(key="open_import").click().run()
    upload(test, "own.csv", OWN.encode())
    assert len(uploads(filled)) == 1
    test.button(key="import_close").click().run()
    assert uploads(filled) == []
    assert test.get("plotly_chart")
    test.button(key="open_import").click().run()
    upload(test, "own.csv", OWN.encode())
    test.button(key="import_again").click().run()
    assert uploads(filled) == []
    assert wizard(test).step is Step.CHOOSE


def test_an_upload_that_is_gone_is_asked_for_again(workspace: Workspace, open_page: OpenPage) -> None:
    test = upload(open_page("cohort"), "own.csv", OWN.encode())
    shutil.rmtree(uploads(workspace)[0].parent)
    test.run()
    assert "The study is no longer there" in html(test)
    assert wizard(test).step is Step.CHOOSE
    assert len(test.file_uploader) == 1


def test_a_study_in_an_import_folder_and_none_behind_a_link(workspace: Workspace, open_page: OpenPage) -> None:
    incoming = workspace.root / "incoming"
    incoming.mkdir(parents=True)
    (incoming / "own.csv").write_text(OWN)
    (incoming / "linked").mkdir()
    (incoming / "linked" / "patients.csv").symlink_to(incoming / "own.csv")
    test = open_page("cohort")
    test.selectbox(key="import_path").select_index(0).run()
    test.button(key="import_look").click().run()
    assert "A link to another place inside the folder" in html(test)
    test.selectbox(key="import_path").select_index(1).run()
    test.button(key="import_look").click().run()
    assert wizard(test).step is Step.CHECK
    test.selectbox(key="import_unit").select("months").run()
    agree_and_continue(test)
    test.button(key="import_store").click().run()
    assert [c.name for c in list_cohorts(workspace)] == ["own"]
    assert (incoming / "own.csv").is_file()


def test_deleting_a_cohort_says_what_goes_and_keeps_its_runs_unless_asked(
    filled: Workspace, open_page: OpenPage
) -> None:
    test = open_page("cohort")
    test.button(key="delete_cohort").click().run()
    text = " ".join(m.value for m in test.markdown)
    assert "240 patients with their outcomes and values" in text
    assert "1 run trained on it" in text
    assert [c.name for c in list_cohorts(filled)] == ["sample"]
    test.button(key="delete_confirm").click().run()
    assert not test.exception
    assert list_cohorts(filled) == ()
    assert len(list_runs(filled)) == 1
    assert "No cohort yet" in html(test)


def test_deleting_a_run_leaves_its_cohort(filled: Workspace, open_page: OpenPage) -> None:
    test = open_page("cohort")
    test.button(key="delete_run").click().run()
    assert "its out-of-fold predictions of 240 patients" in " ".join(m.value for m in test.markdown)
    test.button(key="delete_confirm").click().run()
    assert list_runs(filled) == ()
    assert [c.name for c in list_cohorts(filled)] == ["sample"]


def test_gene_families_and_reports_are_joined_with_what_is_in_them(workspace: Workspace, open_page: OpenPage) -> None:
    study = "id,time,event,TP53_rnaseq,AFP_rnaseq\n" + "".join(
        f"case{i},{i + 1},{i % 2},{i / 7:.2f},{i % 5}\n" for i in range(30)
    )
    test = upload(open_page("cohort"), "own.csv", study.encode())
    test.selectbox(key="import_unit").select("months").run()
    assert "Without it all genes are one family" in html(test)

    test.file_uploader[0].upload("families.csv", b"one,two\nTP53,AFP\n").run()
    assert not test.exception
    assert "2 families of 2 genes: one (1), two (1)." in html(test)
    test.file_uploader[0].upload("other.csv", b"one,two\n,\n").run()
    assert "No gene family" in html(test)
    assert [b.name for b in wizard(test).beside] == ["families.csv"]
    test.file_uploader[0].upload("better.csv", b"all\nTP53\nAFP\n").run()
    assert [b.name for b in wizard(test).beside] == ["better.csv"]  # there is one set of families

    test.segmented_control(key="import_join").set_value("report table").run()
    test.file_uploader[0].upload("texts.csv", b"case_id,text\ncase1,A lesion.\ncase2,No lesion.\nx,Else.\n").run()
    assert "3 reports of 3 cases" in html(test)
    assert "2 patients of 30 with a report" in html(test)  # the check reads it with the study
    assert "1 report of" in html(test)
    assert len(uploads(workspace)) == 3

    agree_and_continue(test)
    test.button(key="import_store").click().run()
    assert not test.exception
    stored = load_cohort(list_cohorts(workspace)[0].name, workspace)
    assert stored.genomics is not None
    assert {k: len(v) for k, v in stored.genomics.families.items()} == {"all": 2}
    assert int(stored.availability["reports"].sum()) == 2
    assert uploads(workspace) == []


def test_a_joined_file_can_be_taken_away_again_and_goes_when_the_wizard_is_left(
    filled: Workspace, open_page: OpenPage
) -> None:
    test = open_page("cohort")
    test.button(key="open_import").click().run()
    upload(test, "own.csv", OWN.encode())
    test.selectbox(key="import_unit").select("months").run()
    test.segmented_control(key="import_join").set_value("report table").run()
    test.file_uploader[0].upload("texts.csv", b"case_id,text\nsomebody,A lesion.\n").run()
    assert "No report of a patient of the study" in html(test)
    assert test.button(key="import_continue").disabled
    test.button(key="import_beside_drop_0").click().run()
    assert "No report of a patient of the study" not in html(test)
    assert len(uploads(filled)) == 1
    test.file_uploader[0].upload("texts.csv", b"case_id,text\ncase1,A lesion.\n").run()
    assert len(uploads(filled)) == 2
    test.button(key="import_close").click().run()
    assert uploads(filled) == []


def test_an_index_of_media_and_a_clinical_folder_lie_on_this_machine(workspace: Workspace, open_page: OpenPage) -> None:
    incoming = workspace.root / "incoming"
    incoming.mkdir(parents=True)
    (incoming / "own.csv").write_text(OWN)
    (incoming / "case1.txt").write_text("A lesion of 20 mm.")
    (incoming / "index.csv").write_text("id,path,modality\ncase1,case1.txt,reports\n")
    test = open_page("cohort")
    test.selectbox(key="import_path").select(str(incoming / "own.csv")).run()
    test.button(key="import_look").click().run()
    test.selectbox(key="import_unit").select("months").run()
    test.segmented_control(key="import_join").set_value("media index").run()
    assert not test.file_uploader
    test.selectbox(key="import_beside_path_MEDIA").select(str(incoming / "index.csv")).run()
    test.button(key="import_beside_add").click().run()
    assert "1 file named: reports 1." in html(test)
    assert "1 file of 1 patient of 30 named in index.csv" in html(test)
    test.segmented_control(key="import_join").set_value("clinical table").run()
    test.selectbox(key="import_beside_path_CLINICAL").select(str(incoming / "own.csv")).run()
    test.button(key="import_beside_add").click().run()
    assert "No clinical table" in html(test)
    assert len(wizard(test).beside) == 1
