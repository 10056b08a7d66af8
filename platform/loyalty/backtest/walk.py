"""The walk: a history settled once more, fact by fact, under one setup. Pure, nothing is written.

It is the settlement of the recorder, on a batch that is as long as the history. Each fact keeps its
key, so luck is drawn as it was. What follows from a fact is settled when its time comes, before the
next fact that was recorded later.
"""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from loyalty.backtest.granted import Granted
from loyalty.backtest.knowing import Foreseeing, Knowing
from loyalty.backtest.past import Past
from loyalty.backtest.remembering import Remembering
from loyalty.backtest.sales import Sales
from loyalty.backtest.sums import Sums
from loyalty.backtest.told import BODY, Row, Told, told
from loyalty.backtest.turns import Turns
from loyalty.backtest.unledgered import Unledgered
from loyalty.backtest.waiting import FollowsLater, Waiting
from loyalty.codec import Codec
from loyalty.counters import ALWAYS
from loyalty.errors import Code, Refused
from loyalty.facts import Fact, MemberEnrolled, MemberRef, PurchaseRecorded, PurchaseReversed
from loyalty.plugin_set import PluginSet
from loyalty.settlement.batch import Redemption
from loyalty.settlement.need_period import NeedPeriod, Period
from loyalty.settlement.request import Follows, Recorded, Request
from loyalty.settlement.sale import FollowOn, Sale
from loyalty.settlement.settle import settle
from loyalty.setup import Setup
from loyalty.view import MemberView, TraitValue

