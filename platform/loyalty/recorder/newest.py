"""Returns that name no revision, and corrections: both are about the newest revision.

Which one that is is found before anything is locked, for the locks need to know whom a return is
about. Under them it is looked at again: what finds a newer revision there is settled anew.

A correction happened when its purchase did, whatever it says itself: the programs in force then
judge it, as they would have judged it had it been right the first time.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from loyalty.facts import Fact, PurchaseRecorded, PurchaseReversed
from loyalty.journal import Newest, newest_revisions
from loyalty.settlement.request import Request


async def with_newest(connection: Any, requests: Sequence[Request]) -> Sequence[Request]:
    """The requests: returns that name no revision with the newest one (none there: 1), corrections
    with the one that they replace and its instant."""
    asked = {about for request in requests if (about := _about(request.fact)) is not None}
    if not asked:
        return requests
    found = await newest_revisions(connection, sorted(asked))
    return [_named(request, found) for request in requests]


def _about(fact: Fact) -> tuple[str, str] | None:
    match fact:
        case PurchaseReversed() if fact.purchase_revision is None:
            return fact.source, fact.purchase_external_id
        case PurchaseRecorded() if fact.revision > 1:
            return fact.source, fact.external_id
    return None


def _named(request: Request, found: dict[tuple[str, str], Newest]) -> Request:
    fact = request.fact
    if (about := _about(fact)) is None:
        return request
    newest = found.get(about)
    if isinstance(fact, PurchaseReversed):
        revision = newest.revision if newest else 1
        return replace(request, fact=replace(fact, purchase_revision=revision), newest=True)
    if newest is None:
        return request
    fact = replace(fact, occurred_at=newest.occurred_at)
    return replace(request, fact=fact, replaces=newest.revision)
