"""The sales of a walk that something is still to come back of; the others are forgotten at once."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from loyalty.backtest.past import Past
from loyalty.facts import Fact, FactKey
from loyalty.settlement.sale import FollowOn, Sale


class Sales:
    """`by_key` is what the settlement looks a sale up in."""

    def __init__(self) -> None:
        self.by_key: dict[FactKey, Sale] = {}
        self._by_id: dict[UUID, tuple[Sale, FactKey]] = {}
        self._left: dict[UUID, int] = {}
        self._roots: dict[UUID, UUID] = {}  # a fact of this walk -> the sale as history names it

    def keep(self, past: Past, fact_id: UUID, member_id: UUID, grants: list[dict[str, Any]]) -> None:
        """Keep a purchase that history takes back something of later."""
        sale = Sale(fact_id=past.id, member_id=member_id, fact=past.fact, grants=grants)
        self.by_key[past.key] = sale
        self._by_id[past.id] = (sale, past.key)
        self._left[past.id] = past.undone
        self._roots[fact_id] = past.id

    def get(self, recorded_id: UUID | None) -> Sale | None:
        found = None if recorded_id is None else self._by_id.get(recorded_id)
        return found[0] if found else None

    def came_back(self, recorded_id: UUID) -> None:
        """One of the returns that a sale had in store was settled; after the last it may go."""
        if recorded_id not in self._left:
            return
        self._left[recorded_id] -= 1
        if self._left[recorded_id] == 0 and not self._by_id[recorded_id][0].follow_ons:
            _, key = self._by_id.pop(recorded_id)
            del self.by_key[key], self._left[recorded_id]

    def follow_on(self, due_id: UUID) -> Sale | None:
        """A follow-on fact that was settled and may be undone."""
        return self.by_key.get(FactKey("follow", str(due_id)))

    # --- what followed from them, and is undone with them ------------------------------------

    def follows(self, root_id: UUID, follow_on: FollowOn) -> None:
        """A durable fact follows from a fact of this walk (remembered for kept sales only)."""
        if (sale := self.get(self._roots.get(root_id))) is not None:
            sale.follow_ons += (follow_on,)

    def followed(
        self, root_id: UUID, due_id: UUID, state: str,
        fact: Fact | None = None, member_id: UUID | None = None,
        grants: list[dict[str, Any]] | None = None,
    ) -> None:  # fmt: skip
        """What became of such a fact. One that was settled may itself be undone."""
        sale = self.get(self._roots.get(root_id))
        if sale is None:
            return
        sale.follow_ons = tuple(
            replace(one, state=state) if one.id == due_id else one for one in sale.follow_ons
        )
        if fact is not None and member_id is not None:
            self.by_key[FactKey("follow", str(due_id))] = Sale(
                fact_id=due_id, member_id=member_id, fact=fact, grants=grants or []
            )
