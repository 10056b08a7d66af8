"""Grants: staged while the stages run, then booked as lots with their share per line."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any
from uuid import UUID

from loyalty.days import iso
from loyalty.effects import Grant
from loyalty.facts import Fact, Granted, PurchaseRecorded
from loyalty.ledger.account import ISSUED, Account
from loyalty.ledger.book import Cause, Terms
from loyalty.owners import Holder, Owner
from loyalty.plugin_set import Turn
from loyalty.settlement.expiring import breakage
from loyalty.settlement.measuring import count_at
from loyalty.settlement.sale import WHOLE
from loyalty.settlement.settling import Settling
from loyalty.units import apportion
from loyalty.view import GrantView, Stage

NO_CUT: Mapping[str, int] = MappingProxyType({})


class Staged:
    """A grant that a rule asked for, before it is booked."""

    __slots__ = ("cut", "grant", "lines", "seen", "stage", "turn")

    def __init__(self, turn: Turn, grant: Grant, lines: Mapping[str, int]) -> None:
        self.turn = turn
        self.stage = turn.reaction.stage
        self.grant = grant
        self.lines = lines  # shares, by line; they sum to grant.granted
        self.cut = NO_CUT  # by line, where some of it is given later
        self.seen: GrantView | None = None

    def view(self) -> GrantView:
        """As rules and counters see it: the same one until a cap lowers it."""
        if self.seen is None:
            self.seen = self._view()
        return self.seen

    def _view(self) -> GrantView:
        grant = self.grant
        return GrantView(
            self.turn.program.slug, grant.rule, grant.unit, self.stage, grant.wanted,
            grant.granted + grant.more, grant.accounting_class, self.lines, grant.cut_by,
            grant.postponed, None, 0, grant.uses,
        )  # fmt: skip


def stage(staged: list[Staged], turn: Turn, grant: Grant, root: Fact) -> None:
    """Take a grant up; in the stage CAP it lowers the one that the same rule already asked for.

    A grant in answer to a fact that followed shares itself over the lines of the root: these are
    what comes back.
    """
    _check(turn, grant)
    if turn.reaction.stage is Stage.CAP:
        for earlier in staged:
            asked = earlier.grant
            if earlier.turn.program is turn.program and (asked.rule, asked.unit) == (
                grant.rule,
                grant.unit,
            ):
                _lower(earlier, grant)
                return
    staged.append(Staged(turn, grant, _shares(grant, root)))


Target = tuple[Holder, str, Account, UUID]
"""Where what a program gives in a unit goes (whose that is, how they are told, their account), and
the account that it comes from."""


def book(s: Settling, staged: list[Staged]) -> None:
    """Open a lot per grant, write it into decision and answer, and tell the rules (`Granted`)."""
    _check_lines(staged, s.fact)
    rows = s.body.setdefault("grants", [])
    targets: dict[tuple[UUID, str], Target] = {}
    for item in staged:
        row = _decided(item)
        if s.of:
            row["of"] = s.of  # in answer to this one of what was emitted
        rows.append(row)
        if item.grant.granted > 0:
            whose = item.turn.program.id, item.grant.unit
            if (target := targets.get(whose)) is None:
                target = targets[whose] = _target(s, *whose)
            _open_lot(s, item, target, row)
        if item.grant.given_at is not None:
            _count_then(s, item, row, item.grant.given_at)


def _target(s: Settling, program_id: UUID, unit: str) -> Target:
    owner, book = s.holder(unit), s.batch.book
    s.touch(owner, unit)
    account = book.account(owner, unit)
    return owner, str(owner), account, book.program_account(program_id, unit, ISSUED)


def _count_then(s: Settling, item: Staged, row: dict[str, Any], at: datetime) -> None:
    if s.returns is None:
        turn = item.turn
        raise TypeError(f"{turn.plugin.name} may grant as of then only in answer to a return")
    if item.grant.counted:
        count_at(s, row, item.view(), at)


def _check(turn: Turn, grant: Grant) -> None:
    if not 0 <= grant.granted <= grant.wanted:
        raise ValueError(f"{turn.program.slug}/{grant.rule}: 0 <= granted <= wanted must hold")
    if grant.lines is not None and sum(grant.lines.values()) != grant.wanted:
        raise ValueError(f"{turn.program.slug}/{grant.rule}: lines must sum to wanted")


def _check_lines(staged: list[Staged], root: Fact) -> None:
    """Of all grants together: a purchase's lines are the same for them."""
    if not isinstance(root, PurchaseRecorded) or not root.lines:
        return
    there = {line.id for line in root.lines}
    for item in staged:
        lines = item.grant.lines
        if lines and not there.issuperset(lines):
            unknown = sorted(lines.keys() - there)
            raise ValueError(f"{item.turn.program.slug}/{item.grant.rule}: no lines {unknown}")


