"""Loads and writes the plugin's own tables: one statement a batch each."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

from loyalty.facts import FactKey
from loyalty.plugin import Connection, Loader, LoadRequest, Writer, WriteRow
from loyalty.refused_due import is_refused_about
from loyalty_subscriptions.facts import PaymentReported
from loyalty_subscriptions.rows import PaymentRow, RefundRow, SubscriptionRow
from loyalty_subscriptions.subscription import Provider, Status, Subscription

SUBSCRIPTIONS, INVOICE, PAYMENTS = "subscriptions", "invoice", "payments"
PAYMENTS_MAX = 100  # of a member in a program: what lies before them is over long since
Where = tuple[int, str]

_COLUMNS = [one.name for one in fields(Subscription)]
_LIST = ", ".join(_COLUMNS)
_PAID = [one.name for one in fields(PaymentRow) if one.name not in ("known", "told_by")]
_PAID_LIST = ", ".join(_PAID)
_LOAD = f"""
select w.at, w.program, s.* from unnest($1::int[], $2::text[], $3::uuid[], $4::uuid[])
         w (at, program, program_id, member_id)
  cross join lateral (
    select {_LIST} from loyalty.subscription s
     where s.tenant_id = (select loyalty.tenant()) and s.member_id = w.member_id
       and s.program_id = w.program_id offset 0) s
 order by s.started_at, s.provider, s.reference
"""
# The fact that brought a fee, by its key.
_TOLD_BY = """cross join lateral (
    select f.scope, f.key from loyalty.fact f
     where f.tenant_id = (select loyalty.tenant()) and f.id = p.fact_id offset 0) f"""
_INVOICES = f"""
select w.at, w.program, p.*, f.scope, f.key
  from unnest($1::int[], $2::text[], $3::uuid[], $4::text[], $5::text[])
         w (at, program, program_id, provider, invoice)
  cross join lateral (
    select {_PAID_LIST}, fact_id from loyalty.subscription_payment p
     where p.tenant_id = (select loyalty.tenant()) and p.program_id = w.program_id
       and p.provider = w.provider and p.invoice = w.invoice offset 0) p
  {_TOLD_BY}
"""
_PAYMENTS = f"""
select w.at, w.program, p.*, f.scope, f.key
  from unnest($1::int[], $2::text[], $3::uuid[], $4::uuid[])
         w (at, program, program_id, member_id)
  cross join lateral (
    select {_PAID_LIST}, fact_id from loyalty.subscription_payment p
     where p.tenant_id = (select loyalty.tenant()) and p.member_id = w.member_id
       and p.program_id = w.program_id and p.paid_at is not null
     order by p.paid_at desc, p.invoice limit {PAYMENTS_MAX}) p
  {_TOLD_BY}
"""
_OF_MEMBERS = f"""
select m.id as member_id, s.* from unnest($1::uuid[]) m (id)
  cross join lateral (
    select program_id, {_LIST} from loyalty.subscription s
     where s.tenant_id = (select loyalty.tenant()) and s.member_id = m.id offset 0) s
 order by s.started_at, s.provider, s.reference
"""
_PAYMENTS_OF = f"""
select m.id as member_id, p.* from unnest($1::uuid[]) m (id)
  cross join lateral (
    select program_id, {_PAID_LIST} from loyalty.subscription_payment p
     where p.tenant_id = (select loyalty.tenant()) and p.member_id = m.id
     order by p.paid_at desc nulls last, p.invoice limit {PAYMENTS_MAX}) p
"""
_STEP = "concat_ws(':', 'due', s.program_id, s.member_id, s.provider, s.reference, '')"
_DUE = f"""
select program_id, member_id, provider, reference, due_at from loyalty.subscription s
 where tenant_id = (select loyalty.tenant()) and program_id = any($1) and due_at <= $2
   and not {is_refused_about("'job:subscriptions'", "s.member_id", _STEP, "s.due_at")}
 order by due_at, member_id, provider, reference limit $3
"""
_WRITE = f"""
insert into loyalty.subscription (tenant_id, member_id, program_id, {_LIST})
select (select loyalty.tenant()), member_id, program_id, {_LIST}
  from jsonb_populate_recordset(null::loyalty.subscription, $1::jsonb)
on conflict (tenant_id, member_id, program_id, provider, reference) do update
   set ({_LIST}) = ({", ".join(f"excluded.{name}" for name in _COLUMNS)})
"""
_INSERT = f"""
insert into loyalty.subscription_payment (tenant_id, member_id, program_id, fact_id, {_PAID_LIST})
select (select loyalty.tenant()), member_id, program_id, fact_id, {_PAID_LIST}
  from jsonb_populate_recordset(null::loyalty.subscription_payment, $1::jsonb)
"""
_UPDATE = f"""
update loyalty.subscription_payment p
   set (fact_id, {_PAID_LIST}) = (w.fact_id, {", ".join(f"w.{n}" for n in _PAID)})
  from jsonb_populate_recordset(null::loyalty.subscription_payment, $1::jsonb) w
 where p.tenant_id = (select loyalty.tenant()) and p.program_id = w.program_id
   and p.provider = w.provider and p.invoice = w.invoice
"""
_REFUND = """
update loyalty.subscription_payment p set refunded = greatest(p.refunded, w.refunded)
  from unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[])
         w (program_id, provider, invoice, refunded)
 where p.tenant_id = (select loyalty.tenant()) and p.program_id = w.program_id
   and p.provider = w.provider and p.invoice = w.invoice
