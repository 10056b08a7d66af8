"""Batch mutations: many items, each validated, settled and answered by itself, in order."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, TypeVar

import strawberry
from graphql import GraphQLError
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    WithJsonSchema,
)
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from loyalty.errors import Code, Refused
from loyalty.facts import Fact
from loyalty.facts import MemberRef as Ref
from loyalty.purchase import LineKind, TenderKind
from loyalty.settlement.request import Recorded
from loyalty.units import AMOUNT_LENGTH_MAX
from loyalty_graphql.access import allow, batch, money, reached
from loyalty_graphql.context import Context, RequestInfo
from loyalty_graphql.failures import UserError, user_errors
from loyalty_graphql.input_paths import in_input_words
from loyalty_graphql.member_ref import ref_of
from loyalty_graphql.outcomes import AT_THE_TOP
from loyalty_graphql.purchase_input import purchase_fact
from loyalty_graphql.purchases import Purchase, shown_purchase
from loyalty_graphql.scalars import BatchItems, Json, parse_instant, parse_json
from loyalty_tenants.config_errors import said_of
from loyalty_tenants.principal import Role

BATCH_LINES_MAX = 10_000
Amount = Annotated[str, Field(max_length=AMOUNT_LENGTH_MAX, strict=True)]
Text = Annotated[str, Field(max_length=4096, strict=True)]
T = TypeVar("T", bound=BaseModel)


def _as_scalar(check: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The check of a scalar of the typed inputs, for an item: the same values, the same words."""

    def checked(value: Any) -> Any:
        try:
            return check(value)
        except GraphQLError as error:
            raise PydanticCustomError("scalar", "{said}", {"said": error.message}) from None

    return checked


Instant = Annotated[AwareDatetime, BeforeValidator(_as_scalar(parse_instant))]
Attributes = Annotated[
    Any, AfterValidator(_as_scalar(parse_json)), WithJsonSchema({"type": "object"})
]


