"""What a back-test came to, as the schema shows it: the kernel's report, with amounts written."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import strawberry

from loyalty.backtest.spreadsheet import money
from loyalty.units import format_minor
from loyalty_graphql.access import reached
from loyalty_graphql.ids import node_id
from loyalty_graphql.scalars import Decimal


@strawberry.type
@reached
class BacktestSum:
    """What was granted, and what returns took back of it."""

    times: int
    """How often something was granted."""
    granted: Decimal
    """What was granted, in whole units."""
    taken_back: Decimal
    """What returns took back of it."""
    net: Decimal
    """What was granted less what was taken back."""
    cost: Decimal | None
    """What the net costs, where a cost per point is known."""


@strawberry.type
@reached
class BacktestRow:
    """One line of a comparison."""

    name: str
    """The rule (`<program>/<rule>`), the month (2017-01) or the category."""
    label: str
    """A rule's label; else the name."""
    published: BacktestSum
    """Under what was in force when it happened."""
    draft: BacktestSum
    """Under the draft."""


@strawberry.type
@reached
class BacktestMember:
    """A member who gains or loses much."""

    id: strawberry.ID
    """Of the member."""
    external_id: str
    """As the tenant names them."""
    published: Decimal
    """Their net under what was in force."""
    draft: Decimal
    """Their net under the draft."""


@strawberry.type
@reached
class BacktestUnit:
    """The comparison in one unit that the program gives."""

    unit: str
    """Code of the unit."""
    currency: str | None
    """The currency of the costs; null where no cost per point is known."""
    published: BacktestSum
    """All of the program, under what was in force."""
    draft: BacktestSum
    """All of the program, under the draft."""
    rules: list[BacktestRow]
    """By rule; rules of other programs where the draft makes them give another sum."""
    months: list[BacktestRow]
    """By month in the tenant's zone; a return counts when it happened."""
    categories: list[BacktestRow]
    """By the first level of the lines' categories, largest first; an empty name: lines without."""
    members_better: int
    """How many members have more under the draft."""
    members_worse: int
    """How many members have less under the draft."""
    members_same: int
    """How many members have as much."""
    gain: list[BacktestMember]
    """The members who gain most, at most 10."""
    lose: list[BacktestMember]
    """The members who lose most, at most 10."""


@strawberry.type
@reached
class BacktestCount:
    """How many there were of a kind."""

    name: str
    """A kind of fact, or why it was left out."""
    count: int
    """How many."""


@strawberry.type
@reached
class BacktestReport:
    """What was replayed and what it came to."""

    facts: list[BacktestCount]
    """The facts of the period, by kind."""
    warmed_up: int
    """How many facts before the period were replayed for what rules remember."""
    left_out: list[BacktestCount]
    """Facts that could not be settled under the draft, by why."""
    failures: list[BacktestCount]
    """What the draft's rules raised, the most frequent first; at most 5."""
    units: list[BacktestUnit]
    """The comparison, by unit."""


def shown_report(report: Mapping[str, Any]) -> BacktestReport:
    return BacktestReport(
        facts=_counts(report["facts"]),
        warmed_up=report["warmed_up"],
        left_out=_counts(report["left_out"]["draft"]),
        failures=_counts(report["failures"]),
        units=[_unit(unit, report) for unit in report["units"]],
    )


def _unit(unit: Mapping[str, Any], report: Mapping[str, Any]) -> BacktestUnit:
    members = unit["members"]
    rules = [row for row in report["rules"] if row["unit"] == unit["unit"]]
    return BacktestUnit(
        unit=unit["unit"],
        currency=unit["currency"],
        published=_sum(unit, unit["published"]),
        draft=_sum(unit, unit["draft"]),
        rules=[_row(unit, row, row["rule"], row["label"]) for row in rules],
        months=[_row(unit, row, row["month"]) for row in unit["months"]],
        categories=[_row(unit, row, row["category"]) for row in unit["categories"]],
        members_better=members["better"],
        members_worse=members["worse"],
        members_same=members["same"],
        gain=[_member(unit, one) for one in members["gain"]],
        lose=[_member(unit, one) for one in members["lose"]],
    )


def _row(
    unit: Mapping[str, Any], row: Mapping[str, Any], name: str, label: str | None = None
) -> BacktestRow:
    return BacktestRow(
        name=name,
        label=label or name,
        published=_sum(unit, row["published"]),
        draft=_sum(unit, row["draft"]),
    )


def _sum(unit: Mapping[str, Any], of: Mapping[str, Any]) -> BacktestSum:
    places, cost = unit["places"], money(of["cost"], unit["currency"])
    return BacktestSum(
        times=of["times"],
        granted=Decimal(format_minor(of["granted"], places)),
        taken_back=Decimal(format_minor(of["taken"], places)),
        net=Decimal(format_minor(of["granted"] - of["taken"], places)),
        cost=Decimal(cost) if cost else None,
    )


def _member(unit: Mapping[str, Any], member: Mapping[str, Any]) -> BacktestMember:
    return BacktestMember(
        id=node_id("Member", UUID(member["id"])),
        external_id=member["externalId"],
        published=Decimal(format_minor(member["published"], unit["places"])),
        draft=Decimal(format_minor(member["draft"], unit["places"])),
    )


def _counts(counts: Mapping[str, int]) -> list[BacktestCount]:
    return [BacktestCount(name=name, count=count) for name, count in counts.items()]
