"""Returns that name no revision: they are about the newest one.

Which one that is is found before anything is locked, for the locks need to know whom a return is
about. Under them it is looked at again: a return that finds a newer revision there is settled anew.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from loyalty.facts import PurchaseReversed
from loyalty.journal import newest_revisions
from loyalty.settlement.request import Request


async def with_newest(connection: Any, requests: Sequence[Request]) -> Sequence[Request]:
    """The requests, with the newest revision in each return that names none (none there: 1)."""
    unnamed = {
        (fact.source, fact.purchase_external_id)
        for request in requests
        if isinstance(fact := request.fact, PurchaseReversed) and fact.purchase_revision is None
    }
    if not unnamed:
        return requests
    found = await newest_revisions(connection, sorted(unnamed))
    return [_named(request, found) for request in requests]


def _named(request: Request, found: dict[tuple[str, str], int]) -> Request:
    fact = request.fact
    if not isinstance(fact, PurchaseReversed) or fact.purchase_revision is not None:
        return request
    revision = found.get((fact.source, fact.purchase_external_id), 1)
    return replace(request, fact=replace(fact, purchase_revision=revision), newest=True)
