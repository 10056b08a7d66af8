"""What admins say of agreements."""

from datetime import datetime

import strawberry

from loyalty_partners.graphql.terms_input import ExchangeTermsInput


@strawberry.input
class ProposeExchangeInput:
    """An exchange of points with another tenant."""

    partner: str
    """The other tenant's slug, or what we call a brand of another installation."""
    program: str
    """Slug of our program of kind `partners`."""
    unit: str
    """Code of our unit."""
    partner_unit: str
    """Code of the partner's unit."""
    terms: ExchangeTermsInput
    """What is offered."""
    effective_from: datetime | None = None
    """From when it applies; null: once it is accepted."""


@strawberry.input
class ProposeTermsInput:
    """Other terms of an agreement, from a day on."""

    agreement: strawberry.ID
    """Of the agreement."""
    terms: ExchangeTermsInput
    """What is offered instead."""
    effective_from: datetime | None = None
    """From when they apply; null: once they are accepted."""


@strawberry.input
class AcceptTermsInput:
    """Which terms are accepted, or withdrawn."""

    agreement: strawberry.ID
    """Of the agreement."""
    number: int = 1
    """Of the terms; the first ones bring the agreement into force."""


@strawberry.input
class PartnershipInput:
    """Which agreement."""

    agreement: strawberry.ID
    """Of the agreement."""
