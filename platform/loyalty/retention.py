"""How long is kept what is kept for a time: as shipped, as an installation or a tenant says.

A `Term` names a kind of rows and deletes those whose time is over, in small batches. What has no
term (facts, postings, lots, decisions) is kept for good.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from loyalty.database import Database
from loyalty.meters import RETENTION_DELETED

DAY = timedelta(days=1)
BATCH = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """`days` as shipped (None: for good); `least` is what others count on.

    `statements` delete in their order; $1 is the instant before which rows go, $2 how many.
    """

    what: str
    description: str
    days: int | None
    least: int
    statements: tuple[str, ...]


class Retention:
    """What an installation says of some terms, in days; the others are as shipped.

    :raises ValueError: a term that does not exist, or one that is too short
    """

    def __init__(self, terms: Sequence[Term], given: Mapping[str, int] | None = None) -> None:
        self.terms = {term.what: term for term in terms}
        self._given = dict(given or {})
        for what, days in self._given.items():
            check(self.terms, what, days)

    def days(self, what: str) -> int | None:
        """Where the tenant says nothing."""
        return self._given.get(what, self.terms[what].days)

    async def clean(
        self, database: Database, tenant_id: Any, now: datetime, *, batch: int = BATCH
    ) -> int:
        """Delete one batch by each statement, in transactions of their own; how many rows went."""
        async with database.tenant(tenant_id, read_only=True) as connection:
            rows = await connection.fetch("select what, days from loyalty.retention")
        said = {row["what"]: row["days"] for row in rows}
        deleted = 0
        for term in self.terms.values():
            days = said.get(term.what, self.days(term.what))
            if days is None:
                continue
            for statement in term.statements:
                async with database.tenant(tenant_id) as connection:
                    status = await connection.execute(statement, now - days * DAY, batch)
                went = int(status.split()[-1])
                RETENTION_DELETED.labels(term.what).inc(went)
                deleted += went
        return deleted


def check(terms: Mapping[str, Term], what: str, days: int) -> None:
    """:raises ValueError: there is no such term, or so few days are too few"""
    if (term := terms.get(what)) is None:
        raise ValueError(f"there is no term {what!r}: one of {', '.join(sorted(terms))}")
    if days < term.least:
        raise ValueError(f"{what} is kept for {term.least} days at least")