def _lower(earlier: Staged, cap: Grant) -> None:
    if cap.granted > earlier.grant.granted:
        raise ValueError(f"{cap.rule}: a cap may only lower a grant")
    earlier.grant = earlier.grant._replace(
        granted=cap.granted, cut_by=cap.cut_by, postponed=cap.postponed
    )
    were, shares = earlier.lines, apportion(cap.granted, list(earlier.lines.values()))
    earlier.lines = dict(zip(were, shares, strict=True))
    if cap.postponed:
        earlier.cut = {line: were[line] - share for line, share in earlier.lines.items()}
    earlier.seen = None


def _shares(grant: Grant, root: Fact) -> Mapping[str, int]:
    """Share what is granted over the lines: as the rule says, else by what was charged."""
    if not isinstance(root, PurchaseRecorded):
        return {WHOLE: grant.granted}
    if grant.lines is None:
        weights: Mapping[str, int] = {line.id: line.net for line in root.lines}
    else:
        weights = grant.lines
    if not weights:
        return {WHOLE: grant.granted}
    if grant.lines is not None and grant.granted == grant.wanted:
        return weights
    return dict(zip(weights, apportion(grant.granted, list(weights.values())), strict=True))


def _decided(item: Staged) -> dict[str, Any]:
    grant, program = item.grant, item.turn.program
    row: dict[str, Any] = {
        "program": program.slug,
        "programId": str(program.id),
        "version": item.turn.version.number,
        "rule": grant.rule,
        "label": grant.label,
        "stage": item.stage._name_,  # as `name`, which is a function to call
        "unit": grant.unit,
        "wanted": grant.wanted,
        "granted": grant.granted,
        "class": grant.accounting_class,
        "lines": {line: share for line, share in item.lines.items() if share},
        "back": grant.take_back,
        "inputs": dict(grant.inputs),
    }
    if grant.cut_by is not None:
        row["cutBy"] = grant.cut_by
    if grant.postponed is not None:
        row["postponed"] = dict(grant.postponed)
    if item.cut:
        row["cut"] = {line: share for line, share in item.cut.items() if share}
    if grant.whole:
        row["whole"] = True
    if not grant.counted:
        row["uncounted"] = True
    if grant.ended:
        row["ended"] = -grant.ended
    if grant.uses:
        row["uses"] = grant.uses
    if grant.more:
        row["more"] = grant.more
    if grant.while_left:
        row["while"] = [{"amount": one.amount, "of": dict(one.of)} for one in grant.while_left]
    return row


def _open_lot(s: Settling, item: Staged, target: Target, row: dict[str, Any]) -> None:
    grant, program = item.grant, item.turn.program
    owner, told, account, source = target
    terms = Terms(
        grant.accounting_class, grant.available_at or s.at, grant.settles_at, grant.expires_at,
        grant.cost,
    )  # fmt: skip
    cause = Cause(s.fact_id, s.at, program.id, f"{program.slug}/{grant.rule}", grant.label)
    if grant.ended:
        end = breakage(s, program.id, grant.unit)
        s.batch.book.post(cause, grant.unit, grant.ended, source, end)
    amount = grant.granted - grant.ended
    if grant.given_at is not None:
        net = s.net(program.slug, grant.rule, grant.unit)
        net.gave += amount
        covers = min(amount, net.covered - net.left_out)
        amount, net.left_out = amount - covers, net.left_out + covers
    if not amount:
        return
    lot = s.batch.book.grant(cause, account, amount, source, terms)
    row["lot"], row["owner"] = str(lot.id), told
    s.earned.append(
        {
            "unit": grant.unit,
            "amount": amount,
            "availableAt": iso(terms.available_at),
            "expiresAt": iso(terms.expires_at),
            "label": grant.label or grant.rule,
            "rule": cause.rule,
        }
    )
    if s.batch.plugins.hears_of_grants:
        s.follow(_granted(s, program.slug, grant, amount, owner))


def _granted(s: Settling, program: str, grant: Grant, amount: int, owner: Holder) -> Granted:
    return Granted(
        member=s.fact.member,
        occurred_at=s.at,
        program=program,
        rule=grant.rule,
        unit=grant.unit,
        amount=amount,
        accounting_class=grant.accounting_class,
        owner=owner if isinstance(owner, Owner) else None,
    )
