"""Refusals: what the platform declines, with a code, the field at fault and what to do about it."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any


class Code(StrEnum):
    """Why something was refused. The list grows and never changes a meaning."""

    ACTIVITY_CHANGED = "ACTIVITY_CHANGED"
    AGREEMENT_STATE = "AGREEMENT_STATE"
    ALREADY_CLOSED = "ALREADY_CLOSED"
    ALREADY_DECIDED = "ALREADY_DECIDED"
    ALREADY_EXISTS = "ALREADY_EXISTS"
    APPROVAL_EXPIRED = "APPROVAL_EXPIRED"
    BAD_AMOUNT = "BAD_AMOUNT"
    BAD_CONFIG = "BAD_CONFIG"
    BAD_USER_INPUT = "BAD_USER_INPUT"
    BUDGET_EXHAUSTED = "BUDGET_EXHAUSTED"
    CURRENCY_NOT_LISTED = "CURRENCY_NOT_LISTED"
    DUPLICATE_LINE = "DUPLICATE_LINE"
    FORBIDDEN = "FORBIDDEN"
    IDEMPOTENCY_MISMATCH = "IDEMPOTENCY_MISMATCH"
    INSUFFICIENT_BALANCE = "INSUFFICIENT_BALANCE"
    INTERNAL = "INTERNAL"
    LIMIT_EXCEEDED = "LIMIT_EXCEEDED"
    LIMIT_REACHED = "LIMIT_REACHED"
    MEMBER_CLOSED = "MEMBER_CLOSED"
    MEMBER_EXISTS = "MEMBER_EXISTS"
    MEMBER_FROZEN = "MEMBER_FROZEN"
    MEMBER_NOT_FOUND = "MEMBER_NOT_FOUND"
    NOT_FOUND = "NOT_FOUND"
    NOT_FROZEN = "NOT_FROZEN"
    NOT_REVERSIBLE = "NOT_REVERSIBLE"
    OVERLOADED = "OVERLOADED"
    PARTNER_NOT_AVAILABLE = "PARTNER_NOT_AVAILABLE"
    PROGRAM_NOT_ACTIVE = "PROGRAM_NOT_ACTIVE"
    PURCHASE_CHANGED = "PURCHASE_CHANGED"
    QUOTE_EXPIRED = "QUOTE_EXPIRED"
    RATES_GAIN = "RATES_GAIN"
    REASON_NOT_LISTED = "REASON_NOT_LISTED"
    REDEMPTION_STATE = "REDEMPTION_STATE"
    RETURN_CHANGED = "RETURN_CHANGED"
    RETURN_TOO_LARGE = "RETURN_TOO_LARGE"
    REWARD_NOT_AVAILABLE = "REWARD_NOT_AVAILABLE"
    REWARD_NOT_FOUND = "REWARD_NOT_FOUND"
    SAME_PERSON = "SAME_PERSON"
    SECOND_PERSON_NEEDED = "SECOND_PERSON_NEEDED"
    STATEMENT_STATE = "STATEMENT_STATE"
    TENANT_SUSPENDED = "TENANT_SUSPENDED"
    TOO_EARLY = "TOO_EARLY"
    TOO_LATE = "TOO_LATE"
    TOTAL_MISMATCH = "TOTAL_MISMATCH"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    UNAVAILABLE = "UNAVAILABLE"
    UNIT_NOT_FOUND = "UNIT_NOT_FOUND"
    VERSION_CONFLICT = "VERSION_CONFLICT"

    @property
    def retryable(self) -> bool:
        """Whether the very same request may succeed later without being changed."""
        return self in RETRYABLE


RETRYABLE = frozenset({Code.INTERNAL, Code.OVERLOADED, Code.TENANT_SUSPENDED, Code.UNAVAILABLE})
# The platform is in trouble: this says nothing about what was asked, nor about who asked.
TROUBLE = frozenset({Code.OVERLOADED, Code.UNAVAILABLE})


class Refused(Exception):
    """Expected refusal of one request. Nothing was written and its key is still free."""

    def __init__(
        self,
        code: Code,
        message: str,
        *,
        field: str | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(f"{code}{f' ({field})' if field else ''}: {message}")
        self.code = code
        self.message = message
        self.field = field
        self.details = dict(details or {})

    def __repr__(self) -> str:
        return f"Refused({self.code}, {self.message!r}, field={self.field!r})"

    def under(self, prefix: str) -> "Refused":
        """The same refusal with its field read from one level higher up: `lines.0` + `amount`."""
        field = f"{prefix}.{self.field}" if self.field else prefix
        return Refused(self.code, self.message, field=field, details=self.details)
