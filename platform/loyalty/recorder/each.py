"""Each request of a batch for itself: settled, or refused without harm to the others."""

import logging

from loyalty.errors import Code, Refused
from loyalty.facts import FactKey, PurchaseRecorded, PurchaseReversed
from loyalty.ledger.book import NeedLots
from loyalty.plugin_set import PluginSet
from loyalty.settlement.batch import Batch, Parked
from loyalty.settlement.request import Change, Recorded, Request
from loyalty.settlement.settle import settle

Outcome = Recorded | Refused
log = logging.getLogger(__name__)


def settle_each(batch: Batch, request: Request, index: int, changes: list[Change]) -> Outcome:
    """Settle a request, and the returns that waited for it; any failure is its own only.

    :raises NeedLots: more lots decide than were loaded
    """
    try:
        recorded, moved = settle(batch, request, index)
    except Refused as refused:
        return refused
    except NeedLots:
        raise
    except Exception as error:
        log.exception("a rule failed on %s", request.fact.KIND)
        return internal(error)
    changes += moved
    if isinstance(request.fact, PurchaseRecorded):
        for parked in _waiting_for(batch, request.fact):
            _apply_parked(batch, parked, index, changes)
    return recorded


def _waiting_for(batch: Batch, purchase: PurchaseRecorded) -> list[Parked]:
    """The returns that wait for this very revision of a purchase."""
    return [
        parked
        for parked in batch.parked.values()
        if parked is not None
        and (parked.source, parked.purchase_external_id) == (purchase.source, purchase.external_id)
        and parked.payload["purchase_revision"] == purchase.revision
    ]


def _apply_parked(batch: Batch, parked: Parked, index: int, changes: list[Change]) -> None:
    """The purchase a return waited for is there: apply it, or keep the reason why not."""
    outcome = settle_each(batch, parked_request(batch.plugins, parked), index, changes)
    if isinstance(outcome, Refused) and outcome.code is not Code.INTERNAL:
        reason = {"code": outcome.code, "field": outcome.field, "message": outcome.message}
        batch.book.rows.settled.append((parked.id, "REFUSED", reason))
        batch.book.put(batch.parked, parked.id, None)


def parked_request(plugins: PluginSet, parked: Parked) -> Request:
    """The request that applies a parked return."""
    fact = plugins.codec.load(PurchaseReversed.KIND, parked.payload, None)
    return Request(
        fact=fact,
        actor=parked.actor,
        key=FactKey("parked", str(parked.id)),
        parked_id=parked.id,
        any_time=True,
    )


def internal(error: Exception) -> Refused:
    """An error of ours, as the outcome of the one request that met it."""
    refused = Refused(Code.INTERNAL, "an error of ours: nothing was written, try again")
    refused.__cause__ = error
    return refused
