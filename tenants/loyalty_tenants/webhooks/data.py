"""What a webhook says, topic by topic: the shapes of `data`, published as JSON Schema.

Within a version of a topic fields may be added; none is taken away and none changes its meaning.
Amounts are decimal strings with exactly the places of their unit, instants RFC 3339 in UTC, ids
those of the GraphQL API.
"""

from typing import Annotated, Any

from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_camel

from loyalty.documented import Documented

Instant = Annotated[
    str,
    Field(
        pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z$",
        json_schema_extra={"format": "date-time"},
    ),
]


class Shape(Documented):
    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, frozen=True, defer_build=True
    )


class Amount(Shape):
    """So much of a unit."""

    value: str = Field(pattern=r"^-?\d+(\.\d+)?$")
    """The exact decimal number, with the places of its unit."""
    unit: str
    """The code of the unit, or the currency."""


class Who(Shape):
    """A member."""

    id: str
    """The member's id in the API."""
    external_id: str
    """What the tenant calls the member."""


class Earned(Shape):
    """Something that was granted."""

    amount: Amount
    """How much."""
    available_at: Instant
    """From when on it can be spent."""
    expires_at: Instant | None
    """When it ends; null: never."""
    label: str
    """What to tell the member it was for."""
    rule: str
    """The rule that granted it, as `<program>/<rule>`."""


class Taken(Shape):
    """Something that was taken back."""

    amount: Amount
    """How much."""
    wanted: Amount
    """What should have been taken back; more than `amount` where the program lets the rest go."""
    rule: str
    """The rule that had granted it, as `<program>/<rule>`."""


class Ended(Shape):
    """Something that reached its term."""

    amount: Amount
    """How much."""
    program: str
    """The slug of the program that had granted it; empty for what was given by hand."""


class FactData(Shape):
    """What is said of every fact."""

    fact_id: str
    """The id of the recorded fact; several topics may tell of one."""
    member: Who | None
    """Whom it is about; null where it is about no one member."""
    occurred_at: Instant
    """When it happened."""
    recorded_at: Instant
    """When the platform wrote it down."""


class MemberEnrolled(FactData):
    """Somebody became a member."""


class MemberClosed(FactData):
    """A member left."""

    reason: str
    """Why, as it was given."""


class MemberErased(FactData):
    """Who a member was is gone here; the id stays. What you keep by it is yours to erase."""


class MemberFrozen(FactData):
    """A member was frozen: they earn, and spend nothing."""

    reason: str
    """Why, as it was given."""


class MemberUnfrozen(FactData):
    """A member may spend again."""

    reason: str
    """Why, as it was given; may be empty."""


class PurchaseRecorded(FactData):
    """A basket was paid."""

    source: str
    """The system it came from."""
    external_id: str
    """Its id there."""
    revision: int
    """1, or more where it stands in place of an earlier revision."""
    total: Amount
    """What was paid for it."""
    earned: list[Earned]
    """What the purchase earned, rule by rule."""
    taken_back: list[Taken]
    """What the revision before it had earned and lost again."""


class PurchaseReturned(FactData):
    """Goods of a purchase came back."""

    source: str
    """The system it came from."""
    return_id: str
    """Its id there."""
    purchase_external_id: str
    """The purchase it belongs to."""
    purchase_revision: int
    """The revision of that purchase."""
    taken_back: list[Taken]
    """What was taken back for it, rule by rule."""


class ReturnParked(FactData):
    """A return came before its purchase and waits for it."""

    source: str
    """The system it came from."""
    return_id: str
    """Its id there."""
    purchase_external_id: str
    """The purchase it waits for."""


class ActivityRecorded(FactData):
    """A member did something other than buying."""

    source: str
    """The system it came from."""
    external_id: str
    """Its id there."""
    activity: str
    """What was done, by the name that the tenant gave it."""
    earned: list[Earned]
    """What it earned, rule by rule."""


class LotsEnded(FactData):
    """What a member held reached its term and is gone."""

    ended: list[Ended]
    """What ended, program by program."""


class ConsequenceReversed(FactData):
    """Something that had followed from a purchase was undone with it."""

    part: str
    """Which part of it is undone by now, as a fraction such as `1/2`."""
    taken_back: list[Taken]
    """What was taken back for it, rule by rule."""


class Redemption(FactData):
    """A redemption came to be in another state."""

    redemption_id: str
    """The redemption's id in the API."""
    program: str
    """The slug of the program that it spends from."""
    state: str
    """HELD, CAPTURED, RELEASED, LAPSED or REVERSED."""
    amount: Amount
    """What was asked for."""
    order: str | None
    """The order it pays for, where it was named."""


class RedemptionCreated(Redemption):
    """A member's points were reserved, or spent at once."""

    held_until: Instant | None
    """Until when they stay reserved; null where they were spent at once."""


class RedemptionCaptured(Redemption):
    """Reserved points were spent."""

    captured: Amount
    """How much of them; the rest went back."""


class RedemptionReversed(Redemption):
    """Spent points were given back."""

    reinstated: Amount
    """How much can be spent again."""
    expired: Amount
    """How much had reached its term in the meantime."""


class BalanceAdjusted(FactData):
    """A balance was corrected by hand."""

    amount: Amount
    """What was given, or with a minus taken."""
    reason_code: str
    """Why, by the code that was given."""


class ValueMoved(FactData):
    """Value moved on a member's account, for whatever reason."""

    amount: Amount
    """How much."""
    program: str
    """The slug of the program; empty where there is none to it."""
    rule: str | None
    """The rule that moved it, as `<program>/<rule>`."""
    label: str | None
    """What to tell the member it was for."""


class ValueBurned(ValueMoved):
    """A member spent value."""

    redemption_id: str | None
    """The redemption that spent it, where it was one."""


class PublishedFact(FactData):
    """A fact that a plugin published."""

    fact: dict[str, Any]
    """The plugin's own fields."""


class Ping(Shape):
    """Somebody wants to see whether the endpoint hears."""

    endpoint_id: str
    """The endpoint's id in the API."""
