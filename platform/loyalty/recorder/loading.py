"""From what `open_batch` answers to the batch that settles."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from loyalty.facts import FactKey, MemberRef, corrected_to
from loyalty.ids import NIL
from loyalty.ledger.account import MAIN, Account
from loyalty.ledger.book import Book
from loyalty.ledger.lots import Lot, burn_order
from loyalty.owners import Holder, holder_of
from loyalty.plugin_set import PluginSet
from loyalty.recorder.attempts import StaleNames
from loyalty.recorder.wants import Wants
from loyalty.settlement.batch import Batch, Known, Parked, Redemption
from loyalty.settlement.request import ClientKey
from loyalty.settlement.sale import FollowOn, Sale
from loyalty.setup import Setup
from loyalty.view import MemberView, TraitValue

OPEN_BATCH = (
    "select * from loyalty.open_batch($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"
)

READ_BATCH = OPEN_BATCH.replace("open_batch", "read_batch")  # the same, with no lock taken


def load(row: Mapping[str, Any], wants: Wants, setup: Setup, plugins: PluginSet, now: datetime,
         derived: set[UUID]) -> Batch:  # fmt: skip
    """The batch's state out of the one row that `open_batch` answers."""
    book = Book(tenant_id=setup.tenant_id, derived=derived)
    batch = Batch(setup=setup, plugins=plugins, now=now, book=book)
    _members(batch, row, wants)
    _accounts(book, row)
    _lots(book, row)
    for known in row["known"] or ():
        batch.known[FactKey(known["scope"], known["key"])] = _known(known)
    for known in row["commands"] or ():
        batch.commands[ClientKey(known["scope"], known["key"])] = _known(known)
    _sales(batch, row)
    _redemptions(batch, row)
    for trait in row["traits"] or ():
        value = TraitValue(value=trait["value"], since=trait["since"], until=trait["until"])
        batch.traits.setdefault(trait["member_id"], []).append((trait["name"], value))
    _counters(batch, row, wants)
    batch.parked = {parked["id"]: Parked(**dict(parked)) for parked in row["parked"] or ()}
    return batch


def _members(batch: Batch, row: Mapping[str, Any], wants: Wants) -> None:
    ids, by_external = row["refs"], dict[str, tuple[MemberRef, UUID | None]]()
    for ref, ordinal in wants.members.items():
        batch.refs[ref] = ident = ids[ordinal - 1]
        if ref.external_id is not None:
            by_external[ref.external_id] = ref, ident
    for ident, external_id, status, enrolled_at, attributes in row["members"] or ():
        batch.members[ident] = MemberView(ident, external_id, status, enrolled_at, attributes)
        # Resolved before the lock: the external id may have changed hands since.
        if (named := by_external.get(external_id)) is not None and named[1] != ident:
            batch.refs[named[0]] = ident


def _accounts(book: Book, row: Mapping[str, Any]) -> None:
    for found in row["accounts"] or ():
        ident, owner_kind, owner_id, unit, kind, balance, deficit, version, terms = found
        owner = holder_of(owner_kind, owner_id)
        book.accounts[owner, unit, kind] = Account(
            ident, owner, unit, kind, balance, deficit, version, terms
        )


def _lots(book: Book, row: Mapping[str, Any]) -> None:
    for found in row["lots"] or ():
        lot = Lot(*found)  # in the order of loyalty.lot_row
        book.lots.setdefault(lot.account_id, []).append(lot)
    lots = book.lots
    for (owner, unit, kind), account in book.accounts.items():
        # Lots hold exactly the balance: if these do, there are no others.
        there = sum([lot.remaining for lot in lots[account.id]]) if account.id in lots else 0
        if kind == MAIN and account.balance == there:
            book.complete.add((owner, unit))


def _known(row: Mapping[str, Any]) -> Known:
    return Known(
        fact_id=row["id"],
        kind=row["kind"],
        member_id=row["member_id"],
        input=row["payload"],
        answer=row["answer"],
    )


def _sales(batch: Batch, row: Mapping[str, Any]) -> None:
    by_id: dict[UUID, Sale] = {}
    for found in row["sales"] or ():
        member_id = found["member_id"]
        sale = Sale(
            fact_id=found["id"],
            member_id=member_id,
            fact=batch.plugins.codec.load(
                found["kind"], found["payload"], MemberRef(id=member_id) if member_id else None
            ),
            grants=(found["body"] or {}).get("grants", []),
            emitted=(found["body"] or {}).get("emitted", ()),
        )
        by_id[sale.fact_id] = batch.sales[FactKey(found["scope"], found["key"])] = sale
    for returned in row["returns"] or ():
        if (newer := corrected_to(FactKey(returned["scope"], returned["key"]))) is not None:
            by_id[returned["cause_id"]].replaced_by = newer
        if returned["body"] and "returned" in returned["body"]:
            by_id[returned["cause_id"]].with_return(returned["body"])
    for follow in row["follow_ons"] or ():
        sale = by_id[follow["root_id"]]
        sale.follow_ons += (
            FollowOn(
                id=follow["id"], kind=follow["kind"], member_id=follow["member_id"],
                state=follow["state"], due_at=follow["due_at"], hop=follow["hop"],
            ),
        )  # fmt: skip


def _redemptions(batch: Batch, row: Mapping[str, Any]) -> None:
    uses: Sequence[Mapping[str, Any]] = row["uses"] or ()
    lots = {lot.id: lot for found in batch.book.lots.values() for lot in found}
    owners = {account.id: account.owner for account in batch.book.accounts.values()}
    for found in row["redemptions"] or ():
        if found["member_id"] not in batch.members:
            continue  # somebody else's, whom no fact of this batch is about
        fields = dict(found)
        fields["order"] = fields.pop("order_ref")
        owner = _taken_from(uses, found["hold_fact_id"], owners)
        redemption = Redemption(owner=owner, **fields)
        parts: dict[UUID, int] = {}
        for use in uses:
            taken = use["fact_id"] == redemption.hold_fact_id and use["kind"] in ("HOLD", "BURN")
            given = use["fact_id"] == redemption.capture_fact_id and use["kind"] == "RESTORE"
            if taken or given:
                parts[use["lot_id"]] = parts.get(use["lot_id"], 0) + use["amount"]
        in_order = sorted(
            (item for item in parts.items() if item[1]), key=lambda item: burn_order(lots[item[0]])
        )
        redemption.parts = tuple(in_order)
        batch.redemptions[redemption.id] = redemption


def _taken_from(
    uses: Sequence[Mapping[str, Any]], fact_id: UUID, owners: Mapping[UUID, Holder]
) -> Holder:
    """Whose lots a redemption took: its own fact says, wherever the member's unit is kept by now.

    :raises StaleNames: it came while the batch was locking, and that account is not locked
    """
    for use in uses:
        if use["fact_id"] == fact_id and use["kind"] in ("HOLD", "BURN"):
            if (owner := owners.get(use["account_id"])) is None:
                raise StaleNames
            return owner
    raise LookupError(f"the redemption of fact {fact_id} took from no lot")


def _counters(batch: Batch, row: Mapping[str, Any], wants: Wants) -> None:
    values = {found["ord"]: found["value"] for found in row["counters"] or ()}
    for ordinal, (ref, summed) in enumerate(wants.summed(), start=1):
        subject = NIL if ref is None else row["refs"][ref - 1]
        if subject is not None:
            batch.counters.setdefault(summed, {})[subject] = values.get(ordinal, 0)
