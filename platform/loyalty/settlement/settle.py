"""Settling one request on a batch: replay, check, decide, book. Pure: no database, no clock."""

from collections.abc import Callable, Mapping
from typing import Any

from loyalty import commands, facts
from loyalty.counters import bucket_of
from loyalty.errors import Code, Refused
from loyalty.facts import Fact, FactKey, MemberEnrolled, PurchaseRecorded
from loyalty.ids import new_id
from loyalty.json_text import JsonText
from loyalty.plugin import Scope
from loyalty.settlement import (
    adjusting,
    checking,
    correcting,
    emitting,
    expiring,
    membership,
    redeeming,
    reversing,
    taking,
)
from loyalty.settlement.batch import Batch, Known
from loyalty.settlement.measuring import count
from loyalty.settlement.reacting import react
from loyalty.settlement.replaying import replay
from loyalty.settlement.request import Change, Recorded, Request
from loyalty.settlement.settling import NOTHING_FOUND, Found, Settling
from loyalty.view import MemberView

AGAIN_MAX = 9  # times that a return is settled with what settling it has shown
# What the kernel itself does about a fact or command, before the rules react to it.
KERNEL: dict[type[Any], Callable[[Settling, Any], None]] = {
    facts.MemberEnrolled: membership.enroll,
    facts.MemberClosed: membership.close,
    facts.MemberErased: membership.erase,
    facts.MemberFrozen: membership.freeze,
    facts.MemberUnfrozen: membership.unfreeze,
    facts.PurchaseReversed: reversing.reverse_purchase,
    facts.FactReversed: reversing.reverse_fact,
    facts.LotsDue: expiring.expire,
    facts.HoldLapsed: redeeming.lapse,
    commands.CaptureRedemption: redeeming.capture,
    commands.ReleaseRedemption: redeeming.release,
    commands.ReverseRedemption: redeeming.reverse,
    commands.AdjustBalance: adjusting.adjust,
}


def settle(batch: Batch, request: Request, index: int) -> tuple[Recorded, list[Change]]:
    """Settle a request; on any error the batch is as it was before.

    :raises Refused: the request cannot stand; its key is free
    :raises NeedLots, NeedCounter, NeedPeriod, NotFirst: more decides than was loaded
    :raises Outdated: a newer revision came than the one that was taken for the newest
    """
    fact, payload = request.fact, request.payload(batch.plugins.codec)
    member = _named(batch, fact)
    if (known := replay(batch, request, payload, member.id if member else None)) is not None:
        return known, []
    found = NOTHING_FOUND
    for _ in range(AGAIN_MAX):
        try:
            return _settled(batch, request, index, payload, member, found)
        except taking.Again as more:
            found = more.found
    raise RuntimeError(f"{fact.KIND}: what it takes and gives has no end")


def _settled(
    batch: Batch, request: Request, index: int, payload: Mapping[str, Any],
    member: MemberView | None, found: Found,
) -> tuple[Recorded, list[Change]]:  # fmt: skip
    fact, mark = request.fact, batch.book.mark()
    try:
        enrolled: list[Change] = []
        if member is None and _may_enroll(batch, fact):
            enrolled = _enroll_on_the_fly(batch, request, index)
            member = _named(batch, fact)
        s = Settling(batch, request, index, found)
        s.member = _about(s, member)
        checking.check(s)
        _run(s)
        recorded, changes = _finish(s, payload)
        return recorded, enrolled + changes if enrolled else changes
    except BaseException:
        batch.book.undo(mark)
        raise


def _run(s: Settling) -> None:
    fact = s.fact
    if isinstance(fact, PurchaseRecorded) and fact.revision > 1:
        correcting.replace_revision(s, fact, settle)
    s.measured.append((fact, []))
    if (kernel := KERNEL.get(type(fact))) is not None:
        kernel(s, fact)
    elif isinstance(fact, commands.UndoRedemption):
        redeeming.undo(s, fact)
    if s.member is not None and s.member.status == "CLOSED":
        membership.forfeit(s)
    if s.kind == "ReturnParked":
        return
    react(s, fact)
    _go_on(s)
    if s.member is not None and s.member.status == "CLOSED":
        membership.forfeit(s)  # what the rules gave
        _go_on(s)
    if s.owed:
        correcting.settle_owed(s)
    if s.nets or s.owing:
        taking.check(s)
    if isinstance(fact, commands.Redeem) and "redemptionId" not in s.answer:
        raise Refused(
            Code.PROGRAM_NOT_ACTIVE,
            "no active program of this slug redeems this unit",
            field="program",
        )


def _go_on(s: Settling) -> None:
    """Let the rules react to all that follows."""
    while s.queue or count(s):
        following, s.depth, s.of, s.granters = s.queue.pop(0)
        react(s, following)


