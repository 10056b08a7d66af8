"""Returns: line by line, what a sale granted is taken back in proportion to what came back of it.

Per grant and line: round(share x returned so far / bought) - already taken back. The cumulative
figure is rounded half up, so any order of partial returns ends at the whole grant, never beside it.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any
from uuid import UUID

from loyalty.days import iso
from loyalty.effects import TakeBack
from loyalty.errors import Code, Refused
from loyalty.facts import (
    FactKey,
    FactReversed,
    PurchaseRecorded,
    PurchaseReversed,
    TakenBack,
    TraitChanged,
)
from loyalty.facts import purchase_key as key_of
from loyalty.ledger.account import ISSUED
from loyalty.ledger.lots import Lot
from loyalty.owners import Owner, parsed
from loyalty.purchase import returned_fraction
from loyalty.settlement import emitting
from loyalty.settlement.batch import Parked
from loyalty.settlement.expiring import breakage, end_due
from loyalty.settlement.measuring import counting, measured_by, measured_left
from loyalty.settlement.remaining import (
    ONE,
    Back,
    borne,
    part_of_goods,
    part_of_share,
    part_of_whole,
    remaining,
)
from loyalty.settlement.sale import WHOLE, Sale, added
from loyalty.settlement.settling import Settling
from loyalty.settlement.taking import take_back
from loyalty.units import Rounding, rounded


def reverse_purchase(s: Settling, fact: PurchaseReversed) -> None:
    """Take a return's part back, or park the return until its purchase arrives."""
    sale = s.batch.sales.get(sale_key(fact))
    if sale is None:
        _park(s, fact)
        return
    _check_newest(s, sale, fact)
    _take_part(s, sale, _returned(sale, fact))


def _check_newest(s: Settling, sale: Sale, fact: PurchaseReversed) -> None:
    if sale.replaced_by is None:
        return
    if s.request.newest:
        raise Outdated(f"{fact.purchase_external_id} was corrected in the meantime")
    raise Refused(
        Code.PURCHASE_CHANGED,
        "a newer revision stands in its place: name that one, or leave purchaseRevision out",
        field="purchaseRevision",
    )


def reverse_fact(s: Settling, fact: FactReversed) -> None:
    """Undo a follow-on fact up to the part of its root that came back."""
    sale = s.batch.sales.get(FactKey(fact.reversed_scope, fact.reversed_key))
    if sale is None:
        return  # it was refused or called off: there is nothing to undo
    more = Fraction(fact.part) - sale.returned.get(WHOLE, Fraction(0))
    if more > 0:
        _take_part(s, sale, {WHOLE: more})


def sale_key(fact: PurchaseReversed) -> FactKey:
    return key_of(fact.source, fact.purchase_external_id, fact.purchase_revision)


def called_off(due_id: UUID) -> FactKey:
    """In `Batch.made` for a fact that will not be settled any more."""
    return FactKey("called off", str(due_id))


class Outdated(Exception):
    """What was taken for the newest revision, before anything was locked, is none any more."""


def _returned(sale: Sale, fact: PurchaseReversed) -> dict[str, Fraction]:
    """Which part of each line comes back now.

    :raises Refused: an unknown line, more than is left of one, or nothing left at all
    """
    purchase = sale.fact
    assert isinstance(purchase, PurchaseRecorded)
    lines = {line.id: line for line in purchase.lines}
    if not fact.lines:
        if not (left := _left(sale, purchase)):
            raise Refused(Code.RETURN_TOO_LARGE, "all of the purchase came back", field="returnId")
        return left
    parts: dict[str, Fraction] = {}
    for index, returned in enumerate(fact.lines):
        line = lines.get(returned.id)
        if line is None:
            raise Refused(
                Code.NOT_FOUND, "the purchase has no such line", field=f"lines.{index}.id"
            )
        given = "amount" if returned.quantity is None else "quantity"
        try:
            part = returned_fraction(line, returned)
        except Refused as refused:
            raise refused.under(f"lines.{index}") from None
        if part <= 0:
            raise Refused(
                Code.BAD_AMOUNT, "must be more than nothing", field=f"lines.{index}.{given}"
            )
        parts[line.id] = parts.get(line.id, Fraction(0)) + part
        if sale.returned.get(line.id, Fraction(0)) + parts[line.id] > ONE:
            raise Refused(
                Code.RETURN_TOO_LARGE,
                "is more than was bought less what came back already",
                field=f"lines.{index}.{given}",
            )
    return parts


