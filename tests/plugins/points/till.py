"""A till and one program, without a database: facts are settled one after the other, in memory.

The kernel's own settlement runs, so stages, counters and returns are what they are in production.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from loyalty.explained import Explained
from loyalty.explaining import judgements
from loyalty.facts import (
    ActivityRecorded,
    Fact,
    FactKey,
    MemberRef,
    PurchaseRecorded,
    PurchaseReversed,
)
from loyalty.ledger.book import Book
from loyalty.plugin import Counter, Plugin
from loyalty.plugin_set import PluginSet
from loyalty.purchase import Line, ReturnedLine, Tender, TenderKind, total_of
from loyalty.settlement.batch import Batch
from loyalty.settlement.request import Request
from loyalty.settlement.sale import Sale
from loyalty.settlement.settle import settle
from loyalty.setup import Program, ProgramVersion, Setup
from loyalty.units import Unit, UnitKind, format_minor, parse_minor
from loyalty.view import MemberView, TraitValue
from loyalty_points.facts import CarriedOver
from loyalty_points.plugin import plugin as points
from tests.plugins.points.told import Periods, fill

TENANT, ADA, PROGRAM = UUID(int=1), UUID(int=2), UUID(int=3)
START = datetime(2026, 3, 10, 12, tzinfo=UTC)
SECRET = b"seed of the draws"


class Till:
    """Ada buys here. Amounts are decimal text; instants local text such as `2026-03-10T12:00`."""

    def __init__(
        self, config: dict[str, Any], *, places: dict[str, int] | None = None, zone: str = "UTC",
        secret: bytes = SECRET, plugin: Plugin = points,
    ) -> None:  # fmt: skip
        self.zone = ZoneInfo(zone)
        self.plugin = plugin
        self.config = plugin.config.model_validate(config)
        units = {"points": 0} | (places or {})
        version = ProgramVersion(
            id=UUID(int=4), number=1, effective_from=datetime(2000, 1, 1, tzinfo=UTC),
            config=self.config, draw_secret=secret,
        )  # fmt: skip
        self.setup = Setup(
            tenant_id=TENANT, slug="acme", name="Acme", zone=self.zone, epoch=1,
            currencies=("USD", "EUR", "HKD"),
            units={code: Unit(code=code, places=p, kind=UnitKind.POINTS)
                   for code, p in units.items()},
            programs=(
                Program(id=PROGRAM, slug="club", kind=plugin.name, name="Club", position=0,
                        versions=(version,)),
            ),
        )  # fmt: skip
        self.at = START
        self.ids = count(1)
        self.batch = self._batch()
        self.body: dict[str, Any] = {}

    def _batch(self) -> Batch:
        member = MemberView(id=ADA, external_id="ada", enrolled_at=datetime(2020, 1, 1, tzinfo=UTC))
        batch = Batch(
            setup=self.setup, plugins=PluginSet([self.plugin]), now=self.at,
            book=Book(tenant_id=TENANT), members={ADA: member},
        )  # fmt: skip
        batch.counters = defaultdict(lambda: defaultdict(int))
        batch.periods = Periods(batch)
        return batch

    def comes(self, at: str) -> None:
        """Time passes until a local instant."""
        self.at = datetime.fromisoformat(at).replace(tzinfo=self.zone)

    def publishes(self, config: dict[str, Any], begins: str | None = None) -> None:
        """Another version of the program, in force from now on, or from a local instant."""
        self.config = self.plugin.config.model_validate(config)
        program, published_at = self.setup.programs[0], self.at
        begins_at = datetime.fromisoformat(begins).replace(tzinfo=self.zone) if begins else self.at
        version = replace(
            program.versions[-1], id=UUID(int=100 + next(self.ids)), config=self.config,
            number=len(program.versions) + 1, effective_from=begins_at, published_at=published_at,
        )  # fmt: skip
        fill(self.batch, program, version)
        versions = (*program.versions, version)
        in_order = sorted(versions, key=lambda one: (one.effective_from, one.number))
        programs = (replace(program, versions=tuple(in_order)),)
        self.setup = replace(self.setup, programs=programs, epoch=self.setup.epoch + 1)
        self.batch.setup = self.setup

    def says(self, trait: str, value: Any) -> None:
        """Another program lets this one know something of Ada."""
        self.batch.traits.setdefault(ADA, []).append(
            (trait, TraitValue(value=value, since=datetime(2000, 1, 1, tzinfo=UTC)))
        )

    def buys(self, *lines: Line | str, paid: dict[str, str] | None = None, **more: Any
             ) -> dict[str, str]:  # fmt: skip
        """What each rule gave, by its id (`id@unit` for other units than points)."""
        return self.tells(self.a_purchase(*lines, paid=paid, **more))

    def a_purchase(
        self, *lines: Line | str, paid: dict[str, str] | None = None, **more: Any
    ) -> PurchaseRecorded:
        """One that was not told yet."""
        self.order = f"order-{next(self.ids)}"
        basket = tuple(
            Line(id=str(at), amount=minor(line)) if isinstance(line, str) else line
            for at, line in enumerate(lines, 1)
        )
        total = total_of(basket, tax_included=more.get("tax_included", True))
        tenders = tuple(
            Tender(kind=TenderKind(kind), amount=minor(amount))
            for kind, amount in (paid or {}).items()
        ) or (Tender(kind=TenderKind.OTHER, amount=total),)
        keys: dict[str, Any] = {"currency": "USD", "external_id": self.order} | more
        return PurchaseRecorded(
            member=MemberRef(id=ADA), occurred_at=self.at, source="till", total=total,
            lines=basket, tenders=tenders, **keys,
        )  # fmt: skip

    def does(self, activity: str, **attributes: Any) -> dict[str, str]:
        return self.tells(self.an_activity(activity, **attributes))

    def an_activity(self, activity: str, **attributes: Any) -> ActivityRecorded:
        return ActivityRecorded(
            member=MemberRef(id=ADA), occurred_at=self.at, source="app",
            external_id=f"activity-{next(self.ids)}", type=activity, attributes=attributes,
        )  # fmt: skip

    def chooses(self, choice: str, *options: str) -> None:
        made = self.config.chosen_by
        self.tells(
            made(member=MemberRef(id=ADA), occurred_at=self.at, program="club", choice=choice,
                 options=options)
        )  # fmt: skip

    def carries(self, target: str) -> dict[str, str]:
        """A new period begins for a cap that carries over."""
        return self.tells(
            CarriedOver(
                member=MemberRef(id=ADA), occurred_at=self.at, program="club", target=target
            )
        )

    def brings_back(self, order: str | None = None, **lines: str) -> None:
        """All of an order, or of its lines (`_1="10.00"`) so much."""
        self._back(
            order or self.order,
            *(
                ReturnedLine(id=line.removeprefix("_"), amount=minor(amount))
                for line, amount in lines.items()
            ),
        )

    def brings_back_a_piece(self, line: str) -> None:
        """Of a line of the last order, which may have been for nothing."""
        self._back(self.order, ReturnedLine(id=line, quantity=1000))

    def _back(self, order: str, *parts: ReturnedLine) -> None:
        self.tells(
            PurchaseReversed(
                member=MemberRef(id=ADA), occurred_at=self.at, source="till", lines=parts,
                return_id=f"return-{next(self.ids)}", purchase_external_id=order,
                purchase_revision=self._revision(order),
            )
        )  # fmt: skip

    def corrects(self, order: str, *lines: str) -> None:
        """Tell a purchase again, under its next revision and at its own instant."""
        newest = self.batch.sales[
            max(
                (
                    key
                    for key, sale in self.batch.sales.items()
                    if getattr(sale.fact, "external_id", None) == order
                ),
                key=lambda key: getattr(self.batch.sales[key].fact, "revision", 0),
            )
        ].fact
        assert isinstance(newest, PurchaseRecorded)
        basket = tuple(Line(id=str(at), amount=minor(line)) for at, line in enumerate(lines, 1))
        total = sum(line.amount for line in basket)
        fact = replace(
            newest, revision=newest.revision + 1, lines=basket, total=total,
            tenders=(Tender(kind=TenderKind.OTHER, amount=total),),
        )  # fmt: skip
        self.tells(fact, replaces=newest.revision)

    def _revision(self, order: str) -> int:
        found = [
            sale.fact.revision
            for sale in self.batch.sales.values()
            if isinstance(sale.fact, PurchaseRecorded) and sale.fact.external_id == order
        ]
        return max(found, default=1)

    def tells(self, fact: Fact, **more: Any) -> dict[str, str]:
        self.batch.now = self.at.astimezone(UTC)
        key = FactKey("test", str(next(self.ids)))
        settle(self.batch, Request(fact=fact, actor="test", any_time=True, key=key, **more), 0)
        self.body = self.batch.book.rows.facts[-1][-1] or {}
        if isinstance(fact, PurchaseRecorded):
            self._remembers(fact)
        return {
            row["rule"]
            if row["unit"] == "points"
            else f"{row['rule']}@{row['unit']}": format_minor(
                row["granted"], self.setup.places(row["unit"]) or 0
            )
            for row in self.body.get("grants", ())
            if row["granted"]
        }

    def would_get(self, fact: Fact) -> dict[str, Any]:
        """The decision of a preview; nothing of it stays."""
        key = FactKey("test", "preview")
        request = Request(fact=fact, actor="test", any_time=True, key=key)
        mark, self.batch.preview = self.batch.book.mark(), True
        try:
            settle(self.batch, request, 0)
            return dict(self.batch.book.rows.facts[-1][-1] or {})
        finally:
            self.batch.preview = False
            self.batch.book.undo(mark)

    def says_why(self, fact: Fact, body: Mapping[str, Any], *, preview: bool = False
                 ) -> list[Explained]:  # fmt: skip
        """What each rule says of a decision."""
        (judgement,) = judgements(
            self.batch.plugins, self.setup, fact, body, member=self.batch.members[ADA],
            preview=preview,
        )  # fmt: skip
        return list(judgement.rules)

    def _remembers(self, fact: PurchaseRecorded) -> None:
        assert fact.natural_key is not None
        self.batch.sales[fact.natural_key] = Sale(
            fact_id=self.batch.book.rows.facts[-1][0], member_id=ADA, fact=fact,
            grants=self.body.get("grants", []),
        )  # fmt: skip

    def cuts(self) -> dict[str, tuple[int, int, str]]:
        """By rule what the last fact wanted, was granted and what cut it."""
        return {
            row["rule"]: (row["wanted"], row["granted"], row["cutBy"])
            for row in self.body.get("grants", ())
            if "cutBy" in row
        }

    def counters(self) -> Sequence[Counter]:
        assert self.plugin.counters is not None
        return self.plugin.counters(self.config)

    def balance(self, unit: str = "points") -> str:
        """What Ada has, less what she owes."""
        account = self.batch.book.accounts.get((ADA, unit, "main"))
        net = 0 if account is None else account.balance - account.deficit
        return format_minor(net, self.setup.places(unit) or 0)


def minor(text: str) -> int:
    return parse_minor(text, 2, field="amount")


def rule(id: str = "base", **keys: Any) -> dict[str, Any]:
    """A rule of 1 point per 1.00 USD unless it says otherwise."""
    plain: dict[str, Any] = {"id": id, "label": id, "accounting_class": "MATERIAL_RIGHT"}
    other = {"bonus", "chance", "levels", "brackets"} & keys.keys()
    if not other and "points" not in keys:
        plain["points"] = "1"
    if keys.get("count", "amount") == "amount" and not {"bonus", "chance"} & keys.keys():
        plain["per"] = {"USD": "1.00"}
    return plain | keys


def activity(type: str, points: str, **keys: Any) -> dict[str, Any]:
    """A rule that gives so many points for each activity of a type, under the type's name."""
    return rule(type, activities=[type], count="visit", points=points, **keys)


def program(*rules: dict[str, Any], **keys: Any) -> dict[str, Any]:
    return {"unit": "points", "rules": list(rules)} | keys
