"""Rules at work: each fact of a settlement is shown to its reactions stage by stage."""

from typing import assert_never
from uuid import UUID

from loyalty.commands import Command, Redeem
from loyalty.effects import (
    AtOnce,
    Burn,
    Emit,
    Ended,
    Grant,
    Hold,
    Post,
    Recall,
    Refuse,
    Restore,
    Reterm,
    SetTrait,
    Write,
)
from loyalty.errors import Refused
from loyalty.facts import Counted, Fact, LotsDue
from loyalty.plugin import WriteRow
from loyalty.plugin_set import Turn
from loyalty.settlement import emitting, granting, recalling, redeeming
from loyalty.settlement.granting import Staged
from loyalty.settlement.settling import Settling
from loyalty.settlement.shown_balances import Balances, accounts_of
from loyalty.settlement.viewing import Shown
from loyalty.view import TraitValue


def react(s: Settling, fact: Fact) -> None:
    """Show one fact to all who react to it and carry out what they answer."""
    staged: list[Staged] = []
    programs: dict[UUID, Shown] = {}
    try:
        _take_turns(s, fact, staged, programs)
        for shown in programs.values():
            shown.keep()
    finally:  # also where a rule refuses: views that know of themselves wait to be collected
        for shown in programs.values():
            shown.let_go()
    if staged:
        granting.book(s, staged)
        if s.stretch.counted:
            s.measured[s.of][1].extend([item.view() for item in staged if item.grant.counted])
    elif not isinstance(s.fact, LotsDue):  # an end is never taken back: no decision, no row of it
        s.body.setdefault("grants", [])


def _take_turns(s: Settling, fact: Fact, staged: list[Staged], programs: dict[UUID, Shown]) -> None:
    for turn, seen in s.batch.plugins.shown(fact, s.stretch):
        if s.granters and turn.program.slug in s.granters:
            # No reaction sees what its own grants set off, however far away. What became of its
            # lots (Expired, TakenBack) it does see: a program says where they go.
            continue
        balances = Balances(s, exact=turn.reaction.burns is not None)
        shown = _shown(s, turn, fact, programs) if turn.shares else Shown(s, turn, fact)
        view = shown.view(turn, staged, balances)
        for effect in turn.reaction.decide(turn.version.config, seen, view):
            if isinstance(effect, Grant):
                if isinstance(fact, Counted):
                    raise TypeError(
                        f"{turn.plugin.name} grants after all was counted: emit a fact instead"
                    )
                granting.stage(staged, turn, effect, s.fact)
            else:
                balances.keep()  # what a rule is shown does not move while it answers
                _carry_out(s, turn, fact, effect)
        if not turn.shares:
            shown.keep()


def _shown(s: Settling, turn: Turn, fact: Fact, programs: dict[UUID, Shown]) -> Shown:
    if (found := programs.get(turn.version.id)) is None:
        found = programs[turn.version.id] = Shown(s, turn, fact)
    return found


def _carry_out(s: Settling, turn: Turn, fact: Fact, effect: AtOnce) -> None:
    book, program = s.batch.book, turn.program
    match effect:
        case Refuse():
            _refuse(fact, effect)
        case Recall():
            s.measured[s.of][1].append(recalling.recall(s, turn, effect))
        case Ended():
            net = s.net(program.slug, effect.rule, effect.unit)
            net.ended[effect.given_at] = effect.amount
        case Burn() | Hold():
            redeeming.spend(s, turn, effect, fact if isinstance(fact, Redeem) else None)
        case Restore():
            redeeming.restore(s, turn, effect)
        case Post():
            source = book.program_account(program.id, effect.unit, effect.source)
            target = book.program_account(program.id, effect.unit, effect.target)
            book.post(s.cause(program_id=program.id), effect.unit, effect.amount, source, target)
        case SetTrait():
            _set_trait(s, turn, effect)
        case Emit():
            emitting.emit(s, turn, effect)
        case Reterm():
            _reterm(s, turn, effect)
        case Write():
            member_id = s.member.id if s.member else None
            row = WriteRow(
                fact_id=s.fact_id, program_id=program.id, member_id=member_id,
                occurred_at=s.at, row=effect.row,
            )  # fmt: skip
            if type(effect.row) not in s.batch.plugins.writers:
                raise TypeError(f"{turn.plugin.name} has no writer for {type(effect.row)}")
            book.add(s.batch.writes, row)
            whose = None if effect.shared else member_id
            book.add(s.batch.written.setdefault((program.id, whose), []), effect.row)
        case _:
            assert_never(effect)


def _refuse(fact: Fact, effect: Refuse) -> None:
    if not isinstance(fact, Command):
        raise TypeError(f"a rule may not refuse the fact {fact.KIND}: it happened")
    raise Refused(effect.code, effect.message, field=effect.field, details=effect.details)


def _set_trait(s: Settling, turn: Turn, effect: SetTrait) -> None:
    declared = next((t for t in turn.plugin.traits if t.name == effect.name), None)
    if declared is None:
        raise ValueError(f"{turn.plugin.name} does not declare the trait {effect.name}")
    if not isinstance(effect.value, declared.type):
        raise TypeError(f"the trait {effect.name} is declared as {declared.type.__name__}")
    name, member = f"{turn.program.slug}.{effect.name}", s.the_member
    value = TraitValue(value=effect.value, since=effect.since or s.at, until=effect.until)
    s.traits = [one for one in s.traits if one[1] != name or one[2].since != value.since]
    s.traits.append((member.id, name, value))


def _reterm(s: Settling, turn: Turn, effect: Reterm) -> None:
    for account in accounts_of(s):
        for lot in s.batch.book.open_lots(account):
            if lot.id == effect.lot_id:
                if not lot.expired(s.batch.now):  # what ended is gone, whether or not swept
                    cause = s.cause(program_id=turn.program.id)
                    s.batch.book.reterm(cause, account, lot, effect.expires_at, effect.available_at)
                    s.touch(account.owner, account.unit)
                return
    raise LookupError("only a lot that the reaction was shown can be given another term")
