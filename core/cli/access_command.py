"""``access``: who may see what, without the browser. Whoever can run this owns the files of the workspace anyway."""

from __future__ import annotations

import argparse
from typing import Any

from core.access.grants import ALL, Grant, load_grants, set_grant
from core.access.roles import MAY, Role
from core.cli.output import Answer, table
from core.errors import PrognoscopeError
from core.results.workspace import Workspace

_ROLES = [str(r) for r in Role if r is not Role.NOBODY]


def add_commands(commands: Any) -> None:
    """Register the command of this file."""
    add = commands.add_parser("access", help="who may see what: list, grant USER, revoke USER, roles")
    add.add_argument("what", nargs="?", default="list", choices=("list", "grant", "revoke", "roles"))
    add.add_argument("user", nargs="?", default="", help="the name as the login provider gives it (an e-mail address)")
    add.add_argument("--role", choices=_ROLES, help="with grant")
    add.add_argument("--cohorts", default=ALL, metavar="NAMES", help="comma-separated; all of them without")
    add.set_defaults(run=run_access)


def run_access(args: argparse.Namespace, workspace: Workspace) -> Answer:
    """Show or change the grants."""
    if args.what == "roles":
        may = [(str(role), ", ".join(sorted(MAY[role]))) for role in Role if role is not Role.NOBODY]
        return Answer({role: words.split(", ") for role, words in may}, table(("role", "may"), may))
    if args.what in ("grant", "revoke") and not args.user:
        raise PrognoscopeError("no user named", "the command", f"write ./run cli access {args.what} USER")
    if args.what == "grant":
        if args.role is None:
            raise PrognoscopeError("no role named", "the command", f"add --role, one of {', '.join(_ROLES)}")
        names = {n.strip() for n in args.cohorts.split(",") if n.strip()}
        grants = set_grant(args.user, Grant(Role(args.role), None if ALL in names else frozenset(names)), workspace)
    elif args.what == "revoke":
        grants = set_grant(args.user, None, workspace)
    else:
        grants = load_grants(workspace)
    shown = {user: grant.as_json() for user, grant in grants.users.items()}
    rows = [(user, g["role"], "all" if ALL in g["cohorts"] else ", ".join(g["cohorts"])) for user, g in shown.items()]
    return Answer({"users": shown}, table(("user", "role", "cohorts"), rows) or ["nobody has a grant"])
