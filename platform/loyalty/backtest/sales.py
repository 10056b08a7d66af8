"""The sales of a walk that something is still to come back of; the others are forgotten at once."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from loyalty.backtest.past import Past
from loyalty.facts import Fact, FactKey, PurchaseRecorded
from loyalty.settlement.sale import FollowOn, Sale

FOLLOW = "follow"


class Sales:
    """`by_key` is what the settlement looks a sale up in."""

    def __init__(self) -> None:
        self.by_key: dict[FactKey, Sale] = {}
        self._keys: dict[UUID, FactKey] = {}  # by the id that history has for the sale
        self._left: dict[UUID, int] = {}
        self._newest: dict[tuple[str, str], UUID] = {}  # by the purchase's source and external id
        self._roots: dict[UUID, UUID] = {}  # the fact of this walk -> the sale as history has it

    def keep(self, past: Past, sold: PurchaseRecorded, fact_id: UUID, member_id: UUID,
             body: Mapping[str, Any]) -> None:  # fmt: skip
        """Keep a purchase of which history takes something back later, as it was settled."""
        self.by_key[past.key] = Sale(
            fact_id=past.id, member_id=member_id, fact=sold, grants=body.get("grants", []),
            emitted=body.get("emitted", ()),
        )  # fmt: skip
        self._keys[past.id] = past.key
        self._left[past.id] = past.undone
        self._roots[fact_id] = past.id
        self._newest[sold.source, sold.external_id] = past.id

    def newest(self, source: str, external_id: str) -> PurchaseRecorded | None:
        """The newest revision of a purchase, where something is still to come back of it."""
        sale = self.get(self._newest.get((source, external_id)))
        return sale.fact if sale and isinstance(sale.fact, PurchaseRecorded) else None

    def get(self, sale_id: UUID | None) -> Sale | None:
        key = None if sale_id is None else self._keys.get(sale_id)
        return None if key is None else self.by_key[key]

    def named(self, sale_id: str) -> Sale | None:
        """The sale, or the follow-on fact, that a decision says was undone."""
        return self.get(UUID(sale_id)) or self.by_key.get(FactKey(FOLLOW, sale_id))

    def came_back(self, sale_id: str) -> None:
        """One of the returns that a sale had in store is through; after the last it may go.

        Not while something that followed from it waits to be undone as well.
        """
        ident = UUID(sale_id)
        if (sale := self.get(ident)) is None:
            return
        self._left[ident] -= 1
        if self._left[ident] <= 0 and not sale.follow_ons:
            del self.by_key[self._keys.pop(ident)], self._left[ident]
            if isinstance(sold := sale.fact, PurchaseRecorded):
                self._newest.pop((sold.source, sold.external_id), None)

    # --- what followed from them, and is undone with them ------------------------------------

    def follows(self, root_id: UUID, follow_on: FollowOn) -> None:
        """A fact that is settled later follows from `root_id`, a fact of this walk."""
        if (sale := self.get(self._roots.get(root_id))) is not None:
            sale.follow_ons += (follow_on,)

    def followed(
        self, root_id: UUID, due_id: UUID, state: str,
        settled: tuple[Fact, UUID, list[dict[str, Any]]] | None = None,
    ) -> None:  # fmt: skip
        """What became of such a fact. One that was `settled` may be undone, as a sale may."""
        if (sale := self.get(self._roots.get(root_id))) is None:
            return
        sale.follow_ons = tuple(
            replace(one, state=state) if one.id == due_id else one for one in sale.follow_ons
        )
        if settled is not None:
            fact, member_id, grants = settled
            self.by_key[FactKey(FOLLOW, str(due_id))] = Sale(
                fact_id=due_id, member_id=member_id, fact=fact, grants=grants
            )