class Item(BaseModel):
    """Names are in camelCase, as in the typed inputs; an unknown one is refused."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, alias_generator=to_camel, validate_by_name=False
    )


class MemberItem(Item):
    """Exactly one of the three."""

    id: Text | None = None
    external_id: Text | None = None
    identifier: Text | None = None


class LineItem(Item):
    """A line of a basket, as `LineInput`."""

    amount: Amount
    id: Text | None = None
    sku: Text | None = None
    category: Text | None = None
    brand: Text | None = None
    kind: LineKind = LineKind.PRODUCT
    quantity: Amount | None = None
    discount: Amount | None = None
    tax: Amount | None = None
    attributes: Attributes | None = None


class TenderItem(Item):
    """A part of the payment, as `TenderInput`."""

    kind: TenderKind
    amount: Amount
    name: Text | None = None
    redemption: Text | None = None


class PurchaseItem(Item):
    """A purchase in a batch, as `RecordPurchaseInput`."""

    member: MemberItem
    source: Text
    external_id: Text
    occurred_at: Instant
    currency: Text
    total: Amount
    revision: Annotated[int, Field(strict=True)] = 1
    tax_included: Annotated[bool, Field(strict=True)] = True
    lines: list[LineItem] = []
    tenders: list[TenderItem] = []
    attributes: Attributes | None = None


@strawberry.type
@reached
class PurchaseOutcome:
    """What came of one item."""

    index: int
    """Its place in the batch, from 0."""
    external_id: str | None
    """Its external id, where it had one."""
    purchase: Purchase | None
    """The purchase with what it earned; null where nothing was done."""
    replayed: bool
    """Whether it was recorded before and this is the first answer."""
    user_errors: list[UserError]
    """Why nothing was done; empty where it was."""


@strawberry.type
@reached
class RecordPurchasesPayload:
    """What came of a batch."""

    outcomes: list[PurchaseOutcome]
    """One for each item, in their order."""


@strawberry.type
class BatchMutation:
    @strawberry.mutation
    @allow(Role.ADMIN, Role.SERVICE, Role.PARTNER, Role.OPERATOR, scope="purchases:write")
    @money
    @batch
    async def record_purchases(
        self, info: RequestInfo, items: BatchItems
    ) -> RecordPurchasesPayload:
        """Record up to 500 purchases (10,000 lines, 2 MB). Each stands or falls by itself; sent
        again, what was recorded is replayed. The items are `RecordPurchaseInput` as JSON, by the
        schema that the query `batchItemSchema` answers.

        :param items: the purchases
        """
        return await _recorded(info.context, items)


@strawberry.type
class BatchQuery:
    @strawberry.field
    @allow(Role.ADMIN, Role.SERVICE, Role.PARTNER, Role.OPERATOR, scope="purchases:write")
    async def batch_item_schema(self, info: RequestInfo) -> Json:
        """The JSON Schema of an item of `recordPurchases`."""
        return Json(_item_schema())


@dataclass(slots=True)
class _Slot:
    """An item on its way: as a fact, or already refused."""

    index: int
    external_id: str | None
    fact: Fact | None = None
    refused: Refused | None = None
    recorded: Recorded | None = None


async def _recorded(context: Context, items: Sequence[Any]) -> RecordPurchasesPayload:
    setup = await context.setup()

    def fact_of(item: PurchaseItem) -> Fact:
        return purchase_fact(item, _member(item.member), setup)

    slots = _parsed(items, PurchaseItem, fact_of)
    good = [slot for slot in slots if slot.fact is not None]
    requests = [context.request(slot.fact) for slot in good if slot.fact is not None]
    for slot, outcome in zip(good, await context.record_many(requests), strict=True):
        if isinstance(outcome, Refused):
            slot.refused = in_input_words(outcome)
        else:
            slot.recorded = outcome
    _refuse_whole(slots)
    dump = context.api.plugins.codec.dump
    return RecordPurchasesPayload(
        outcomes=[
            PurchaseOutcome(
                index=slot.index,
                external_id=slot.external_id,
                purchase=None
                if slot.recorded is None or slot.fact is None or slot.recorded.member_id is None
                else shown_purchase(
                    slot.recorded.fact_id,
                    slot.recorded.member_id,
                    dump(slot.fact),
                    slot.recorded.answer,
                    setup,
                ),
                replayed=slot.recorded is not None and slot.recorded.replayed,
                user_errors=user_errors([slot.refused] if slot.refused else []),
            )
            for slot in slots
        ]
    )


def _refuse_whole(slots: Sequence[_Slot]) -> None:
    """What concerns the request as a whole is told at the top, unless some of it stands."""
    if any(slot.recorded is not None for slot in slots):
        return
    for slot in slots:
        refused = slot.refused
        if refused and refused.code in AT_THE_TOP and refused.code is not Code.INTERNAL:
            raise refused


def _parsed(items: Sequence[Any], model: type[T], fact_of: Callable[[T], Fact]) -> list[_Slot]:
    """Every item as a fact or with what is wrong with it; one wrong item costs no other.

    :raises Refused: LIMIT_EXCEEDED, more lines than a batch may have
    """
    lines = sum(
        len(item["lines"])
        for item in items
        if isinstance(item, dict) and isinstance(item.get("lines"), list)
    )
    if lines > BATCH_LINES_MAX:
        raise Refused(
            Code.LIMIT_EXCEEDED, f"a batch has at most {BATCH_LINES_MAX} lines", field="items"
        )
    slots = []
    for index, item in enumerate(items):
        external_id = item.get("externalId") if isinstance(item, dict) else None
        slot = _Slot(index, external_id if isinstance(external_id, str) else None)
        try:
            slot.fact = fact_of(model.model_validate(item))
        except ValidationError as error:
            slot.refused = _refusal(error)
        except Refused as refused:
            slot.refused = refused
        slots.append(slot)
    return slots


def _refusal(error: ValidationError) -> Refused:
    """The first complaint about an item, with its path."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    path = ".".join(str(part) for part in first["loc"]) or None
    message = said_of(first, _item_schema())
    if first["type"] == "string_type":
        message = 'must be a string (amounts too: "12.50")'
    return Refused(Code.BAD_USER_INPUT, message, field=path)


@lru_cache(maxsize=1)
def _item_schema() -> dict[str, Any]:
    return PurchaseItem.model_json_schema(by_alias=True)


def _member(item: MemberItem) -> Ref:
    given = [part for part in (item.id, item.external_id, item.identifier) if part is not None]
    if len(given) != 1:
        raise Refused(
            Code.BAD_USER_INPUT,
            "name the member by exactly one of id, externalId and identifier",
            field="member",
        )
    return ref_of(item.id, item.external_id, item.identifier, "member")
