"""What reactions are shown: a view for each turn, of what all turns of a program share."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from loyalty.facts import Counted, Fact, PurchaseRecorded, purchase_key
from loyalty.kept import Attributes, Noted, keep
from loyalty.ledger.lots import Lot
from loyalty.plugin_set import Turn
from loyalty.settlement.bought import bought
from loyalty.settlement.granting import Staged
from loyalty.settlement.measuring import given_at
from loyalty.settlement.sale import Sale
from loyalty.settlement.settling import Settling
from loyalty.settlement.shown_balances import Balances, accounts_of
from loyalty.settlement.summing import Buckets, counters_of, sums_at
from loyalty.view import NOTHING, CameBack, LotView, MemberView, TraitValue, View, drawn

Chance = Callable[[str], float | None]


class Shown:
    """What is shown of one fact to a version of a program. Inside one settlement traits and
    counters do not change, so all its turns share them, and what its rules know of the fact."""

    __slots__ = ("_buckets", "_chance", "_counters", "_known", "_member", "_names", "_s", "_traits",
                 "_turn")  # fmt: skip

    def __init__(self, s: Settling, turn: Turn, fact: Fact) -> None:
        self._s, self._turn = s, turn
        self._member, self._chance = _member(s), _chance(s, turn)
        self._known: dict[Any, Any] | None = {} if turn.shares else None
        self._names: tuple[str, ...] = ()  # of the traits that were shown last
        self._traits: Mapping[str, TraitValue] = NOTHING
        if turn.counters:
            after = isinstance(fact, Counted)
            self._counters = counters_of(s, turn, after=after)
            self._buckets: Mapping[str, Any] = Buckets(s, turn, after=after)
        else:
            self._counters = self._buckets = NOTHING

    def view(self, turn: Turn, staged: Sequence[Staged], balances: Balances) -> View:
        """What costs something is only worked out where the reaction or its config could ask."""
        s, reaction = self._s, turn.reaction
        if turn.traits and turn.traits != self._names:
            if self._names:
                self.keep()  # what was read of those that were shown before
            self._names, self._traits = turn.traits, _traits(s, turn)
        return View(
            turn.program.slug,
            s.batch.setup,
            s.request.natural_key,
            self._member,
            [item.view() for item in staged] if staged else (),
            balances,
            _lots(s) if reaction.burns else NOTHING,
            self._traits if turn.traits else NOTHING,
            self._counters,
            self._buckets,
            _needs(s, turn) if reaction.needs else NOTHING,
            _written(s, turn) if s.batch.written else (),
            None if s.returns is None else _came_back(s, turn),
            self._chance,
            self._known,
        )

    def let_go(self) -> None:
        """Its turns are over. What rules know may hold their view: a circle, which would be left to
        the garbage collector."""
        if self._known is not None:
            self._known.clear()

    def keep(self) -> None:
        """Write what was read into the decision: once, when all its turns are over."""
        program, version = self._turn.program.slug, self._turn.version.number
        keep(self._s.body, program, version, self._traits, self._counters, self._member)


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
        account.unit: [_shown(lot) for lot in s.batch.book.open_lots(account) if lot.remaining]
        for account in accounts_of(s)
    }


def _shown(lot: Lot) -> LotView:
    return LotView(
        id=lot.id, remaining=lot.remaining, available_at=lot.available_at,
        expires_at=lot.expires_at, rule=lot.rule, occurred_at=lot.occurred_at,
        settles_at=lot.settles_at,
    )  # fmt: skip


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
        at=at, before=before, left=left, counters=sums_at(s, turn, at), bought=partial(bought, s),
        lots=_drawn(s.drawn, s.returns, turn.program.slug),
        borne=partial(_borne, s, turn.program.slug),
    )  # fmt: skip


def _borne(s: Settling, program: str) -> Mapping[tuple[str, datetime], int]:
    found: dict[tuple[str, datetime], int] = {}
    for row in s.body.get("grants", ()):
        if row["program"] == program and (bore := row.get("borne")):
            key = row["rule"], given_at(row) or s.at
            found[key] = found.get(key, 0) + bore
    return found


def _drawn(
    drawn: Sequence[tuple[int, Lot]], sale: Sale, program: str
) -> Mapping[tuple[str, str], list[LotView]]:
    found: dict[tuple[str, str], list[LotView]] = {}
    for index, lot in drawn:
        if (row := sale.grants[index])["program"] == program:
            found.setdefault((row["rule"], row["unit"]), []).append(_shown(lot))
    return found


def _chance(s: Settling, turn: Turn) -> Chance:
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


def _left_to_chance(s: Settling, turn: Turn) -> Chance:
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
