"""What a tenant sets for a referral program."""

from enum import StrEnum
from functools import cached_property
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from loyalty.days import Span
from loyalty_earning.limits import Limits
from loyalty_earning.notation import CurrencyAmounts, SpanText, minor_of
from loyalty_earning.section import MIN_ONE, Name, Names, Section, has_some
from loyalty_referrals.guards import Guards
from loyalty_referrals.reward import Rewards
from loyalty_referrals.signals import Kind

DAYS_MAX = 366


class Vanity(StrEnum):
    """Who may ask for a code of their choice."""

    NOBODY = "nobody"
    STAFF = "staff"
    MEMBERS = "members"


class Via(StrEnum):
    """When a friend may name a code."""

    ENROLMENT = "enrolment"
    FIRST_ORDER = "first_order"


class By(StrEnum):
    """What a friend does to qualify."""

    ORDER = "order"
    SUBSCRIPTION = "subscription"


def _is_link(text: str) -> str:
    if not text.startswith("https://") or text.count("{code}") != 1:
        raise PydanticCustomError(
            "link", "write an https address with {{code}} in it once, where the code goes"
        )
    return text


class Codes(Section):
    """The codes that members hand on."""

    link: (
        Annotated[
            str,
            Field(max_length=500, examples=["https://shop.example/r/{code}"]),
            AfterValidator(_is_link),
        ]
        | None
    ) = None
    """The address that members share, with `{code}` where the code goes; null: there is none."""
    vanity: Vanity = Vanity.STAFF
    """Who may ask for a code of somebody's choice: nobody, staff (the shop and its admins) or
    members."""
    wishes: Annotated[int, Field(strict=True, ge=1, le=1_000)] = 5
    """How many codes of their choice a member may have."""


class Attributes(Section):
    """Under which attributes of enrolments and orders the program finds what it looks at."""

    code: Name = "referral_code"
    """The code that the friend names."""
    email: Name = "email"
    """An e-mail address."""
    device: Name = "device"
    """What names a device."""
    payment: Name = "payment_fingerprint"
    """What names a means of payment, such as a card's fingerprint."""
    address: Name = "address"
    """A postal address, as one text."""

    def of(self, kind: Kind) -> str:
        found: str = getattr(self, kind.value)
        return found


class Attribution(Section):
    """When somebody becomes a member's friend. The first code counts."""

    via: Annotated[
        tuple[Via, ...], Field(max_length=2, json_schema_extra=MIN_ONE), AfterValidator(has_some)
    ] = (Via.ENROLMENT, Via.FIRST_ORDER)
    """With the enrolment (or by `claimReferralCode` until `claim_days` later, before any order),
    with the first order, or either."""
    claim_days: Annotated[int, Field(strict=True, ge=0, le=DAYS_MAX)] = 30
    """Days after the enrolment in which a code may still be claimed."""
    open_for: SpanText | None = "P90D"
    """How long the friend has to qualify; null: for ever."""

    @cached_property
    def span(self) -> Span | None:
        return None if self.open_for is None else Span.parse(self.open_for)


class Qualify(Section):
    """What the friend does to qualify."""

    by: By = By.ORDER
    """An order, or a subscription that starts."""
    order: Annotated[int, Field(strict=True, ge=1, le=1_000)] = 1
    """Which order it is: the first, the second, ... of those that reach the minimum."""
    minimum: CurrencyAmounts | None = None
    """What an order must come to, by currency: its products after discounts, before tax. An order
    in another currency does not count. Null: any order with a product counts."""

    plans: Names = ()
    """With `by: subscription`: the plans that count; none: all. A trial counts once it is paid."""

    @model_validator(mode="after")
    def _order_keys_go_with_orders(self) -> "Qualify":
        if self.by is By.ORDER and self.plans:
            raise PydanticCustomError("qualify", "plans go with by: subscription")
        if self.by is By.SUBSCRIPTION and (self.order != 1 or self.minimum is not None):
            raise PydanticCustomError("qualify", "order and minimum go with by: order")
        return self

    @cached_property
    def least(self) -> dict[str, int] | None:
        """The minimum in minor units by currency; None: there is none."""
        return None if self.minimum is None else minor_of(self.minimum)


class Guessing(Section):
    """How many codes that are none may be named in an hour. Past it every code is declined."""

    per_member: Annotated[int, Field(strict=True, ge=1, le=10_000)] = 20
    """On behalf of one member."""
    per_client: Annotated[int, Field(strict=True, ge=1, le=100_000)] = 200
    """By one client, such as a shop's server."""
    per_tenant: Annotated[int, Field(strict=True, ge=1, le=1_000_000)] = 1_000
    """In all. Enrolments and orders have as many of their own."""


class ReferralsConfig(Section):
    """A referral program: members bring friends, and both have something of it."""

    codes: Codes = Codes()
    """The codes that members hand on."""
    attribution: Attribution = Attribution()
    """When somebody becomes a member's friend, and how long they have to qualify."""
    qualify: Qualify = Qualify()
    """What the friend does to qualify."""
    hold_days: Annotated[int, Field(strict=True, ge=0, le=DAYS_MAX)] = 14
    """Days, counted from the order, until what both sides are given can be used: the return
    window. Until then it is shown as pending."""
    rewards: Rewards
    """What both sides are given. All of it stays as long as what is left of the order reaches the
    minimum, and is taken back when it does not."""
    limits: Limits = ()
    """How many friends a referrer is rewarded for in a period, or all referrers together. What is
    beyond it gives the referrer nothing and is no friend on the ladder."""
    guards: Guards = Guards()
    """What is done about referrals that look like fraud."""
    guessing: Guessing = Guessing()
    """How many wrong codes are put up with."""
    attributes: Attributes = Attributes()
    """Where enrolments and orders say what the program looks at."""
