"""Grants and the search of the audit log on the System page: for administrators, recorded, in plain words."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from streamlit.testing.v1 import AppTest

from core.access.actor import Actor, ask_for_actor
from core.access.audit_search import Wanted, entries
from core.access.grants import Grant, load_grants
from core.access.roles import Role
from core.results.workspace import Workspace
from pages.widgets import who

OpenPage = Callable[..., AppTest]


@pytest.fixture
def admin(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Role], None]]:
    """A dashboard with login, at which somebody in a role is."""
    monkeypatch.setattr(who, "_login", True)
    yield lambda role: ask_for_actor(lambda: Actor("ada@x.org", role, None, "page"))
    ask_for_actor(None)


def test_an_administrator_grants_and_takes_away(
    filled: Workspace, open_page: OpenPage, admin: Callable[[Role], None]
) -> None:
    admin(Role.ADMIN)
    test = open_page("system")
    test.text_input(key="grant_user").set_value("Vic@X.org")
    test.selectbox(key="grant_role").select("viewer")
    test.multiselect(key="grant_cohorts").select("sample")
    next(b for b in test.button if b.label == "Keep this grant").click().run()
    assert not test.exception
    assert load_grants(filled).users == {"vic@x.org": Grant(Role.VIEWER, frozenset({"sample"}))}
    test.text_input(key="grant_user").set_value("no name")
    next(b for b in test.button if b.label == "Keep this grant").click().run()
    assert "cannot be used" in " ".join(str(e.value) for e in test.get("html"))
    test.text_input(key="grant_user").set_value("vic@x.org")
    test.selectbox(key="grant_role").select("nobody")
    next(b for b in test.button if b.label == "Keep this grant").click().run()
    assert load_grants(filled).users == {}
    test.selectbox(key="audit_action").select("grants-changed").run()
    test.button(key="audit_search").click().run()
    table = next(d.value for d in test.dataframe if "Pseudonym" in d.value.columns or "What kind" in d.value.columns)
    assert list(table["What kind"]) == ["taken-away", "viewer"]
    assert set(table["Who"]) == {"ada@x.org"}
    assert len(list(entries(filled, Wanted(action="audit-read")))) == 1


def test_nobody_else_sees_them(filled: Workspace, open_page: OpenPage, admin: Callable[[Role], None]) -> None:
    admin(Role.RESEARCHER)
    test = open_page("system")
    assert "For administrators" in " ".join(str(e.value) for e in test.get("html"))
    assert not test.dataframe
    assert [b for b in test.button if b.key in ("audit_search", "grant")] == []
