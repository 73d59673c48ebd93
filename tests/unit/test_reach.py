"""Who could become whom, on every version; and what nobody knows how to judge."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.errors import ConfigurationError
from harness.integrity.catalogue.database import Kind, nothing
from harness.integrity.catalogue.server import (
    Holding,
    Membership,
    Role,
    Server,
    refuse_too_old,
)
from harness.integrity.reach import statements, unknown
from harness.integrity.reach.code import parse_search_path
from harness.integrity.reach.graph import Graph
from harness.integrity.reach.known import KINDS, PREDEFINED_ROLES

if TYPE_CHECKING:
    from collections.abc import Sequence

NAMES = {10: "postgres", 1: "erp_role", 2: "sbx_role", 3: "v-sbx", 4: "ops", 5: "pg_monitor",
         6: "pg_read_all_stats"}  # fmt: skip


def member(
    who: int, of: int, *, inherits: bool = True, sets: bool = True, administers: bool = False,
    grantors: Sequence[int] = (10,),
) -> Membership:  # fmt: skip
    return Membership(who, of, inherits, sets, administers, list(grantors))


def server(*memberships: Membership, major: int = 18, names: dict[int, str] = NAMES) -> Server:
    return Server(
        version=f"{major}.1",
        major=major,
        roles={
            oid: Role(oid, name, may_log_in=True, connection_limit=-1, attributes=[])
            for oid, name in names.items()
        },
        memberships=list(memberships),
        databases={},
        grants=[],
        settings=[],
        shares_large_objects=False,
    )


def test_a_chain_is_told_step_by_step_the_shortest_way() -> None:
    graph = Graph(server(member(3, 2), member(3, 4), member(4, 2), member(2, 1)))
    assert graph.reach(3) == {
        3: (),
        2: ("member of sbx_role",),
        4: ("member of ops",),
        1: ("member of sbx_role", "member of erp_role"),
    }


def test_each_option_by_itself_leads_on_and_is_told() -> None:
    for options, step in (
        ({"sets": False}, "inherits erp_role"),
        ({"inherits": False}, "member of erp_role"),
        ({"inherits": False, "sets": False, "administers": True}, "may administer erp_role"),
    ):
        assert Graph(server(member(3, 1, **options))).reach(3)[1] == (step,)


def test_a_membership_without_any_option_leads_nowhere() -> None:
    assert Graph(server(member(3, 1, inherits=False, sets=False))).reach(3) == {3: ()}


def test_a_circle_ends() -> None:
    assert set(Graph(server(member(3, 4), member(4, 3))).reach(3)) == {3, 4}


def test_who_only_administers_a_role_is_no_member_of_it() -> None:
    graph = Graph(server(member(3, 2), member(4, 2, inherits=False, sets=False, administers=True)))
    assert graph.members(2) == {3}


def test_members_are_found_through_groups() -> None:
    assert Graph(server(member(4, 2), member(3, 4))).members(2) == {3, 4}


def test_what_only_a_predefined_role_brings_along_is_not_told_again() -> None:
    both = Graph(server(member(2, 5), member(5, 6)))
    assert both.is_implied(6, both.reach(2))
    assert not both.is_implied(5, both.reach(2))
    own = Graph(server(member(2, 5), member(5, 6), member(2, 6)))
    assert not own.is_implied(6, own.reach(2))


@pytest.mark.parametrize(
    ("major", "grantors", "statement"),
    [
        (18, (10,), 'REVOKE "erp_role" FROM "v-sbx";'),
        (18, (4,), 'REVOKE "erp_role" FROM "v-sbx" GRANTED BY "ops";'),
        (15, (4,), 'REVOKE "erp_role" FROM "v-sbx";'),
        (
            16,
            (4, 10),
            'REVOKE "erp_role" FROM "v-sbx" GRANTED BY "ops"; REVOKE "erp_role" FROM "v-sbx";',
        ),
    ],
)
def test_a_membership_is_revoked_as_its_grantor_where_that_counts(
    major: int, grantors: tuple[int, ...], statement: str
) -> None:
    graph = Graph(server(member(3, 1, grantors=grantors), major=major))
    assert graph.ways_out(3, 1, own={2, 3}) == [statement]


def test_every_way_out_is_cut_and_none_inside() -> None:
    graph = Graph(server(member(3, 2), member(2, 4), member(3, 4), member(4, 1)))
    assert graph.ways_out(3, 1, own={2, 3}) == [
        'REVOKE "ops" FROM "v-sbx";',
        'REVOKE "ops" FROM "sbx_role";',
    ]


def test_a_version_that_came_later_is_a_finding() -> None:
    assert [item.id for item in unknown.of_server(server(major=18))] == []
    assert [item.id for item in unknown.of_server(server(major=19))] == [
        "postgresql/1/unknown/PostgreSQL 19"
    ]


@pytest.mark.parametrize("major", range(14, 19))
def test_every_version_has_the_predefined_roles_that_are_known_of_it(major: int) -> None:
    since = {name: first for name, (first, _) in PREDEFINED_ROLES.items()}
    own = {oid: name for oid, name in enumerate(since, 20) if since[name] <= major}
    assert list(unknown.of_server(server(major=major, names=own))) == []


def test_a_role_of_a_later_version_is_not_known_on_an_earlier_one() -> None:
    found = unknown.of_server(server(major=16, names={20: "pg_maintain", 21: "pg_monitor"}))
    assert [item.id for item in found] == ["postgresql/4/unknown/predefined role pg_maintain"]


def test_older_servers_are_refused() -> None:
    refuse_too_old(14, "14.0")
    with pytest.raises(ConfigurationError, match=r"13\.9"):
        refuse_too_old(13, "13.9")


@pytest.mark.parametrize("what", KINDS)
def test_a_kind_that_is_not_listed_is_a_finding(what: str) -> None:
    contents = nothing("erp")
    contents.kinds.extend([Kind(what, name) for name in (*KINDS[what], "new")])
    assert [item.id for item in unknown.of_database(contents)] == [
        f"postgresql/1/unknown/{what} new"
    ]


def test_a_catalogue_or_a_dependency_that_is_not_known_is_a_finding() -> None:
    holdings = [
        Holding(3, "erp", "o", "pg_class", 1),
        Holding(3, None, "o", "pg_graph", 1),
        Holding(3, "erp", "z", "pg_class", 1),
    ]
    assert [item.id for item in unknown.of_holdings(server(), holdings)] == [
        "postgresql/1/unknown/an object of pg_graph in what all databases share",
        "postgresql/1/unknown/dependency z on pg_class in erp",
    ]


def test_names_are_quoted_and_public_is_nobodys_name() -> None:
    assert statements.revoke(["ALL"], "TABLE", ['"a b"'], 'x"y') == (
        'REVOKE ALL ON TABLE "a b" FROM "x""y";'
    )
    assert statements.grantee("PUBLIC") == "PUBLIC"


def test_a_search_path_is_read_as_postgresql_does() -> None:
    assert parse_search_path('"$user", public,"Odd, name" , ""') == ["$user", "public", "Odd, name"]