def _left(sale: Sale, purchase: PurchaseRecorded) -> dict[str, Fraction]:
    left = {line.id: ONE - sale.returned.get(line.id, Fraction(0)) for line in purchase.lines}
    return {line: part for line, part in left.items() if part > 0}


def _take_part(s: Settling, sale: Sale, parts: Mapping[str, Fraction]) -> None:
    so_far = dict(sale.returned)
    for line, part in parts.items():
        so_far[line] = so_far.get(line, Fraction(0)) + part
    whole = {**so_far, WHOLE: part_of_whole(sale.fact, so_far)}
    taken: list[tuple[int, str, int]] = []
    for index, grant in enumerate(sale.grants):
        more = _more(sale, index, grant, whole)
        if more:
            _take_grant(s, sale, index, sum(more.values()))
            taken += [(index, line, amount) for line, amount in more.items()]
    s.body["returned"] = {line: str(part) for line, part in parts.items()}
    s.body["taken"] = taken
    s.body["sale"] = str(sale.fact_id)
    _count_off(s, sale, so_far, taken)
    _undo_follow_ons(s, sale, so_far)
    s.returns = sale


def _count_off(
    s: Settling, sale: Sale, so_far: Mapping[str, Fraction], taken: Sequence[tuple[int, str, int]]
) -> None:
    """Take off what comes back where counters follow returns; of a corrected purchase, all of it
    and everywhere."""
    at, codec = sale.fact.occurred_at, s.batch.plugins.codec
    following = [
        (program, name, counter)
        for program, name, counter in counting(s, s.batch.stretch(at))
        if counter.returns or s.request.correcting
    ]
    if not following:
        return
    now = dict(sale.taken)
    for index, line, amount in taken:
        now[index, line] = now.get((index, line), 0) + amount
    back = Back(so_far, now, added(sale.borne, s.body.get("borne", ())))
    before, after = remaining(codec, sale, Back.of(sale)), remaining(codec, sale, back)
    bore = borne(codec, sale, back)
    s.left = before, after
    for program, name, counter in following:
        less = measured_by(counter, program.slug, before)
        if less := less - measured_left(counter, program.slug, after, bore):
            s.counts.append((name, counter, at, -less))


def _more(
    sale: Sale, index: int, grant: Mapping[str, Any], so_far: Mapping[str, Fraction]
) -> dict[str, int]:
    """What to take back of one grant now, by line."""
    more: dict[str, int] = {}
    for line, share in grant["lines"].items():
        whole = rounded(share * part_of_share(grant, line, so_far), Rounding.HALF_UP)
        if amount := whole - sale.taken.get((index, line), 0):
            more[line] = amount
    return more


def _take_grant(s: Settling, sale: Sale, index: int, amount: int) -> None:
    book, grant = s.batch.book, sale.grants[index]
    policy = TakeBack(grant["back"])
    owner, program_id = parsed(grant["owner"]), UUID(grant["programId"])
    account = book.account(owner, grant["unit"])
    lot_id = UUID(grant["lot"])
    own = [lot for lot in book.open_lots(account) if lot.id == lot_id]
    rule = f"{grant['program']}/{grant['rule']}"
    cause = s.cause(program_id=program_id, rule=rule, label=grant["label"])
    target = book.program_account(program_id, grant["unit"], ISSUED)
    if amount > sum(lot.remaining for lot in own):
        book.need_all_lots(account)
        end_due(s, account)  # or the account would owe beside lots that only wait for a sweep
    bore = s.found.bears.get(take := f"share {index}", 0)
    if bore:
        s.body.setdefault("borne", []).append((index, bore))
    ended = _ended(sale, index, own, amount)
    covered, late = _missed(s, grant, amount - ended - sum(lot.remaining for lot in own))
    if ended + late:
        s.body.setdefault("ended", []).append((index, ended + late))
        end = breakage(s, program_id, grant["unit"])
        book.post(cause, grant["unit"], ended + late, end, target)
    taken = amount - bore - ended - late - covered
    take_back(s, cause, account, taken, own, target, policy, take)
    s.drawn += [(index, lot) for lot in own]
    s.touch(owner, grant["unit"])
    s.taken.append({"unit": grant["unit"], "amount": taken, "wanted": amount, "rule": rule})
    s.follow(
        TakenBack(
            member=s.fact.member, occurred_at=s.at, program=grant["program"], rule=grant["rule"],
            unit=grant["unit"], amount=taken,
            owner=owner if isinstance(owner, Owner) else None,
        )
    )  # fmt: skip


