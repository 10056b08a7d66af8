"""What a page of members is asked for, loaded before they are handed out."""

from collections.abc import Iterator, Sequence
from functools import partial
from uuid import UUID

from strawberry.types.nodes import SelectedField

from loyalty import journal
from loyalty.errors import Refused
from loyalty.ledger.statement import Page
from loyalty.plugin import Connection
from loyalty.setup import Setup
from loyalty_graphql.ahead import beneath, load_ahead
from loyalty_graphql.context import RequestInfo
from loyalty_graphql.reads import in_order, movements


class MemberPage:
    """The fields that are selected of each member of a page."""

    def __init__(self, info: RequestInfo) -> None:
        self._context = info.context
        self._fields = beneath(info.selected_fields, "edges", "node")

    async def read(self, connection: Connection, setup: Setup, members: Sequence[UUID]) -> None:
        """Read their newest movements where those are selected, in the members' transaction."""
        fields, loaders = [f for f in self._fields if f.name == "statement"], self._context.loaders
        if not fields:
            return
        pages = (page for field in fields for page in self._pages(field, members))
        read = partial(movements, connection, setup)
        found = await load_ahead(loaders.statement, pages, read)
        if any(field.name == "cause" for field in beneath(fields, "edges", "node")):
            facts = (entry.fact_id for _, entries in found for entry in entries)
            causes = partial(in_order, journal.kinds, "", connection)
            await load_ahead(loaders.cause, facts, causes)

    async def load(self, members: Sequence[UUID]) -> None:
        """Load what is not read in a transaction, or in another one."""
        if any(field.name == "balances" for field in self._fields):
            reads, loaders = self._context.reads, self._context.loaders
            await load_ahead(loaders.holdings, members, reads.all_holdings)

    def _pages(self, field: SelectedField, members: Sequence[UUID]) -> Iterator[Page]:
        unit, first = field.arguments.get("unit"), field.arguments.get("first")
        # A cursor is of one member, and the others will refuse it.
        if unit is None or field.arguments.get("after") is not None:
            return
        context = self._context
        try:
            page = context.api.paging.page(
                context.tenant_id, "", first=None if first is None else int(first)
            )
        except Refused:  # as the field itself will say
            return
        for member in members:
            yield Page(holder=member, unit=unit, before=None, size=page.fetch)