def _finish(s: Settling, payload: Mapping[str, Any]) -> tuple[Recorded, list[Change]]:
    """Write the fact with its decision, answer, key, traits, counters and outbox rows."""
    book, request = s.batch.book, s.request
    changes = s.changes()
    s.answer.setdefault("state", "APPLIED")
    if s.earned:
        s.answer["earned"] = s.earned
    if s.taken:
        s.answer["takenBack"] = s.taken
    s.answer["balances"] = [change.told() for change in changes]
    key = _key(s)
    kind = s.kind or s.fact.KIND
    member_id = None if s.member is None else s.member.id
    cause_id = _cause(request) if s.returns is None else s.returns.fact_id
    told_id = new_id()  # its row in the outbox, which says no more than the fact does
    book.rows.facts.append(
        (
            s.fact_id, kind, key.scope, key.key, member_id, s.at, cause_id, s.hop, request.actor,
            request.request_id, told_id, payload, JsonText(s.answer),
            JsonText(s.body) if s.body else None,
        )
    )  # fmt: skip
    _remember(s, key, Known(s.fact_id, kind, member_id, payload, s.answer))
    if s.traits or s.counts:
        _traits_and_counters(s)
    for topic, content in s.outbox:
        book.rows.outbox.append((new_id(), topic, s.fact_id, member_id, content))
    return Recorded(s.fact_id, kind, member_id, False, s.answer), changes


def _key(s: Settling) -> FactKey:
    """The fact's key for ever; a command has only its id (its client's key lives 30 days)."""
    key = s.request.natural_key or FactKey("command", str(s.fact_id))
    if isinstance(s.fact, MemberEnrolled) and key in s.batch.known:
        # The external id was somebody else's before: that enrolment keeps its key.
        return FactKey("enrolment again", f"{key.key} {s.fact_id}")
    return key


def _cause(request: Request) -> Any:
    return request.follows.cause_id if request.follows else request.cause_id


def _remember(s: Settling, key: FactKey, known: Known) -> None:
    """What a later request of this batch must find: the key, the sale, the return."""
    batch, book = s.batch, s.batch.book
    if (client := s.request.client_key) is not None:
        book.put(batch.commands, client, known)
        book.rows.commands.append(
            (
                client.client, client.key, s.fact_id, s.fact.KIND, known.member_id, known.input,
                s.answer,
            )
        )  # fmt: skip
    else:
        book.put(batch.known, key, known)
    if s.returns is not None:
        for name in ("returned", "taken", "ended", "borne", "settled"):
            book.change(s.returns, name, getattr(s.returns, name))  # so that undo sets it back
        s.returns.with_return(s.body)
    book.put(batch.made, key, True)
    if isinstance(s.fact, PurchaseRecorded):
        book.put(batch.bought, s.fact.external_id, True)
    if s.request.parked_id is not None:
        book.rows.settled.append((s.request.parked_id, "DONE", None))
    if s.request.follows is not None:
        book.rows.settled.append((s.request.follows.due_id, "DONE", None))


def _traits_and_counters(s: Settling) -> None:
    """Applied last: inside one settlement every rule saw them as they were before."""
    batch, zone = s.batch, s.batch.setup.zone
    if s.traits:
        emitting.tell_of_traits(s)
    for member_id, name, value in s.traits:
        batch.book.add(batch.traits.setdefault(member_id, []), (name, value))
        batch.book.rows.traits.append(
            (member_id, name, s.fact_id, value.value, value.since, value.until)
        )
    for name, counter, at, delta in s.counts:
        subject = s.member.id if counter.scope is Scope.MEMBER and s.member else None
        batch.count(name, subject, bucket_of(counter, at, zone), delta)


# --- members --------------------------------------------------------------------------------------


def _named(batch: Batch, fact: Fact) -> MemberView | None:
    """The member whom a fact names, or whose redemption it does."""
    if isinstance(fact, REDEMPTION_COMMANDS) and fact.member is None:
        redemption = batch.redemptions.get(fact.redemption_id)
        return batch.members.get(redemption.member_id) if redemption else None
    return batch.member_of(fact.member)


def _about(s: Settling, named: MemberView | None) -> MemberView | None:
    """The member whom the fact is about: of a return whoever bought."""
    if isinstance(s.fact, facts.PurchaseReversed):
        sale = s.batch.sales.get(reversing.sale_key(s.fact))
        return s.batch.members.get(sale.member_id) if sale else None
    if named is None and isinstance(s.fact, REDEMPTION_COMMANDS):
        raise Refused(Code.NOT_FOUND, "there is no such redemption", field="redemptionId")
    return named


REDEMPTION_COMMANDS = (
    commands.CaptureRedemption,
    commands.ReleaseRedemption,
    commands.ReverseRedemption,
    facts.HoldLapsed,
)


def _may_enroll(batch: Batch, fact: Fact) -> bool:
    """Where the tenant says so, a purchase of somebody unknown enrols them."""
    if not batch.setup.enroll_on_purchase or not isinstance(fact, PurchaseRecorded):
        return False
    return fact.member is not None and fact.member.external_id is not None


def _enroll_on_the_fly(batch: Batch, request: Request, index: int) -> list[Change]:
    fact = request.fact
    assert fact.member is not None
    assert fact.member.external_id is not None
    enrolled = MemberEnrolled(
        member=None, occurred_at=fact.occurred_at, external_id=fact.member.external_id
    )
    _, changes = settle(
        batch,
        Request(
            fact=enrolled, actor=request.actor, request_id=request.request_id,
            any_time=request.any_time, while_suspended=request.while_suspended,
        ),
        index,
    )  # fmt: skip
    return changes