def _missed(s: Settling, grant: Mapping[str, Any], missing: int) -> tuple[int, int]:
    """What a share misses of its own lot: how much of it is covered, and how much taken late."""
    if missing <= 0:
        return 0, 0
    key = grant["program"], grant["rule"], grant["unit"]
    net, (most_covered, most_late) = s.net(*key), s.found.nets.get(key, (0, 0))
    net.missed += missing
    covered = min(missing, most_covered - net.covered)
    late = min(missing - covered, most_late - net.late)
    net.covered, net.late = net.covered + covered, net.late + late
    return covered, late


def _ended(sale: Sale, index: int, own: Sequence[Lot], amount: int) -> int:
    """How much of a take-back the program has already, because the lot reached its term.

    Nobody owes for what expired, and it makes no difference whether a sweep ran.
    """
    left = sum(lot.remaining for lot in own)
    ended = sum(lot.ended for lot in own) - sale.ended.get(index, 0)
    return max(0, min(amount - left, ended))


def _undo_follow_ons(s: Settling, sale: Sale, so_far: Mapping[str, Fraction]) -> None:
    """Call off what has not happened yet; have the rest undone in its own turn, in proportion."""
    if not sale.follow_ons:
        return
    part = part_of_goods(sale.fact, so_far)
    for follow_on in sale.follow_ons:
        if follow_on.kind == TraitChanged.KIND:
            continue  # a trait stays until a rule sets another, and then that is told
        if s.request.follows is not None and s.request.follows.due_id == follow_on.id:
            continue  # a fact that had itself undone: this is it
        if follow_on.state == "WAITING" and part == ONE:
            s.batch.book.rows.settled.append((follow_on.id, "CANCELLED", {"by": str(s.fact_id)}))
            s.batch.book.put(s.batch.made, called_off(follow_on.id), True)
        elif follow_on.state in ("WAITING", "DONE"):
            payload = {
                "occurred_at": iso(s.at),
                "reversed_scope": "follow",
                "reversed_key": str(follow_on.id),
                "part": str(part),
            }
            due_at = max(s.batch.now, follow_on.due_at)
            emitting.store(
                s, FactReversed.KIND, payload, member_id=follow_on.member_id, due_at=due_at
            )


def _park(s: Settling, fact: PurchaseReversed) -> None:
    """Keep the return; it is applied when its purchase arrives."""
    if s.request.parked_id is not None:
        raise Refused(Code.NOT_FOUND, "the purchase is not there", field="purchaseExternalId")
    s.kind = "ReturnParked"
    s.answer["state"] = "PARKED"
    payload, book = s.request.payload(s.batch.plugins.codec), s.batch.book
    book.rows.parked.append(
        (
            s.fact_id, fact.source, fact.return_id, fact.purchase_external_id, "PARKED",
            payload, s.at, s.batch.now + s.batch.setup.parking, None, s.request.actor,
        )
    )  # fmt: skip
    waiting = Parked(
        id=s.fact_id,
        source=fact.source,
        return_id=fact.return_id,
        purchase_external_id=fact.purchase_external_id,
        payload=payload,
        occurred_at=s.at,
        actor=s.request.actor,
    )
    book.put(s.batch.parked, waiting.id, waiting)  # the purchase may be next in the batch
