"""Pages of a list, and cursors that only their own list takes."""

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.errors import Code, Refused
from loyalty_graphql.cursors import Cursors
from loyalty_graphql.paging import Page, Paging

A = UUID(int=1)
B = UUID(int=2)
CURSORS = Cursors(b"a" * 32)
PAGING = Paging(CURSORS)
MEMBERS = """query ($first: Int, $after: String, $last: Int, $before: String) {
  members(first: $first, after: $after, last: $last, before: $before) {
    edges { cursor node { name } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}"""


async def page(edge: Any, **variables: Any) -> Any:
    return (await edge.ask(MEMBERS, variables=variables))["data"]["members"]


def names(connection: Any) -> list[int]:
    return [int(edge["node"]["name"]) for edge in connection["edges"]]


async def test_paging_forward_meets_everything_once(edge: Any) -> None:
    seen: list[int] = []
    after = None
    while True:
        connection = await page(edge, first=30, after=after)
        seen += names(connection)
        after = connection["pageInfo"]["endCursor"]
        if not connection["pageInfo"]["hasNextPage"]:
            break
    assert seen == list(range(1, 101))


async def test_paging_backward_gives_the_same_order(edge: Any) -> None:
    last = await page(edge, last=3)
    assert names(last) == [98, 99, 100]
    assert last["pageInfo"]["hasPreviousPage"]
    before = await page(edge, last=3, before=last["pageInfo"]["startCursor"])
    assert names(before) == [95, 96, 97]


async def test_a_page_of_nothing_has_no_cursors(edge: Any) -> None:
    connection = await page(edge, first=0)
    assert connection["edges"] == []
    assert connection["pageInfo"] == {
        "hasNextPage": True,
        "hasPreviousPage": False,
        "startCursor": None,
        "endCursor": None,
    }


async def test_without_a_size_a_page_has_twenty(edge: Any) -> None:
    assert len((await page(edge))["edges"]) == 20


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"first": 101}, "first"),
        ({"first": -1}, "first"),
        ({"last": 101}, "last"),
        ({"last": -1}, "last"),
        ({"first": 1, "last": 1}, "first"),
        ({"first": 1, "before": "x"}, "first"),
        ({"after": "x", "last": 1}, "first"),
        ({"after": "x"}, "after"),
        ({"after": ""}, "after"),
        ({"after": "ünder"}, "after"),
        ({"after": "A" * 5_000}, "after"),
        ({"before": "====", "last": 1}, "before"),
    ],
)
def test_arguments_that_do_not_fit_are_the_callers(arguments: dict[str, Any], field: str) -> None:
    with pytest.raises(Refused) as caught:
        PAGING.page(A, "Query.members", **arguments)
    assert caught.value.code is Code.BAD_USER_INPUT
    assert caught.value.field == field


async def test_a_bad_cursor_is_an_error_of_the_field(edge: Any) -> None:
    (error,) = (await edge.ask(MEMBERS, variables={"after": "bm9wZQ"}))["errors"]
    assert error["extensions"] == {"code": "BAD_USER_INPUT", "field": "after"}


position = st.lists(st.none() | st.integers(-(2**53), 2**53) | st.text(max_size=20), max_size=4)


@given(position)
def test_a_cursor_is_read_as_it_was_issued(values: list[Any]) -> None:
    cursor = CURSORS.issue(A, "Query.members", values)
    assert CURSORS.read(A, "Query.members", cursor) == tuple(values)


@given(position, st.data())
def test_a_cursor_that_was_changed_is_refused(values: list[Any], data: st.DataObject) -> None:
    cursor = CURSORS.issue(A, "Query.members", values)
    at = data.draw(st.integers(0, len(cursor) - 2))
    other = data.draw(
        st.sampled_from("ABCDEFGHabcdefgh01234567-_").filter(lambda c: c != cursor[at])
    )
    with pytest.raises(Refused):
        CURSORS.read(A, "Query.members", cursor[:at] + other + cursor[at + 1 :])


@pytest.mark.parametrize(
    ("cursors", "tenant", "field"),
    [
        (CURSORS, B, "Query.members"),
        (CURSORS, A, "Member.statement"),
        (Cursors(b"b" * 32), A, "Query.members"),
    ],
)
def test_a_cursor_of_another_tenant_list_or_key_is_refused(
    cursors: Cursors, tenant: UUID, field: str
) -> None:
    cursor = CURSORS.issue(A, "Query.members", [1])
    with pytest.raises(Refused):
        cursors.read(tenant, field, cursor)


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Cursors(b"short")


def test_a_page_asks_for_one_row_more() -> None:
    assert Page(tenant=A, field="x", size=5).fetch == 6
