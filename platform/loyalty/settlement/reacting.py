"""Rules at work: each fact of a settlement is shown to its reactions stage by stage."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, assert_never

from loyalty.commands import Command, Redeem
from loyalty.effects import (
    AtOnce,
    Burn,
    Emit,
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
from loyalty.facts import Counted, Fact, LotsDue, PurchaseRecorded, purchase_key
from loyalty.kept import Attributes, Noted, keep
from loyalty.plugin import WriteRow
from loyalty.plugin_set import Turn
from loyalty.settlement import emitting, granting, recalling, redeeming
from loyalty.settlement.bought import bought
from loyalty.settlement.granting import Staged
from loyalty.settlement.settling import Settling
from loyalty.settlement.shown_balances import Balances, accounts_of
from loyalty.settlement.summing import Buckets, counters_of, sums_at
from loyalty.view import NOTHING, CameBack, LotView, MemberView, TraitValue, View, drawn


def react(s: Settling, fact: Fact) -> None:
    """Show one fact to all who react to it and carry out what they answer."""
    staged: list[Staged] = []
    for turn, seen in s.batch.plugins.shown(fact, s.stretch):
        if s.granters and turn.program.slug in s.granters:
            # No reaction sees what its own grants set off, however far away. What became of its
            # lots (Expired, TakenBack) it does see: a program says where they go.
            continue
        balances = Balances(s, exact=turn.reaction.burns is not None)
        view = _view(s, turn, fact, staged, balances)
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
        keep(s.body, turn.program.slug, turn.version.number, view)
    if staged:
        granting.book(s, staged)
        if s.stretch.counted:
            s.measured[s.of][1].extend([item.view() for item in staged if item.grant.counted])
    elif not isinstance(s.fact, LotsDue):  # an end is never taken back: no decision, no row of it
        s.body.setdefault("grants", [])


def _carry_out(s: Settling, turn: Turn, fact: Fact, effect: AtOnce) -> None:
    book, program = s.batch.book, turn.program
    match effect:
        case Refuse():
            _refuse(fact, effect)
        case Recall():
            s.measured[s.of][1].append(recalling.recall(s, turn, effect))
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


# --- the view -------------------------------------------------------------------------------------


def _view(
    s: Settling, turn: Turn, fact: Fact, staged: list[Staged], balances: Balances
) -> View:  # fmt: skip
    """What costs something is only worked out where the reaction or its config could ask for it."""
    reaction, after = turn.reaction, isinstance(fact, Counted)
    return View(
        turn.program.slug,
        s.batch.setup,
        s.request.natural_key,
        _member(s),
        [item.view() for item in staged] if staged else (),
        balances,
        _lots(s) if reaction.burns else NOTHING,
        _traits(s, turn) if turn.traits else NOTHING,
        counters_of(s, turn, after=after) if turn.counters else NOTHING,
        Buckets(s, turn, after=after) if turn.counters else NOTHING,
        _needs(s, turn) if reaction.needs else NOTHING,
        _written(s, turn) if s.batch.written else (),
        None if s.returns is None else _came_back(s, turn),
        _chance(s, turn),
    )


def _member(s: Settling) -> MemberView | None:
    """The member, with attributes that note what is asked of them."""
    if (member := s.member) is None:
        return None
    if s.shown is None or s.shown[0] is not member:
        ident, external_id, status, enrolled_at, attributes = member
        noting = Attributes(attributes)
        s.shown = member, MemberView(ident, external_id, status, enrolled_at, noting)
    return s.shown[1]


def _needs(s: Settling, turn: Turn) -> Mapping[str, Any]:
    loaded = s.batch.needs.get((s.index, turn.program.slug), {})
    return {name: loaded.get(name) for name in turn.reaction.needs}


def _written(s: Settling, turn: Turn) -> tuple[Any, ...]:
    shared = s.batch.written.get((turn.program.id, None), ())
    if s.member is None:
        return tuple(shared)
    return (*shared, *s.batch.written.get((turn.program.id, s.member.id), ()))


def _lots(s: Settling) -> Mapping[str, list[LotView]]:
    return {
        account.unit: [
            LotView(
                id=lot.id, remaining=lot.remaining, available_at=lot.available_at,
                expires_at=lot.expires_at, rule=lot.rule, occurred_at=lot.occurred_at,
                settles_at=lot.settles_at,
            )
            for lot in s.batch.book.open_lots(account)
            if lot.remaining
        ]
        for account in accounts_of(s)
    }  # fmt: skip


def _traits(s: Settling, turn: Turn) -> Mapping[str, TraitValue]:
    if s.member is None:
        return Noted({})
    found = {name: s.batch.trait(s.member.id, name, s.at) for name in turn.traits}
    values = {name: value for name, value in found.items() if value is not None}
    for name, default in turn.defaults.items():
        if name not in values:
            values[name] = TraitValue(value=default, since=s.member.enrolled_at or s.at)
    return Noted(values)


def _came_back(s: Settling, turn: Turn) -> CameBack | None:
    if s.returns is None or s.left is None:
        return None
    (before, left), at = s.left, s.returns.fact.occurred_at
    return CameBack(
        at=at, before=before, left=left, counters=sums_at(s, turn, at), bought=partial(bought, s)
    )


def _chance(s: Settling, turn: Turn) -> Callable[[str], float | None]:
    if s.batch.preview:
        return _left_to_chance(s, turn)
    rule = turn.program.slug

    def chance(label: str) -> float:
        roll = drawn(turn.version.draw_secret, _drawn_for(s), rule, label)
        s.body.setdefault("draws", []).append(
            {"program": rule, "version": turn.version.number, "label": label, "roll": roll}
        )
        return roll

    return chance


def _left_to_chance(s: Settling, turn: Turn) -> Callable[[str], float | None]:
    """Draws nothing, and notes what would be drawn."""

    def chance(label: str) -> None:
        row = {"program": turn.program.slug, "version": turn.version.number, "label": label}
        if row not in s.body.setdefault("byChance", []):
            s.body["byChance"].append(row)

    return chance


def _drawn_for(s: Settling) -> str:
    """What luck is drawn for. A corrected purchase keeps its luck, or who sends it could try on."""
    fact, key = s.fact, s.request.natural_key
    if isinstance(fact, PurchaseRecorded) and key == fact.natural_key:
        key = purchase_key(fact.source, fact.external_id)
    return f"{key.scope}:{key.key}" if key else str(s.fact_id)
