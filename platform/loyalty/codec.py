"""Facts as JSON and back: what a fact row keeps, in one canonical form.

All defaults are filled in, amounts are minor units, instants are UTC, so equal inputs give equal
JSON. The member is kept beside the payload (resolved), not in it.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter

from loyalty import commands, facts
from loyalty.days import iso
from loyalty.facts import Fact, MemberRef
from loyalty.purchase import Line, LineKind, Tender, TenderKind

KERNEL_FACTS: tuple[type[Fact], ...] = (
    facts.MemberEnrolled,
    facts.PurchaseRecorded,
    facts.PurchaseReversed,
    facts.ActivityRecorded,
    facts.MemberClosed,
    facts.MemberErased,
    facts.MemberFrozen,
    facts.MemberUnfrozen,
    facts.LotsDue,
    facts.HoldLapsed,
    facts.FactReversed,
    facts.TraitChanged,
    commands.Redeem,
    commands.CaptureRedemption,
    commands.ReleaseRedemption,
    commands.ReverseRedemption,
    commands.AdjustBalance,
)


_LINE_KINDS = {kind.value: kind for kind in LineKind}
_TENDER_KINDS = {kind.value: kind for kind in TenderKind}
_ATTRIBUTES = TypeAdapter(dict[str, Any])
_ADAPTERS: dict[type[Fact], TypeAdapter[Any]] = {}


class Codec:
    """Knows the kernel's facts and those that the installed plugins publish."""

    def __init__(self, published: Iterable[type[Fact]] = ()) -> None:
        self._types: dict[str, type[Fact]] = {}
        for fact in (*KERNEL_FACTS, *published):
            if self._types.setdefault(fact.KIND, fact) is not fact:
                raise ValueError(f"two facts are called {fact.KIND}")

    def dump(self, fact: Fact) -> dict[str, Any]:
        """The payload of a fact as plain JSON values."""
        if type(fact) is facts.PurchaseRecorded:
            return purchase_payload(fact)
        if self._types[fact.KIND] is not type(fact):
            raise KeyError(type(fact))
        payload: dict[str, Any] = _adapter(type(fact)).dump_python(
            fact, mode="json", exclude={"member"}
        )
        return payload

    @property
    def types(self) -> Mapping[str, type[Fact]]:
        """The facts it knows, by their kind."""
        return self._types

    def load(self, kind: str, payload: Mapping[str, Any], member: MemberRef | None) -> Fact:
        """The fact that `dump` wrote."""
        fact: Fact = _adapter(self._types[kind]).validate_python({**payload, "member": member})
        return fact


def _adapter(fact: type[Fact]) -> TypeAdapter[Any]:
    """Made for the first of its kind: a process that starts has no use for all hundred."""
    found = _ADAPTERS.get(fact)
    if found is None:
        found = _ADAPTERS[fact] = TypeAdapter(fact)
    return found


def purchase_payload(fact: facts.PurchaseRecorded) -> dict[str, Any]:
    """The most frequent fact by hand: what the adapter would write, in a third of its time.

    Its keys come in the order in which jsonb keeps them, by length and then by letter: sorting them
    would be a fifth of what Postgres does to take a payload in.
    """
    return {
        "lines": [
            {
                "id": line.id,
                "sku": line.sku,
                "tax": line.tax,
                "kind": line.kind._value_,  # as `value`, which is a function to call
                "brand": line.brand,
                "amount": line.amount,
                "category": line.category,
                "discount": line.discount,
                "quantity": line.quantity,
                "attributes": _plain(line.attributes) if line.attributes else {},
            }
            for line in fact.lines
        ],
        "total": fact.total,
        "source": fact.source,
        "tenders": [
            {
                "kind": tender.kind._value_,
                "name": tender.name,
                "amount": tender.amount,
                "redemption_id": tender.redemption_id,
            }
            for tender in fact.tenders
        ],
        "currency": fact.currency,
        "revision": fact.revision,
        "attributes": _plain(fact.attributes) if fact.attributes else {},
        "external_id": fact.external_id,
        "occurred_at": iso(fact.occurred_at),
        "tax_included": fact.tax_included,
    }


def purchase_of(payload: Mapping[str, Any], member: MemberRef | None) -> facts.PurchaseRecorded:
    """What `purchase_payload` wrote, read back by hand too: a history consists mostly of it."""
    return facts.PurchaseRecorded(
        member=member,
        occurred_at=datetime.fromisoformat(payload["occurred_at"]),
        source=payload["source"],
        external_id=payload["external_id"],
        revision=payload["revision"],
        currency=payload["currency"],
        total=payload["total"],
        tax_included=payload["tax_included"],
        lines=tuple([_line(line) for line in payload["lines"]]),
        tenders=tuple([_tender(tender) for tender in payload["tenders"]]),
        attributes=payload["attributes"],
    )


def _line(plain: Mapping[str, Any]) -> Line:
    return Line(**{**plain, "kind": _LINE_KINDS[plain["kind"]]})


def _tender(plain: Mapping[str, Any]) -> Tender:
    return Tender(**{**plain, "kind": _TENDER_KINDS[plain["kind"]]})


def _plain(attributes: Mapping[str, Any]) -> Any:
    return _ATTRIBUTES.dump_python(dict(attributes), mode="json")


def differences(old: Any, new: Any, path: str = "") -> Iterator[str]:
    """Dotted paths at which two payloads differ. What is absent and what is null are one."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted({*old, *new}):
            yield from differences(old.get(key), new.get(key), f"{path}.{key}" if path else key)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, (a, b) in enumerate(zip(old, new, strict=True)):
            yield from differences(a, b, f"{path}.{index}")
    elif old != new or isinstance(old, bool) is not isinstance(new, bool):  # 1 is not true
        yield path
