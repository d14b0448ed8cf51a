"""The table of roles, the grants, and the core that refuses whatever a page offered."""

from __future__ import annotations

import pytest

from core.access.actor import Actor, NotAllowedError, acting, actor, operator
from core.access.audit_entry import Outcome
from core.access.audit_search import Wanted, entries
from core.access.boards import add_patients, delete_board, new_board
from core.access.grants import Grant, grants_file, load_grants, set_grant
from core.access.roles import MAY, Permission, Role, needed_for
from core.access.seen import list_runs
from core.analysis.deletion import remove_cohort, remove_run
from core.cohort.sample import save_sample
from core.cohort.storage import list_cohorts, load_cohort, save_cohort
from core.errors import PrognoscopeError
from core.jobs.child import run_job
from core.jobs.ledger import Ledger
from core.jobs.owner import owner_of
from core.jobs.queue import JobQueue
from core.results.run_store import save_run
from core.results.workspace import Workspace
from core.tasks.jobs import TASKS
from tests.pages.builders import make_large_cohort, make_predictions, make_run

VIEWER = Actor("vic@x.org", Role.VIEWER, frozenset({"sample"}), "page")
RESEARCHER = Actor("rea@x.org", Role.RESEARCHER, frozenset({"sample"}), "page")
ADMIN = Actor("ada@x.org", Role.ADMIN, None, "page")


@pytest.fixture
def filled(workspace: Workspace) -> Workspace:
    for cohort, run in ((save_sample(workspace), "hdmoe-1"), (make_large_cohort(60), "hdmoe-2")):
        save_cohort(cohort, None, workspace)
        predictions = make_predictions(cohort)
        save_run(make_run(cohort, predictions, run), predictions, workspace)
    return workspace


def test_each_role_may_what_the_one_below_may_and_more() -> None:
    assert MAY[Role.NOBODY] < MAY[Role.VIEWER] < MAY[Role.RESEARCHER] < MAY[Role.ADMIN] == set(Permission)
    assert MAY[Role.VIEWER] == {Permission.READ}
    assert not MAY[Role.RESEARCHER] & {Permission.DELETE, Permission.GRANT, Permission.AUDIT}
    for task in TASKS:
        assert (needed_for(task) in MAY[Role.RESEARCHER]) == (needed_for(task) is not Permission.OPERATE)
    assert needed_for("a task of tomorrow") is Permission.OPERATE


def test_only_granted_cohorts_and_their_runs_are_there(filled: Workspace) -> None:
    with acting(RESEARCHER):
        assert [c.name for c in list_cohorts(filled)] == ["sample"]
        assert [r.id for r in list_runs(filled)] == ["hdmoe-1"]
        assert len(load_cohort("sample", filled)) == 240
        with pytest.raises(NotAllowedError) as refused:
            load_cohort("large", filled)
        with pytest.raises(NotAllowedError) as missing:
            load_cohort("no-such-cohort", filled)
    assert str(refused.value) == str(missing.value)  # one that is not granted looks like one that is not there
    assert {c.name for c in list_cohorts(filled)} == {"sample", "large"}  # the operator of this machine sees all


@pytest.mark.parametrize(
    ("who", "task", "arguments"),
    [
        (VIEWER, "train", {"cohort": "sample"}),
        (VIEWER, "import", {"path": "/x", "name": "new"}),
        (VIEWER, "explain", {"run": "hdmoe-1", "patient": "SYN-0001"}),
        (RESEARCHER, "train", {"cohort": "large"}),
        (RESEARCHER, "audit", {"run": "hdmoe-2"}),
        (RESEARCHER, "predict", {"run": "hdmoe-1", "cohort": "large"}),
        (RESEARCHER, "import", {"path": "/x", "name": "large"}),
        (RESEARCHER, "bench", {"name": "training"}),
    ],
)
def test_the_queue_refuses_what_a_page_should_not_have_offered(
    filled: Workspace, who: Actor, task: str, arguments: dict[str, str]
) -> None:
    with acting(who), pytest.raises(NotAllowedError):
        JobQueue(filled).submit(task, arguments, "a job")
    assert JobQueue(filled).jobs() == ()
    (noted,) = entries(filled, Wanted(who=who.user, outcome="refused"))
    assert noted.detail == task


def test_a_job_acts_in_the_name_of_who_submitted_it(filled: Workspace) -> None:
    with acting(RESEARCHER):
        job = JobQueue(filled).submit("audit", {"run": "hdmoe-1", "permutations": -1}, "An audit")
    assert owner_of(filled.root / "jobs" / job.id) == Actor(
        "rea@x.org", Role.RESEARCHER, frozenset({"sample"}), "worker"
    )
    queue = JobQueue(filled)
    ledger = Ledger(queue.path)
    taken = ledger.take_next()
    assert taken is not None
    outcome = run_job(taken, queue, filled)
    (entry,) = entries(filled, Wanted(action="compute"))
    assert (entry.who, entry.through, entry.detail, entry.run) == ("rea@x.org", "worker", "audit", "hdmoe-1")
    assert entry.outcome is (Outcome.FAILED if outcome.error else Outcome.DONE)


def test_deleting_is_for_administrators(filled: Workspace) -> None:
    with acting(RESEARCHER):
        with pytest.raises(NotAllowedError):
            remove_cohort("sample", filled)
        with pytest.raises(NotAllowedError):
            remove_run("hdmoe-1", filled)
        board = new_board("Liver board", "P-1", "sample", "hdmoe-1", 36.0, filled)
        with pytest.raises(NotAllowedError):
            delete_board(board.id, filled)
    with acting(VIEWER), pytest.raises(NotAllowedError):
        add_patients(board.id, ["SYN-0001"], filled)
    with acting(ADMIN):
        remove_cohort("sample", filled, with_runs=True)
    assert [c.name for c in list_cohorts(filled)] == ["large"]
    deleted = [(e.who, e.cohort, e.run) for e in entries(filled, Wanted(action="delete"))]
    assert deleted == [("ada@x.org", "sample", ""), ("ada@x.org", "sample", "hdmoe-1")]


def test_grants_are_changed_by_administrators_alone_and_recorded(workspace: Workspace) -> None:
    for who in (VIEWER, RESEARCHER):
        with acting(who), pytest.raises(NotAllowedError):
            set_grant("vic@x.org", Grant(Role.ADMIN), workspace)
    assert not load_grants(workspace).users
    with acting(ADMIN):
        set_grant("vic@x.org", Grant(Role.VIEWER, frozenset({"sample"})), workspace)
    assert load_grants(workspace).users == {"vic@x.org": Grant(Role.VIEWER, frozenset({"sample"}))}
    assert grants_file(workspace).stat().st_mode & 0o077 == 0
    assert [(e.who, e.detail) for e in entries(workspace, Wanted(action="grants-changed"))] == [("ada@x.org", "viewer")]
    grants_file(workspace).write_text('{"users": {"vic@x.org": {"role": "king", "cohorts": ["*"]}}}')
    with pytest.raises(PrognoscopeError, match="cannot be understood"):
        load_grants(workspace)


def test_the_command_line_is_the_operators() -> None:
    assert actor() == operator()
    assert operator().role is Role.ADMIN
    assert operator().user.startswith("local:")
