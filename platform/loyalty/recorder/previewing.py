"""Previews: a request settled on what was only looked at, and nothing kept of it but the answer."""

from loyalty.errors import Refused
from loyalty.recorder.each import Outcome, settle_each
from loyalty.settlement.batch import Batch
from loyalty.settlement.request import GUEST, Request
from loyalty.view import MemberView


def previewed(batch: Batch, request: Request, index: int = 0) -> Outcome:
    """The outcome that recording would have, with its decision.

    :raises NeedLots, NeedCounter, NeedPeriod: more decides than was loaded
    """
    batch.preview = True
    if request.fact.member == GUEST:
        _let_in(batch, request)
    outcome = settle_each(batch, request, index, [])
    if isinstance(outcome, Refused) or outcome.replayed:
        return outcome
    bodies = {row[0]: row[-1] for row in batch.book.rows.facts}
    return outcome._replace(body=bodies[outcome.fact_id] or {})


def _let_in(batch: Batch, request: Request) -> None:
    """Somebody who has just come: without lots, traits, or anything counted."""
    assert GUEST.id is not None
    batch.members[GUEST.id] = MemberView(
        id=GUEST.id, external_id="", enrolled_at=request.fact.occurred_at
    )
    batch.enrolled[GUEST.id] = True
