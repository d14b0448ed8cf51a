"""The preview of an import: right for the real tables, never sure where it cannot be, and nothing stored by it."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.cohort.checking import Checked, check_import
from core.cohort.code_words import certain_meanings
from core.cohort.column_view import Kind, look_at
from core.cohort.guessing import guess_id, guess_unit
from core.cohort.importing import import_cohort
from core.cohort.preview import preview
from core.cohort.table_mapping import EndpointMapping, TableMapping
from core.errors import PrognoscopeError

SECRET = b"0" * 32
PBC = {"0": "censored", "1": "competing", "2": "event"}


def table(folder: Path, text: str, name: str = "own.csv") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_pbc_is_proposed_but_its_codes_are_left_to_the_user(shared_data: Path) -> None:
    found = preview(shared_data / "hcc" / "pbc.csv")
    assert (found.format, found.lines, len(found.columns), found.gene_columns) == ("table", 418, 21, 0)
    mapping = found.mapping
    assert mapping is not None
    assert (mapping.id, mapping.time_unit, mapping.dropped) == ("id", "days", ("rownames",))
    assert mapping.inputs == ("age", "sex", "stage")
    (endpoint,) = mapping.endpoints
    assert (endpoint.name, endpoint.time, endpoint.event) == ("OS", "time", "status")
    assert endpoint.codes == {}
    assert [(c.code, c.count) for c in found.codes["status"]] == [("0", 232), ("1", 25), ("2", 161)]
    assert "13 years as days" in found.unit_reason
    assert len(mapping.open_questions(found.codes)) == 3


def test_pbc_checked_under_its_mapping_is_what_the_import_gives(shared_data: Path) -> None:
    path = shared_data / "hcc" / "pbc.csv"
    found = preview(path)
    assert found.mapping is not None
    endpoint = EndpointMapping("OS", "time", "status", PBC, "death", "liver transplant")
    mapping = TableMapping("id", "days", (endpoint,), inputs=found.mapping.inputs, dropped=("rownames",))
    assert mapping.open_questions(found.codes) == ()
    options = {"columns": mapping.columns(), "events": mapping.events()}
    checked = check_import(path, **options)
    (os,) = checked.endpoints
    assert (checked.patients, os.patients, os.events, os.competing, os.censored) == (418, 418, 161, 25, 232)
    assert (os.event_label, os.competing_label) == ("death", "liver transplant")
    assert os.longest == pytest.approx(4795 / 30.4375)
    assert checked.modalities == {"clinical": 418}
    assert Checked.from_json(checked.as_json()) == checked
    stored = import_cohort(path, "pbc", secret=SECRET, **options).cohort
    assert stored.endpoint().competing_label == "liver transplant"
    assert int(stored.endpoint().competing.sum()) == 25


def test_hepatocellular_has_both_endpoints_with_meanings_its_names_state(shared_data: Path) -> None:
    found = preview(shared_data / "hcc" / "hepatoCellular.csv")
    mapping = found.mapping
    assert mapping is not None
    assert (mapping.id, mapping.time_unit, mapping.dropped) == ("Number", "months", ("rownames",))
    pairs = [(e.name, e.time, e.event, e.event_label) for e in mapping.endpoints]
    assert pairs == [("OS", "OS", "Death", "death"), ("RFS", "RFS", "Recurrence", "recurrence")]
    assert all(e.codes == {"0": "censored", "1": "event"} for e in mapping.endpoints)
    checked = check_import(
        shared_data / "hcc" / "hepatoCellular.csv", columns=mapping.columns(), events=mapping.events()
    )
    assert [(e.events, e.event_label) for e in checked.endpoints] == [(97, "death"), (143, "recurrence")]


def test_a_published_table_needs_no_mapping(shared_data: Path) -> None:
    path = shared_data / "tcga" / "lihc" / "tcga_lihc_all_clean.csv.zip"
    assert preview(path).format == "tcga-table"
    assert preview(path).mapping is None
    forced = preview(path, "table").mapping
    assert forced is not None
    assert (forced.id, forced.time_unit, forced.site) == ("case_id", "months", "site")
    assert forced.endpoints[0].codes == {}  # "censorship": 1 may mean censored or not


def test_a_code_means_something_only_where_it_says_so() -> None:
    assert certain_meanings(look_at("status", ["0", "1", "1"]))[0] == {}
    assert certain_meanings(look_at("OS", ["0", "1", "1"]))[0] == {}
    assert certain_meanings(look_at("censored", ["0", "1", "1"]))[0] == {}
    assert certain_meanings(look_at("event_type", ["0", "1", "1"]))[0] == {}
    assert certain_meanings(look_at("death", ["1", "2", "2"]))[0] == {}
    assert certain_meanings(look_at("Death", ["0", "1.0", "1"]))[0] == {"0": "censored", "1": "event"}
    words = certain_meanings(look_at("status", ["0:LIVING", "1:DECEASED", "2:LOST", "1:DECEASED"]))[0]
    assert words == {"0:LIVING": "censored", "1:DECEASED": "event"}


def test_the_unit_is_named_by_the_column_or_by_what_is_possible_and_else_asked_for() -> None:
    column = look_at("os_weeks", ["1", "2", "80"])
    assert guess_unit(("os_weeks",), 80, [column])[0] == "weeks"
    assert guess_unit(("time",), 4795, [])[0] == "days"
    unit, why = guess_unit(("time",), 24, [])
    assert unit == ""
    assert "please choose" in why


def test_the_id_is_the_patients_not_the_rows_or_the_slides() -> None:
    rows = [str(i) for i in range(30)]
    named = [look_at("rownames", rows), look_at("Patient ID", [f"p{i}" for i in rows])]
    assert guess_id(named)[0] == "Patient ID"
    slides = [look_at("slide_id", [f"s{i}" for i in rows]), look_at("case_id", [f"c{int(i) // 2}" for i in rows])]
    assert guess_id(slides)[0] == "case_id"
    assert guess_id([look_at("marker", [f"{i}.5" for i in rows]), look_at("sex", ["f", "m"] * 15)])[0] == ""


def test_a_column_that_may_be_an_id_shows_none_of_its_values() -> None:
    view = look_at("name", ["Anna", "Berta", "Carla"])
    assert view.kind is Kind.WORDS
    assert view.codes == ()
    assert "Anna" not in view.words


def test_codes_are_counted_by_patient_where_a_patient_has_several_lines(tmp_path: Path) -> None:
    lines = "".join(f"p{i},{i + 1},{i % 2},{i}\n" * (1 + i % 2) for i in range(20))
    found = preview(table(tmp_path, "patient_id,os_months,os_status,number\n" + lines))
    assert found.lines == 30
    assert found.mapping is not None
    assert found.mapping.id == "patient_id"
    assert [(c.code, c.count) for c in found.codes["os_status"]] == [("0", 10), ("1", 10)]


def test_codes_and_names_of_each_endpoint_stay_its_own(tmp_path: Path) -> None:
    text = "id,os,dead,rfs,back\n" + "".join(f"p{i},{i + 9},{i % 2},{i + 3},{1 + i % 3}\n" for i in range(30))
    path = table(tmp_path, text)
    mapping = TableMapping(
        "id", "months",
        (EndpointMapping("OS", "os", "dead", {"0": "event", "1": "censored"}, "death"),
         EndpointMapping("RFS", "rfs", "back", {"1": "event", "2": "censored", "3": "competing"}, "relapse", "death")),
    )  # fmt: skip
    assert mapping.open_questions(preview(path).codes) == ()
    checked = check_import(path, columns=mapping.columns(), events=mapping.events())
    assert [(e.events, e.competing, e.event_label, e.competing_label) for e in checked.endpoints] == [
        (15, 0, "death", ""),
        (10, 10, "relapse", "death"),
    ]


def test_a_nameless_column_is_told_of_since_it_may_be_the_id(tmp_path: Path) -> None:
    rows = "".join(f"{i},{i + 1},{i % 2}\n" for i in range(30))
    found = preview(table(tmp_path, ",time,status\n" + rows))
    assert found.mapping is not None
    assert found.mapping.id == ""
    assert found.warnings == ("1 column without a name: left out. Name one to use it as the patient id.",)


def test_a_comma_in_a_columns_name_parts_nothing(tmp_path: Path) -> None:
    text = 'id,time,event,"size, mm"\n' + "".join(f"p{i},{i + 1},{i % 2},{i}\n" for i in range(9))
    endpoint = EndpointMapping("OS", "time", "event", {"0": "censored", "1": "event"})
    mapping = TableMapping("id", "months", (endpoint,), inputs=("size, mm",))
    options = {"columns": mapping.columns(), "events": mapping.events()}
    assert check_import(table(tmp_path, text), **options).columns == {"input": 1}


@pytest.mark.parametrize(
    ("changed", "asks"),
    [
        ({"id": ""}, "tells the patients apart"),
        ({"time_unit": ""}, "unit of the times"),
        ({"endpoints": ()}, "Add an endpoint"),
        ({"endpoints": (EndpointMapping("OS", "", "status", PBC),)}, "time column of OS"),
        ({"endpoints": (EndpointMapping("OS", "time", "", {}),)}, "event column of OS"),
        ({"endpoints": (EndpointMapping("OS", "time", "age", {}),)}, "too many different values"),
        ({"endpoints": (EndpointMapping("OS", "time", "status", {"0": "censored"}),)}, "Say what 2 in the column"),
        ({"endpoints": (EndpointMapping("OS", "time", "status", dict.fromkeys("012", "censored")),)}, "needs one"),
        ({"endpoints": (EndpointMapping("OS", "time", "status", PBC),)}, "Name the competing event"),
        ({"endpoints": (EndpointMapping("a b", "time", "status", dict.fromkeys("012", "event")),)}, "short name"),
        ({"site": "id"}, "used for two things"),
    ],
)
def test_what_is_open_is_asked_for_in_a_sentence(changed: dict[str, object], asks: str, shared_data: Path) -> None:
    codes = preview(shared_data / "hcc" / "pbc.csv").codes
    good = {"id": "id", "time_unit": "days",
            "endpoints": (EndpointMapping("OS", "time", "status", PBC, "death", "transplant"),)}  # fmt: skip
    assert TableMapping(**good).open_questions(codes) == ()  # type: ignore[arg-type]
    assert any(asks in q for q in TableMapping(**(good | changed)).open_questions(codes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("x.csv", b"", "an empty file"),
        ("x.csv", b"a,b\n", "a header without a single patient"),
        ("x.csv", b"a;b\n1;2\n", "one column only, separated by semicolons"),
        ("x.bin", bytes(range(256)), "a binary file, not a text table"),
        ("x.csv", b"\x80\x04\x95", "a pickle, which can run code when it is read"),
    ],
)
def test_what_is_no_table_is_refused_in_one_sentence(tmp_path: Path, name: str, content: bytes, found: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(PrognoscopeError) as caught:
        preview(path)
    assert caught.value.found == found
