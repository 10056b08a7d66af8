"""Redemptions: reserve (hold), settle (capture), give back (release, lapse), undo (reverse)."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from loyalty.commands import (
    CaptureRedemption,
    Redeem,
    ReleaseRedemption,
    ReverseRedemption,
    UndoRedemption,
)
from loyalty.effects import Burn, Hold, Restore
from loyalty.errors import Code, Refused
from loyalty.facts import Burned, HoldLapsed
from loyalty.ids import new_id
from loyalty.ledger.account import HELD, MAIN, Account
from loyalty.ledger.lots import Lot, spendable
from loyalty.owners import Holder, Owner
from loyalty.plugin_set import Turn
from loyalty.settlement.batch import Redemption
from loyalty.settlement.expiring import breakage, end
from loyalty.settlement.membership import forfeit
from loyalty.settlement.settling import Settling
from loyalty.units import format_minor


def spend(s: Settling, turn: Turn, effect: Burn | Hold, command: Redeem | None) -> None:
    """Carry out a Hold or Burn of a rule. Asked for by `Redeem` it becomes a redemption."""
    book, owner, program = s.batch.book, s.holder(effect.unit), turn.program
    kept = command is not None or (isinstance(effect, Burn) and effect.undoable)
    if "redemptionId" in s.answer and (kept or isinstance(s.fact, Redeem)):
        # Which lots a redemption took is told by its fact: a second burn would blur it.
        raise RuntimeError(f"{turn.plugin.name} burns beside a redemption of the same fact")
    account = book.account(owner, effect.unit)
    label = effect.label if isinstance(effect, Burn) else None
    cause = s.cause(program_id=program.id, rule=f"{program.slug}/redeem", label=label)
    if isinstance(effect, Hold):
        if command is None:
            raise TypeError(f"{turn.plugin.name} may hold only what a Redeem asks for")
        parts = book.hold(cause, account, effect.amount)
    else:
        target = book.program_account(program.id, effect.unit, effect.to)
        parts = book.burn(cause, account, effect.amount, target, settled=effect.settled)
    if not parts:
        settled = isinstance(effect, Burn) and effect.settled
        raise insufficient(s, effect.unit, effect.amount, settled=settled)
    s.touch(owner, effect.unit)
    redemption = _open(s, turn, effect, command, parts) if kept else None
    if isinstance(effect, Burn):
        _burned(s, program.slug, effect.unit, effect.amount, owner, redemption)


def capture(s: Settling, command: CaptureRedemption) -> None:
    """Settle a hold, all or a part of it; the part that is last to expire goes back."""
    redemption = s.redemption(command.redemption_id)
    _expect(s, redemption, "HELD", "capture")
    amount = redemption.amount if command.amount is None else command.amount
    if not 0 < amount <= redemption.amount:
        raise Refused(
            Code.BAD_AMOUNT, "must be more than nothing and at most what is held", field="amount"
        )
    captured, rest = _split(redemption.parts, amount)
    book, held = s.batch.book, _held(s, redemption)
    cause = s.cause(program_id=redemption.program_id)
    target = book.program_account(redemption.program_id, redemption.unit, redemption.target)
    book.settle_held(cause, held, amount, target)
    _give_back(s, redemption, rest)
    book.change(redemption, "captured", amount)
    book.change(redemption, "parts", tuple(captured))
    book.change(redemption, "capture_fact_id", s.fact_id)
    if command.order is not None:
        book.change(redemption, "order", command.order)
    _becomes(s, redemption, "CAPTURED")
    slug = _slug(s, redemption.program_id)
    _burned(s, slug, redemption.unit, amount, redemption.owner, redemption)


def release(s: Settling, command: ReleaseRedemption) -> None:
    """Give all of a hold back: the lots are as they were."""
    redemption = s.redemption(command.redemption_id)
    if redemption.state != "HELD":
        raise _wrong_state(redemption, "release")
    _give_back(s, redemption, redemption.parts)
    _becomes(s, redemption, "RELEASED")


def lapse(s: Settling, fact: HoldLapsed) -> None:
    """A hold's time is over. One that was settled in the meantime stays as it is."""
    redemption = s.redemption(fact.redemption_id)
    until = redemption.held_until
    if redemption.state != "HELD" or until is None or until > s.batch.now:
        raise Refused(Code.REDEMPTION_STATE, "the hold is settled or not due", field="redemptionId")
    _give_back(s, redemption, redemption.parts)
    _becomes(s, redemption, "LAPSED")


def reverse(s: Settling, command: ReverseRedemption) -> None:
    """Undo a captured redemption; lots past their term are gone or live on for the grace."""
    redemption = s.redemption(command.redemption_id)
    _expect(s, redemption, "CAPTURED", "reverse")
    if not redemption.reversible:
        raise Refused(
            Code.NOT_REVERSIBLE,
            "the program does not take captured redemptions back",
            field="redemptionId",
        )
    _put_back(s, redemption)


def undo(s: Settling, command: UndoRedemption) -> None:
    """The same of one that nobody but its own program takes back."""
    redemption = s.redemption(command.redemption_id)
    _expect(s, redemption, "CAPTURED", "reverse")
    _put_back(s, redemption)


def restore(s: Settling, turn: Turn, effect: Restore) -> None:
    """The same because its own program says so, in answer to whatever fact."""
    redemption = s.batch.redemptions.get(effect.redemption_id)
    mine = redemption and (redemption.member_id, redemption.program_id)
    if redemption is None or mine != (s.the_member.id, turn.program.id):
        raise LookupError("only what the reaction names in `restores` can be given back")
    if redemption.state != "CAPTURED":
        raise RuntimeError(f"{turn.plugin.name} gives back what is {redemption.state} already")
    _put_back(s, redemption, label=effect.label)
    if s.the_member.status == "CLOSED":
        forfeit(s)