ACTOR = "back-test"
EARLIER = "EARLIER_SALE"
"""Why a return or correction is left out: what it is about happened before the walk began."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Again(Request):
    """A fact that was checked when it was recorded, and whose payload is kept there."""

    def payload(self, codec: Codec) -> dict[str, Any]:
        return {}


class Walk:
    """`members` and `traits` are what is known when it begins; neither is changed.

    `draft` is the slug of the program whose draft it is, if one: its jobs have their turns here.
    `left_out` counts the facts that could not be settled, by why; `failures` what rules raised.
    """

    def __init__(
        self, setup: Setup, plugins: PluginSet, *,
        members: Mapping[UUID, MemberView],
        traits: Mapping[UUID, Sequence[tuple[str, TraitValue]]],
        draft: str | None = None,
    ) -> None:  # fmt: skip
        self._sales = Sales()
        self._waiting = Waiting()
        self._so_far: list[Told] = []  # of a step that is tried again
        self._periods: dict[Period, Sequence[Sale]] = {}
        self._turns = Turns(setup, plugins, draft)
        own, sums = Foreseeing(plugins.plugins), Sums()
        self._knowing = Knowing(setup, own, sums)
        self._granted = Granted(setup, plugins, draft)
        self._batch = Remembering(
            setup=self._knowing.setup,
            plugins=own,
            sums=sums,
            now=ALWAYS[0],
            book=Unledgered(tenant_id=setup.tenant_id),
            members=dict(members),
            traits={member: list(rows) for member, rows in traits.items()},
            sales=self._sales.by_key,
            periods=self._periods,
        )
        self.left_out: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()

    def step(self, past: Past) -> list[Told]:
        """Let one fact happen, after what fell due before it was recorded.

        :raises NeedPeriod: what was bought in a period decides: tell it by `hears`, and step again
        """
        self._so_far += self.turned(past.fact.occurred_at) + self.until(past.recorded_at)
        if not self._turns.names(past.fact):
            self._comes(past.recorded_at)
            if (request := self._request(past)) is not None:
                self._so_far += self._settle(request, past)
        came, self._so_far = self._so_far, []
        self._periods.clear()
        return came

    def hears(self, period: Period, bought: Sequence[Sale]) -> None:
        """What was bought in a period, as recorded: a walk keeps only what comes back itself, and
        what a draft granted."""
        self._periods[period] = self._granted.as_granted(bought)

    def _request(self, past: Past) -> Request | None:
        """The fact as the recorder had it settled; None where what it is about is not there."""
        fact, replaces = past.fact, None
        if isinstance(fact, PurchaseReversed):
            if (sale := self._sales.get(past.sale_id)) is None:
                self.left_out[EARLIER] += 1
                return None
            assert isinstance(sale.fact, PurchaseRecorded)
            fact = replace(fact, purchase_revision=sale.fact.revision)
        elif isinstance(fact, PurchaseRecorded):
            self._pay(fact, past)
            before = self._sales.newest(fact.source, fact.external_id)
            if fact.revision > 1 and before is not None:  # a correction, of that instant
                replaces = before.revision
                if fact.occurred_at != before.occurred_at:
                    fact = replace(fact, occurred_at=before.occurred_at)
        return Again(
            fact=fact, actor=ACTOR, key=past.key, any_time=True, while_suspended=True,
            replaces=replaces,
        )  # fmt: skip

    def turned(self, at: datetime) -> list[Told]:
        """Let the draft's jobs have the turns that come by an instant."""
        came: list[Told] = []
        for fact in self._turns.due(at, self._batch.sums.totals):
            self._comes(fact.occurred_at)
            request = Request(fact=fact, actor=ACTOR, any_time=True, while_suspended=True)
            if (settled := self._settled(request, fact)) is not None:
                _, facts, later = settled
                member_id = fact.member.id if fact.member else None
                came += self._came(facts, later, fact, member_id)
        return came

    def until(self, at: datetime) -> list[Told]:
        """Let happen what follows from earlier facts and falls due by an instant."""
        came: list[Told] = []
        for later in self._waiting.due(at):
            self._comes(later.due_at)
            came += self._follow_on(later)
        return came

    def _comes(self, now: datetime) -> None:
        """Time passes until then: nothing is known that was published later."""
        self._batch.now, self._batch.setup = now, self._knowing.come(now)

    def _settle(self, request: Request, past: Past) -> list[Told]:
        settled = self._settled(request, past.fact)
        if settled is None:
            return []
        recorded, facts, later = settled
        if isinstance(past.fact, MemberEnrolled) and past.member_id and recorded.member_id:
            self._batch.known_as(recorded.member_id, past.member_id)
            later = [
                one._replace(member_id=past.member_id) if one.member_id == recorded.member_id
                else one
                for one in later
            ]  # fmt: skip
        body = facts[-1][BODY] or {}
        if past.undone and past.member_id is not None:
            assert isinstance(request.fact, PurchaseRecorded)
            self._sales.keep(past, request.fact, recorded.fact_id, past.member_id, body)
        if isinstance(request.fact, PurchaseRecorded):
            self._granted.keep(past.id, self._sales.get(past.id), body)
        return self._came(facts, later, request.fact, past.member_id)

    def _follow_on(self, later: FollowsLater) -> list[Told]:
        member = None if later.member_id is None else MemberRef(id=later.member_id)
        fact = self._batch.plugins.codec.load(later.kind, later.payload, member)
        follows = Follows(
            due_id=later.id, cause_id=later.cause_id, root_id=later.root_id, hop=later.hop
        )
        request = Request(
            fact=fact, actor=ACTOR, follows=follows, any_time=True, while_suspended=True
        )
        if (settled := self._settled(request, fact)) is None:
            self._sales.followed(later.root_id, later.id, "REFUSED")
            return []
        _, facts, more = settled
        as_sale = None if later.member_id is None else (fact, later.member_id, _grants(facts))
        self._sales.followed(later.root_id, later.id, "DONE", as_sale)
        return self._came(facts, more, fact, later.member_id)

    def _settled(
        self, request: Request, fact: Fact
    ) -> tuple[Recorded, list[Row], list[FollowsLater]] | None:
        """The one place where something is settled: what it wrote, or None where it was refused."""
        batch = self._batch
        try:
            recorded, _ = settle(batch, request, 0)
            rows = batch.book.rows
            for due_id, state, _ in rows.settled:
                if state == "CANCELLED":
                    self._waiting.call_off(due_id)
            return recorded, list(rows.facts), [FollowsLater(*row) for row in rows.due]
        except NeedPeriod:
            raise
        except Refused as refused:
            earlier = isinstance(fact, PurchaseRecorded) and refused.code is Code.NOT_FOUND
            self.left_out[EARLIER if earlier else refused.code.value] += 1
        except Exception as error:
            self._failed(fact, error)
        finally:
            batch.settled()
        return None

    def _came(
        self, facts: Sequence[Row], later: Sequence[FollowsLater], fact: Fact,
        member_id: UUID | None,
    ) -> list[Told]:  # fmt: skip
        came = list(told(facts, fact, member_id, self._sales))
        for one in later:
            self._waiting.add(one)
            self._sales.follows(
                one.root_id,
                FollowOn(id=one.id, kind=one.kind, member_id=one.member_id, state="WAITING",
                         due_at=one.due_at, hop=one.hop),
            )  # fmt: skip
        for row in facts:
            if row[BODY] and "sale" in row[BODY]:
                self._sales.came_back(row[BODY]["sale"])
        return came

    def _pay(self, fact: PurchaseRecorded, past: Past) -> None:
        """Commands are not replayed; the redemptions that paid for purchases stood."""
        for tender in fact.tenders:
            if tender.redemption_id is not None and past.member_id is not None:
                paid = _paid(UUID(tender.redemption_id), past.member_id, past)
                self._batch.redemptions[paid.id] = paid

    def _failed(self, fact: Fact, error: Exception) -> None:
        """A rule raised: the fact is left out, as the recorder would refuse it."""
        self.left_out[Code.INTERNAL.value] += 1
        what = f"{fact.KIND}: {type(error).__name__}: {error}"[:300]
        if what not in self.failures:
            log.warning("a rule failed in a back-test on %s", what, exc_info=error)
        self.failures[what] += 1


def _grants(facts: Sequence[Row]) -> list[dict[str, Any]]:
    """The grants of the fact itself, which is written after what it undid."""
    grants: list[dict[str, Any]] = (facts[-1][BODY] or {}).get("grants", [])
    return grants


def _paid(redemption_id: UUID, member_id: UUID, past: Past) -> Redemption:
    return Redemption(
        id=redemption_id, member_id=member_id, owner=member_id, program_id=redemption_id, unit="",
        state="CAPTURED", amount=0, captured=0, target="", order=None, hold_fact_id=past.id,
        capture_fact_id=None, held_until=None, reversible=False, grace=None,
        created_at=past.recorded_at,
    )  # fmt: skip