"""
_ONE = TypeAdapter(Subscription)
_PAYMENT = TypeAdapter(PaymentRow)


async def load_subscriptions(
    connection: Connection, requests: Sequence[LoadRequest]
) -> Mapping[Where, Sequence[Subscription]]:
    """All subscriptions that each member ever had in the program."""
    asked = [one for one in requests if one.member_id is not None]
    found: dict[Where, list[Subscription]] = {}
    for row in await connection.fetch(
        _LOAD,
        [one.at for one in asked],
        [one.program for one in asked],
        [one.program_id for one in asked],
        [one.member_id for one in asked],
    ):
        found.setdefault((row["at"], row["program"]), []).append(subscription_of(row))
    return found


async def load_invoices(
    connection: Connection, requests: Sequence[LoadRequest]
) -> Mapping[Where, PaymentRow]:
    """What is known already of the invoice that a payment is about, whoever paid it."""
    asked = [(one, one.fact) for one in requests if isinstance(one.fact, PaymentReported)]
    if not asked:
        return {}
    rows = await connection.fetch(
        _INVOICES,
        [one.at for one, _ in asked],
        [one.program for one, _ in asked],
        [one.program_id for one, _ in asked],
        [fact.provider for _, fact in asked],
        [fact.invoice for _, fact in asked],
    )
    return {(row["at"], row["program"]): payment_of(row) for row in rows}


async def load_payments(
    connection: Connection, requests: Sequence[LoadRequest]
) -> Mapping[Where, Sequence[PaymentRow]]:
    """The last fees that each member paid in the program, the newest first."""
    asked = [one for one in requests if one.member_id is not None]
    found: dict[Where, list[PaymentRow]] = {}
    for row in await connection.fetch(
        _PAYMENTS,
        [one.at for one in asked],
        [one.program for one in asked],
        [one.program_id for one in asked],
        [one.member_id for one in asked],
    ):
        found.setdefault((row["at"], row["program"]), []).append(payment_of(row))
    return found


async def of_members(
    connection: Connection, members: Sequence[UUID]
) -> Mapping[UUID, Sequence[tuple[UUID, Subscription]]]:
    """All subscriptions of these members, each with the program that it is of."""
    found: dict[UUID, list[tuple[UUID, Subscription]]] = {}
    for row in await connection.fetch(_OF_MEMBERS, list(members)):
        found.setdefault(row["member_id"], []).append((row["program_id"], subscription_of(row)))
    return found


async def payments_of(
    connection: Connection, members: Sequence[UUID]
) -> Mapping[UUID, Sequence[tuple[UUID, PaymentRow]]]:
    """The last fees of these members, the newest first, each with its program."""
    found: dict[UUID, list[tuple[UUID, PaymentRow]]] = {}
    for row in await connection.fetch(_PAYMENTS_OF, list(members)):
        found.setdefault(row["member_id"], []).append((row["program_id"], payment_of(row)))
    return found


async def due(
    connection: Connection, programs: Sequence[UUID], now: Any, at_once: int
) -> Sequence[Mapping[str, Any]]:
    """What fell due by now, the oldest first."""
    rows: Sequence[Mapping[str, Any]] = await connection.fetch(_DUE, list(programs), now, at_once)
    return rows


async def write_subscriptions(connection: Connection, rows: Sequence[WriteRow]) -> None:
    """As they are after the batch: of several rows about one the last stands."""
    last = {
        (row.program_id, row.member_id, row.row.subscription.key): {
            "member_id": str(row.member_id),
            "program_id": str(row.program_id),
            **_ONE.dump_python(row.row.subscription, mode="json"),
        }
        for row in rows
    }
    await connection.execute(_WRITE, list(last.values()))


async def write_payments(connection: Connection, rows: Sequence[WriteRow]) -> None:
    """New ones are inserted and never merged: an invoice that somebody else's batch, or another
    member's fact of this one, brought meanwhile fails this batch, which is then settled anew."""
    last: dict[Any, dict[str, Any]] = {}
    new: dict[Any, bool] = {}
    for row in rows:
        key = (row.program_id, row.member_id, row.row.key)
        new.setdefault(key, not row.row.known)
        last[key] = {
            "member_id": str(row.member_id),
            "program_id": str(row.program_id),
            "fact_id": str(row.fact_id),
            **_PAYMENT.dump_python(row.row, mode="json"),
        }
    for statement, wanted in ((_INSERT, True), (_UPDATE, False)):
        if chosen := [one for key, one in last.items() if new[key] is wanted]:
            await connection.execute(statement, chosen)


async def write_refunds(connection: Connection, rows: Sequence[WriteRow]) -> None:
    most: dict[Any, int] = {}
    for row in rows:
        key = (row.program_id, row.row.provider, row.row.invoice)
        most[key] = max(most.get(key, 0), row.row.refunded)
    await connection.execute(
        _REFUND,
        [program_id for program_id, _, _ in most],
        [provider for _, provider, _ in most],
        [invoice for _, _, invoice in most],
        list(most.values()),
    )


def subscription_of(row: Mapping[str, Any]) -> Subscription:
    known = {name: row[name] for name in _COLUMNS}
    known |= {"provider": Provider(row["provider"]), "status": Status(row["status"])}
    return Subscription(**known)


def payment_of(row: Mapping[str, Any]) -> PaymentRow:
    told_by = FactKey(row["scope"], row["key"]) if "scope" in row else None
    return PaymentRow(known=True, told_by=told_by, **{name: row[name] for name in _PAID})


LOADERS = (
    Loader(name=SUBSCRIPTIONS, load=load_subscriptions),
    Loader(name=INVOICE, load=load_invoices),
    Loader(name=PAYMENTS, load=load_payments),
)
WRITERS = (
    Writer(row=SubscriptionRow, write=write_subscriptions),
    Writer(row=PaymentRow, write=write_payments),
    Writer(row=RefundRow, write=write_refunds),
)
