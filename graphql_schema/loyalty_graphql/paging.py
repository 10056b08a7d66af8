"""Relay connections over keyset pages: a page costs the same wherever in the list it is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar
from uuid import UUID

import strawberry

from loyalty.errors import Code, Refused
from loyalty_graphql.access import reached
from loyalty_graphql.cursors import Cursors, Position

Node = TypeVar("Node")
Row = TypeVar("Row")

PAGE_MAX = 100
PAGE_DEFAULT = 20


@strawberry.type
@reached
class PageInfo:
    """Where a page lies in its list."""

    has_next_page: bool
    """Whether something follows; only known when paging forward."""
    has_previous_page: bool
    """Whether something comes before; only known when paging backward."""
    start_cursor: str | None
    """The cursor of the first item; null for an empty page."""
    end_cursor: str | None
    """The cursor of the last item; null for an empty page."""


def _cursor(root: "Edge[Any]") -> str:
    """The place of the item; pass it as `after` or `before`."""
    return root.seal(root.row)  # only where it is asked for


@strawberry.type
@reached
class Edge(Generic[Node]):
    """An item in its list."""

    row: strawberry.Private[Any]
    seal: strawberry.Private[Callable[[Any], str]]
    cursor: str = strawberry.field(resolver=_cursor)
    node: Node
    """The item itself."""

    # By position: there are hundreds of them on a page, and keywords take twice as long.
    def __init__(self, row: Any, seal: Callable[[Any], str], node: Node) -> None:
        self.row, self.seal, self.node = row, seal, node


@strawberry.type
@reached
class Connection(Generic[Node]):
    """A page of a list."""

    edges: list[Edge[Node]]
    """The items of the page, in the order of the list."""
    more: strawberry.Private[tuple[bool, bool]]

    @strawberry.field
    def page_info(self) -> PageInfo:
        """Where the page lies in the list."""
        following, before = self.more
        return PageInfo(
            has_next_page=following,
            has_previous_page=before,
            start_cursor=_cursor(self.edges[0]) if self.edges else None,
            end_cursor=_cursor(self.edges[-1]) if self.edges else None,
        )


class Page(NamedTuple):
    """What to fetch: `fetch` rows strictly beyond `beyond`, nearest first.

    `backward` turns the order of the list round, for the query only.

    One row more than `size` is asked for, to know whether another page follows.
    """

    tenant: UUID
    field: str
    size: int
    backward: bool = False
    beyond: Position | None = None

    @property
    def fetch(self) -> int:
        return self.size + 1


@dataclass(frozen=True, slots=True)
class Paging:
    """Reads the four Relay arguments of a list field and builds its connection."""

    cursors: Cursors

    def page(
        self,
        tenant: UUID,
        field: str,
        *,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Page:
        """The page that was asked for: forward with `first` and `after`, or else backward.

        :raises Refused: BAD_USER_INPUT for a size out of range, arguments that do not go together,
            or a cursor of another list
        """
        backward = last is not None or before is not None
        if backward and (first is not None or after is not None):
            raise _bad(
                "first", "page forward with first and after, or backward with last and before"
            )
        size, named = (last, "last") if backward else (first, "first")
        if size is not None and not 0 <= size <= PAGE_MAX:
            raise _bad(named, f"ask for 0 to {PAGE_MAX} items")
        cursor, argument = (before, "before") if backward else (after, "after")
        return Page(
            tenant=tenant,
            field=field,
            size=PAGE_DEFAULT if size is None else size,
            backward=backward,
            beyond=None
            if cursor is None
            else self.cursors.read(tenant, field, cursor, argument=argument),
        )

    def connection(
        self,
        page: Page,
        rows: Sequence[Row],
        *,
        node: Callable[[Row], Node],
        position: Callable[[Row], Sequence[str | int | None]],
    ) -> Connection[Node]:
        """The connection of up to `page.fetch` rows, nearest to the cursor first."""

        def seal(row: Row) -> str:
            return self.cursors.issue(page.tenant, page.field, position(row))

        kept = rows[: page.size]
        in_order = reversed(kept) if page.backward else kept
        edges = [Edge(row, seal, node(row)) for row in in_order]
        more = len(rows) > page.size
        return Connection(edges=edges, more=(more and not page.backward, more and page.backward))


def _bad(field: str, message: str) -> Refused:
    return Refused(Code.BAD_USER_INPUT, message, field=field)
