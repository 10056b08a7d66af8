"""One member and one ladder, without a database: facts are settled one after the other, in memory.

The kernel's own settlement runs, on the batch of back-tests, which keeps counters in memory.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import count
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from loyalty.backtest.remembering import Remembering
from loyalty.backtest.unledgered import Unledgered
from loyalty.facts import Fact, MemberRef, PurchaseRecorded, PurchaseReversed
from loyalty.ids import new_id
from loyalty.plugin_set import PluginSet
from loyalty.purchase import Line, ReturnedLine, Tender, TenderKind
from loyalty.settlement.request import Request
from loyalty.settlement.sale import Sale
from loyalty.settlement.settle import settle
from loyalty.setup import Program, ProgramVersion, Setup
from loyalty.view import MemberView
from loyalty_tiers.config import TiersConfig
from loyalty_tiers.facts import ReviewDue
from loyalty_tiers.plugin import plugin
from loyalty_tiers.standing import Standing
from loyalty_tiers.standings import StandingRow

ADA = UUID(int=7)
EVER = datetime(2000, 1, 1, tzinfo=UTC)


class Slope:
    """Ada on a ladder that counts what she spends, in whole dollars."""

    def __init__(
        self,
        config: Mapping[str, Any],
        *,
        zone: str = "America/New_York",
        enrolled: datetime = EVER,
    ) -> None:
        self.config = TiersConfig.model_validate(config)
        version = ProgramVersion(id=new_id(), number=1, effective_from=EVER, config=self.config)
        program = Program(
            id=new_id(), slug="status", kind="tiers", name="Status", position=1, versions=(version,)
        )
        self.setup = Setup(
            tenant_id=UUID(int=1), slug="acme", name="Acme", zone=ZoneInfo(zone), epoch=1,
            currencies=("USD",), programs=(program,),
        )  # fmt: skip
        self._program = program.id
        self._numbers = count(1)
        self.told: list[dict[str, Any]] = []
        self.sales: dict[str, PurchaseRecorded] = {}
        self.batch = Remembering(
            setup=self.setup, plugins=PluginSet([plugin]), now=EVER,
            book=Unledgered(tenant_id=self.setup.tenant_id),
            members={ADA: MemberView(id=ADA, external_id="ada", enrolled_at=enrolled)},
        )  # fmt: skip

    def local(self, at: str) -> datetime:
        return datetime.fromisoformat(at).replace(tzinfo=self.setup.zone).astimezone(UTC)

    @property
    def standing(self) -> Standing | None:
        rows = self.batch.written.get((self._program, ADA), [])
        found = [row.standing for row in rows if isinstance(row, StandingRow)]
        return found[-1] if found else None

    def buys(self, dollars: int, at: datetime) -> str:
        """Answers the name by which it can be brought back."""
        name = f"o-{next(self._numbers)}"
        lines = (Line(id="1", amount=dollars * 100, quantity=dollars * 1000),)
        purchase = PurchaseRecorded(
            member=MemberRef(id=ADA), occurred_at=at, source="shop", external_id=name,
            currency="USD", total=dollars * 100, lines=lines,
            tenders=(Tender(kind=TenderKind.OTHER, amount=dollars * 100),),
        )  # fmt: skip
        self._settle(purchase)
        self.sales[name] = purchase
        return name

    def brings_back(self, name: str, dollars: int, at: datetime) -> None:
        returned = ReturnedLine(id="1", quantity=dollars * 1000)
        self._settle(
            PurchaseReversed(
                occurred_at=at, source="shop", return_id=f"r-{next(self._numbers)}",
                purchase_external_id=name, lines=(returned,),
            )
        )  # fmt: skip

    def comes(self, at: datetime) -> None:
        """What is due by then is looked at, each at its instant."""
        while (one := self.standing) is not None and one.due_at is not None and one.due_at <= at:
            self.looks(one.due_at)

    def looks(self, at: datetime) -> None:
        self._settle(ReviewDue(member=MemberRef(id=ADA), occurred_at=at, program="status"))

    def tier(self, at: datetime) -> str:
        """As others are told."""
        trait = self.batch.trait(ADA, "status.tier", at)
        return trait.value if trait is not None else (self.config.tiers[0].id)

    def _settle(self, fact: Fact) -> None:
        settle(self.batch, Request(fact=fact, actor="test", any_time=True), 0)
        row = self.batch.book.rows.facts[-1]
        body = row[-1] or {}
        self.told += [one["payload"] for one in body.get("emitted", ())]
        key = fact.natural_key
        if isinstance(fact, PurchaseRecorded) and key is not None:
            self.batch.sales[key] = Sale(
                fact_id=row[0], member_id=ADA, fact=fact, grants=[], emitted=()
            )
        self.batch.settled()