def _put_back(s: Settling, redemption: Redemption, *, label: str | None = None) -> None:
    book, owner = s.batch.book, redemption.owner
    account = book.account(owner, redemption.unit, MAIN)
    cause = s.cause(program_id=redemption.program_id, label=label)
    source = book.program_account(redemption.program_id, redemption.unit, redemption.target)
    lots = s.lots_of(owner, redemption.unit, redemption.parts)
    late = [(lot, part) for lot, part in lots if lot.expired(s.at)]
    gone = late if redemption.grace is None else []
    if redemption.grace is not None:
        end(s, account, [lot for lot, _ in late])  # what was not spent has no second life
        # The clock on the wall goes on by it: days of the tenant's, of 23 hours or 25.
        local = s.at.astimezone(s.batch.setup.zone) + redemption.grace
        for lot, _ in late:
            book.reterm(cause, account, lot, local.astimezone(UTC))
    book.restore(cause, account, [pair for pair in lots if pair not in gone], source, "REVERSE")
    for lot, part in gone:
        target = breakage(s, lot.program_id, redemption.unit)
        book.post(cause, redemption.unit, part, source, target)
    lost = sum(part for _, part in gone)
    s.answer["reinstated"], s.answer["expired"] = redemption.captured - lost, lost
    s.touch(owner, redemption.unit)
    _becomes(s, redemption, "REVERSED")


def insufficient(s: Settling, unit: str, wanted: int, *, settled: bool = False) -> Refused:
    """The refusal of an amount that is not there, with what is."""
    account = s.batch.book.look(s.holder(unit), unit)
    lots = s.batch.book.open_lots(account) if account else ()
    lots = [lot for lot in lots if not settled or lot.settled(s.at)]
    places = s.batch.setup.places(unit) or 0
    return Refused(
        Code.INSUFFICIENT_BALANCE,
        "there is not as much to spend",
        field="amount",
        details={
            "unit": unit,
            "wanted": format_minor(wanted, places),
            "available": format_minor(spendable(lots, s.at), places),
        },
    )


def _open(
    s: Settling,
    turn: Turn,
    effect: Burn | Hold,
    command: Redeem | None,
    parts: list[tuple[Lot, int]],
) -> Redemption:
    captured = isinstance(effect, Burn)
    redemption = Redemption(
        id=new_id(),
        member_id=s.the_member.id,
        owner=s.holder(effect.unit),
        program_id=turn.program.id,
        unit=effect.unit,
        state="CAPTURED" if captured else "HELD",
        amount=effect.amount,
        captured=effect.amount if captured else 0,
        target=effect.to,
        order=command.order if command else None,
        hold_fact_id=s.fact_id,
        capture_fact_id=s.fact_id if captured else None,
        held_until=None if isinstance(effect, Burn) else effect.until,
        reversible=effect.reversible.allowed,
        grace=effect.reversible.grace,
        created_at=s.at,
        parts=tuple((lot.id, part) for lot, part in parts),
    )
    s.batch.book.put(s.batch.redemptions, redemption.id, redemption)
    _becomes(s, redemption, redemption.state)
    return redemption


def _give_back(s: Settling, redemption: Redemption, parts: Sequence[tuple[UUID, int]]) -> None:
    owner = redemption.owner
    account = s.batch.book.account(owner, redemption.unit, MAIN)
    cause = s.cause(program_id=redemption.program_id)
    lots = s.lots_of(owner, redemption.unit, parts)
    s.batch.book.restore(cause, account, lots, _held(s, redemption), "RELEASE")
    s.touch(owner, redemption.unit)


def _held(s: Settling, redemption: Redemption) -> Account:
    return s.batch.book.account(redemption.owner, redemption.unit, HELD)


def _split(
    parts: Sequence[tuple[UUID, int]], amount: int
) -> tuple[list[tuple[UUID, int]], list[tuple[UUID, int]]]:
    """The first `amount` of the parts in their order, and the rest."""
    first, rest = [], []
    for lot_id, part in parts:
        taken = min(part, amount)
        amount -= taken
        if taken:
            first.append((lot_id, taken))
        if part > taken:
            rest.append((lot_id, part - taken))
    return first, rest


def _expect(s: Settling, redemption: Redemption, state: str, verb: str) -> None:
    lapsed = _lapsed(redemption, s.at)
    if redemption.state != state or lapsed:
        raise _wrong_state(redemption, verb, lapsed=lapsed)


def _lapsed(redemption: Redemption, at: datetime) -> bool:
    until = redemption.held_until
    return redemption.state == "HELD" and until is not None and until <= at


def _wrong_state(redemption: Redemption, verb: str, *, lapsed: bool = False) -> Refused:
    state = "LAPSED" if lapsed else redemption.state
    return Refused(
        Code.REDEMPTION_STATE,
        f"cannot {verb} a redemption that is {state}",
        field="redemptionId",
        details={"state": state},
    )


def _becomes(s: Settling, redemption: Redemption, state: str) -> None:
    s.batch.book.change(redemption, "state", state)
    s.batch.book.rows.redemptions.append(redemption.row())
    s.answer["redemptionId"] = str(redemption.id)


def _burned(
    s: Settling, slug: str, unit: str, amount: int, owner: Holder, redemption: Redemption | None
) -> None:
    s.follow(
        Burned(
            member=s.fact.member,
            occurred_at=s.at,
            program=slug,
            unit=unit,
            amount=amount,
            redemption_id=redemption.id if redemption else None,
            owner=owner if isinstance(owner, Owner) else None,
        )
    )


def _slug(s: Settling, program_id: UUID) -> str:
    program = s.batch.setup.program_by_id(program_id)
    return program.slug if program else str(program_id)
