"""Each request of a batch for itself: settled, or refused without harm to the others."""

import logging
from collections.abc import Sequence

from loyalty.errors import Code, Refused
from loyalty.facts import Fact, FactKey, FactReversed, PurchaseRecorded, PurchaseReversed
from loyalty.ledger.book import NeedLots
from loyalty.plugin_set import PluginSet
from loyalty.settlement.batch import Batch, Parked
from loyalty.settlement.need_counter import NeedCounter
from loyalty.settlement.need_period import NeedPeriod, NotFirst
from loyalty.settlement.request import Change, Recorded, Request
from loyalty.settlement.reversing import Outdated, called_off
from loyalty.settlement.settle import settle

Outcome = Recorded | Refused
log = logging.getLogger(__name__)


def settle_each(batch: Batch, request: Request, index: int, changes: list[Change]) -> Outcome:
    """Settle a request; any failure is its own only.

    :raises NeedLots, NeedCounter, NeedPeriod: more decides than was loaded
    :raises Cut: it builds on requests before it
    :raises Outdated: a newer revision of what it returns came in the meantime
    """
    if _builds_on_another(request.fact, batch):
        raise Cut(index)
    if request.follows is not None and called_off(request.follows.due_id) in batch.made:
        return Refused(Code.NOT_FOUND, "what it follows from was undone in the meantime")
    try:
        recorded, moved = settle(batch, request, index)
    except Refused as refused:
        _refuse_parked(batch, request, refused)
        return refused
    except NotFirst:
        raise Cut(index) from None
    except (NeedLots, NeedCounter, NeedPeriod, Outdated):
        raise
    except Exception as error:
        log.exception("a rule failed on %s", request.fact.KIND)
        return internal(error)
    changes += moved
    return recorded


class Cut(Exception):
    """A request builds on what its own batch made: it is settled in a batch after that one.

    What a return looks at (follow-ons, counters, what plugins loaded) is only there once its
    purchase is written.
    """

    def __init__(self, index: int) -> None:
        super().__init__(f"request {index} builds on one before it")
        self.index = index


def _builds_on_another(fact: Fact, batch: Batch) -> bool:
    """Whether the batch has settled what this fact undoes, replaces or comes too late for.

    Purchases are asked for by external id: where two sources have the same, a batch is cut for
    nothing, which only takes longer.
    """
    match fact:
        case PurchaseRecorded():
            return fact.revision > 1 and fact.external_id in batch.bought
        case PurchaseReversed():
            return fact.purchase_external_id in batch.bought
        case FactReversed():
            return FactKey(fact.reversed_scope, fact.reversed_key) in batch.made
    return False


def arrived(batch: Batch, requests: Sequence[Request]) -> list[Request]:
    """The returns that waited for purchases of this batch, to be applied after it."""
    if not batch.parked:
        return []
    there = {
        (fact.source, fact.external_id, revision)
        for request in requests
        if isinstance(fact := request.fact, PurchaseRecorded)
        and (fact.natural_key in batch.made or fact.natural_key in batch.known)
        for revision in (fact.revision, None)
    }
    return [
        # whoever was allowed to record the purchase: what waited for it follows
        parked_request(batch.plugins, parked, while_suspended=True)
        for parked in batch.parked.values()
        if (parked.source, parked.purchase_external_id, parked.payload["purchase_revision"])
        in there
    ]


def _refuse_parked(batch: Batch, request: Request, refused: Refused) -> None:
    """A parked return that does not fit its purchase keeps the reason."""
    if request.parked_id is not None and not refused.code.retryable:
        reason = {"code": refused.code, "field": refused.field, "message": refused.message}
        batch.book.rows.settled.append((request.parked_id, "REFUSED", reason))


def parked_request(plugins: PluginSet, parked: Parked, *, while_suspended: bool = False) -> Request:
    """The request that applies a parked return."""
    fact = plugins.codec.load(PurchaseReversed.KIND, parked.payload, None)
    return Request(
        fact=fact,
        actor=parked.actor,
        key=FactKey("parked", str(parked.id)),
        parked_id=parked.id,
        any_time=True,
        while_suspended=while_suspended,
    )


def internal(error: Exception) -> Refused:
    """An error of ours, as the outcome of the one request that met it."""
    refused = Refused(Code.INTERNAL, "an error of ours: nothing was written, try again")
    refused.__cause__ = error
    return refused
