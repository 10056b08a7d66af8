"""Corrections of many members as clients write them: a list, or the text of a CSV file."""

import csv
from collections.abc import Mapping, Sequence
from datetime import datetime
from io import StringIO
from typing import Any

import strawberry

from loyalty.facts import MemberRef as Ref
from loyalty.units import Unit, parse_minor
from loyalty_graphql import texts
from loyalty_graphql.context import Context
from loyalty_graphql.member_ref import MemberRef, member_ref
from loyalty_graphql.scalars import Csv, Decimal
from loyalty_graphql.units import unit_of
from loyalty_tenants.desk.orders import Order, Wanted
from loyalty_tenants.desk.reasons import Reason

ITEMS_MAX = 10_000
ADJUSTMENTS_MAX = 500  # of them as a list in the input


@strawberry.input
class AdjustmentItemInput:
    """One member's correction."""

    member: MemberRef
    """Whose."""
    amount: Decimal
    """What to give; negative to take."""
    note: str = ""
    """What else to know; members read it as the label."""


@strawberry.input
class AdjustBalancesInput:
    """Which members to correct, and why. Name `items` or `csv`."""

    unit: str
    """Code of the unit."""
    reason_code: str
    """Why: a reason of the tenant's list, where it has one."""
    idempotency_key: str
    """A new UUID for each order; sent again it gives the first answer."""
    items: list[AdjustmentItemInput] = strawberry.field(default_factory=list)
    """Up to 500 members."""
    csv: Csv | None = None
    """Up to 10,000 lines with the head `member,amount` or `member,amount,note`; members by their
    external ids."""
    note: str = ""
    """What members read where an item has no note of its own; else the reason's label."""
    expires_at: datetime | None = None
    """When what is given ends; null: as the reason says, or never."""
    allow_deficit: bool = False
    """Whether more may be taken than there is, to be repaid by the next grants."""


async def asked(context: Context, given: AdjustBalancesInput) -> tuple[Unit, list[Wanted]]:
    unit = unit_of(await context.setup(), given.unit)
    if bool(given.items) == (given.csv is not None):
        raise texts.bad("items", "name items, or csv: one of them")
    wanted = _of_csv(given.csv, unit) if given.csv is not None else _of_items(given.items, unit)
    if not 1 <= len(wanted) <= ITEMS_MAX:
        raise texts.bad("csv", f"must name 1 to {ITEMS_MAX:,} members")
    return unit, wanted


def order_as_given(
    given: AdjustBalancesInput, unit: Unit, wanted: Sequence[Wanted], reason: Reason | None
) -> Order:
    note = given.note and texts.words(given.note, field="note", longest=1000)
    return order_of(
        unit, given.reason_code, note, reason, wanted,
        expires_at=given.expires_at, allow_deficit=given.allow_deficit,
    )  # fmt: skip


def order_of(
    unit: Unit,
    reason_code: str,
    note: str,
    reason: Reason | None,
    wanted: Sequence[Wanted],
    *,
    expires_at: datetime | None,
    allow_deficit: bool,
) -> Order:
    """What was asked for, with what the reason says where the caller does not."""
    given: Mapping[str, Any] = {}
    if reason is not None and expires_at is None:
        given = {"expires_after": reason.expires_after, "expires_end": reason.expires_end.value}
    return Order(
        unit=unit.code, reason_code=reason_code,
        label=note or (reason.label if reason else reason_code), items=wanted,
        expires_at=expires_at, allow_deficit=allow_deficit, **given,
    )  # fmt: skip


def _of_items(items: Sequence[AdjustmentItemInput], unit: Unit) -> list[Wanted]:
    return [
        Wanted(
            member=member_ref(item.member, f"items.{index}.member"),
            amount=amount_of(item.amount, unit, f"items.{index}.amount"),
            note=item.note and texts.words(item.note, field=f"items.{index}.note", longest=1000),
        )
        for index, item in enumerate(items)
    ]


def _of_csv(text: str, unit: Unit) -> list[Wanted]:
    """:raises Refused: BAD_USER_INPUT or BAD_AMOUNT with the line, as `csv.7.amount`"""
    reader = csv.reader(StringIO(text.removeprefix("\ufeff")), strict=True)
    try:
        rows = [(reader.line_num, row) for row in reader if row]
    except csv.Error as error:
        raise texts.bad(f"csv.{reader.line_num}", f"is no CSV: {error}") from None
    if not rows or rows[0][1] not in (["member", "amount"], ["member", "amount", "note"]):
        raise texts.bad("csv.1", "begin with the head member,amount or member,amount,note")
    if len(rows) - 1 > ITEMS_MAX:
        raise texts.bad("csv", f"must name 1 to {ITEMS_MAX:,} members")
    columns, wanted = len(rows[0][1]), []
    for line, row in rows[1:]:
        if len(row) != columns:
            raise texts.bad(f"csv.{line}", f"must have {columns} columns, as its head")
        note = row[2].strip() if columns == 3 else ""
        wanted.append(
            Wanted(
                member=Ref(external_id=texts.name(row[0].strip(), field=f"csv.{line}.member")),
                amount=amount_of(row[1].strip(), unit, f"csv.{line}.amount"),
                note=note and texts.words(note, field=f"csv.{line}.note", longest=1000),
            )
        )
    return wanted


def amount_of(text: str, unit: Unit, field: str) -> int:
    amount = parse_minor(text, unit.places, field=field, signed=True)
    if amount == 0:
        raise texts.bad_amount(field, "must not be nothing")
    return amount
