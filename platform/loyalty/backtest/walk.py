"""The walk: a history settled once more, fact by fact, under one setup. Pure, nothing is written.

It is the settlement of the recorder on a batch that is as long as the history. Each fact keeps its
key, so luck is drawn as it was. What follows from a fact is settled when its time comes, before the
next fact that was recorded later.
"""

import heapq
import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from loyalty.backtest.past import Past
from loyalty.backtest.remembering import Remembering
from loyalty.backtest.sales import Sales
from loyalty.backtest.told import Taken, Told
from loyalty.backtest.unledgered import Unledgered
from loyalty.codec import Codec
from loyalty.errors import Code, Refused
from loyalty.facts import MemberEnrolled, MemberRef, PurchaseRecorded, PurchaseReversed
from loyalty.owners import Holder
from loyalty.plugin_set import PluginSet
from loyalty.settlement.batch import Redemption
from loyalty.settlement.request import Follows, Request
from loyalty.settlement.sale import FollowOn, Sale
from loyalty.settlement.settle import settle
from loyalty.setup import Setup
from loyalty.view import MemberView, TraitValue

EARLIER = "EARLIER_SALE"
"""Why a return or correction is left out: what it is about happened before the walk begins."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Again(Request):
    """A recorded fact as a request. It was checked when it was recorded, and its payload is kept."""

    def payload(self, codec: Codec) -> dict[str, Any]:
        return {}

    @cached_property
    def natural_key(self) -> Any:
        return self.key


@dataclass(frozen=True, slots=True, order=True)
class Due:
    """A follow-on fact that waits for its time."""

    at: datetime
    number: int
    row: tuple[Any, ...]


class Walk:
    """`members` and `traits` are what is known when the walk begins; neither is changed."""

    def __init__(
        self, setup: Setup, plugins: PluginSet, *,
        members: Mapping[UUID, MemberView],
        traits: Mapping[UUID, Sequence[tuple[str, TraitValue]]],
    ) -> None:  # fmt: skip
        self._batch = Remembering(
            setup=setup,
            plugins=PluginSet(plugins.plugins),  # its order of turns is kept for one setup
            now=datetime.min.replace(tzinfo=UTC),
            book=Unledgered(tenant_id=setup.tenant_id),
            members=dict(members),
            traits={member: list(rows) for member, rows in traits.items()},
        )
        self._sales = Sales()
        self._batch.sales = self._sales.by_key
        self._due: list[Due] = []
        self._called_off: set[UUID] = set()
        self._number = 0
        self.left_out: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()

    def step(self, past: Past) -> Iterator[Told]:
        """Let one fact happen, after what fell due before it."""
        yield from self.until(past.recorded_at)
        self._batch.now = past.recorded_at
        if (request := self._request(past)) is not None:
            yield from self._settled(request, past)

    def until(self, at: datetime) -> Iterator[Told]:
        """Let happen what follows from earlier facts and falls due by an instant."""
        while self._due and self._due[0].at <= at:
            due = heapq.heappop(self._due)
            if due.row[0] not in self._called_off:
                self._batch.now = due.at
                yield from self._follow_on(due)

    # --- requests -----------------------------------------------------------------------------

    def _request(self, past: Past) -> Request | None:
        fact = past.fact
        if isinstance(fact, PurchaseReversed):
            if (sale := self._sales.get(past.sale_id)) is None:
                self.left_out[EARLIER] += 1
                return None
            assert isinstance(sale.fact, PurchaseRecorded)
            fact = replace(fact, purchase_revision=sale.fact.revision)
        if isinstance(fact, PurchaseRecorded):
            for tender in fact.tenders:
                if tender.redemption_id is not None and past.member_id is not None:
                    paid = _paid(UUID(tender.redemption_id), past)
                    self._batch.redemptions[paid.id] = paid
        return Again(
            fact=fact, actor="back-test", key=past.key, any_time=True, while_suspended=True
        )

    def _settled(self, request: Request, past: Past) -> Iterator[Told]:
        batch = self._batch
        try:
            recorded, _ = settle(batch, request, 0)
            facts, due = list(batch.book.rows.facts), list(batch.book.rows.due)
            called_off = [row[0] for row in batch.book.rows.settled if row[1] == "CANCELLED"]
        except Refused as refused:
            earlier = isinstance(past.fact, PurchaseRecorded) and refused.code is Code.NOT_FOUND
            self.left_out[EARLIER if earlier else refused.code] += 1
            return
        except Exception as error:
            self._failed(past.fact.KIND, error)
            return
        finally:
            batch.settled()
        if isinstance(past.fact, MemberEnrolled) and past.member_id and recorded.member_id:
            batch.known_as(recorded.member_id, past.member_id)
        if past.undone and past.member_id is not None:
            body = facts[-1][12] or {}
            self._sales.keep(past, recorded.fact_id, past.member_id, body.get("grants", []))
        yield from self._told(facts, past.member_id, past.fact)
        self._follow(due, called_off, past, recorded.member_id)
        if isinstance(past.fact, PurchaseReversed) and past.sale_id is not None:
            self._sales.came_back(past.sale_id)

    # --- what follows -------------------------------------------------------------------------

    def _follow(
        self, rows: Sequence[tuple[Any, ...]], called_off: Sequence[UUID], past: Past | None,
        new_member: UUID | None,
    ) -> None:  # fmt: skip
        for row in rows:
            due_id, _, root_id, hop, _, _, member_id, _, due_at = row
            if past is not None and member_id == new_member:
                member_id = past.member_id
                row = (*row[:6], member_id, *row[7:])
            self._number += 1
            heapq.heappush(self._due, Due(due_at, self._number, row))
            self._sales.follows(
                root_id,
                FollowOn(id=due_id, member_id=member_id, state="WAITING", due_at=due_at, hop=hop),
            )
        self._called_off.update(called_off)

    def _follow_on(self, due: Due) -> Iterator[Told]:
        batch = self._batch
        due_id, cause_id, root_id, hop, _, kind, member_id, payload, _ = due.row
        member = None if member_id is None else MemberRef(id=member_id)
        try:
            fact = batch.plugins.codec.load(kind, payload, member)
            follows = Follows(due_id=due_id, cause_id=cause_id, root_id=root_id, hop=hop)
            settle(
                batch,
                Request(fact=fact, actor="back-test", follows=follows, any_time=True,
                        while_suspended=True),
                0,
            )  # fmt: skip
            facts, rows = list(batch.book.rows.facts), list(batch.book.rows.due)
        except Refused as refused:
            self.left_out[refused.code] += 1
            self._sales.followed(root_id, due_id, "REFUSED")
            return
        except Exception as error:
            self._failed(kind, error)
            return
        finally:
            batch.settled()
        grants = (facts[-1][12] or {}).get("grants", [])
        self._sales.followed(root_id, due_id, "DONE", fact, member_id, grants)
        yield from self._told(facts, member_id, None)
        self._follow(rows, (), None, None)

    # --- what came of it ----------------------------------------------------------------------

    def _told(
        self, facts: Sequence[tuple[Any, ...]], member_id: UUID | None, root: Any
    ) -> Iterator[Told]:
        for row in facts:
            body = row[12]
            if not body:
                continue
            grants = body.get("grants", ())
            taken, sale = self._taken(body)
            if grants or taken:
                fact = root if sale is None else sale.fact
                yield Told(
                    at=row[5], member_id=member_id, grants=grants, taken=taken,
                    categories=_categories(fact),
                )  # fmt: skip

    def _taken(self, body: Mapping[str, Any]) -> tuple[Sequence[Taken], Sale | None]:
        if "taken" not in body:
            return (), None
        sale_id = UUID(body["sale"])
        sale = self._sales.get(sale_id) or self._sales.follow_on(sale_id)
        if sale is None:
            return (), None
        return [Taken(sale.grants[i], line, amount) for i, line, amount in body["taken"]], sale

    def _failed(self, kind: str, error: Exception) -> None:
        """A rule raised: its fact is left out, as the recorder would refuse it."""
        self.left_out[Code.INTERNAL] += 1
        told = f"{kind}: {type(error).__name__}: {error}"
        if told not in self.failures:
            log.warning("a rule failed in a back-test on %s", told, exc_info=error)
        self.failures[told] += 1


def _paid(redemption_id: UUID, past: Past) -> Redemption:
    """The redemption that paid a part of a purchase: commands are not replayed, this one stood."""
    owner: Holder = past.member_id or redemption_id
    return Redemption(
        id=redemption_id, member_id=past.member_id or redemption_id, owner=owner,
        program_id=redemption_id, unit="", state="CAPTURED", amount=0, captured=0, target="",
        order=None, hold_fact_id=past.id, capture_fact_id=None, held_until=None, reversible=False,
        grace=None, created_at=past.recorded_at,
    )  # fmt: skip


def _categories(fact: Any) -> Mapping[str, str | None]:
    if not isinstance(fact, PurchaseRecorded):
        return {}
    return {line.id: line.category for line in fact.lines}
