"""Expected refusals as every mutation answers them: `userErrors { code field message details }`."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

import strawberry

from loyalty.errors import Code, Refused
from loyalty_graphql.access import reached
from loyalty_graphql.enums import exposed
from loyalty_graphql.scalars import Json

MEANINGS: Mapping[Code, str] = MappingProxyType(
    {
        Code.ACTIVITY_CHANGED: "An activity of this source and id is recorded with other content.",
        Code.AGREEMENT_STATE: "The agreement is in a state that does not allow this.",
        Code.ALREADY_CLOSED: "It is closed already.",
        Code.ALREADY_DECIDED: "It was approved, rejected or withdrawn before.",
        Code.ALREADY_EXISTS: "One by this name exists already.",
        Code.APPROVAL_EXPIRED: "Nobody approved it in time: ask anew.",
        Code.BAD_AMOUNT: "Not a plain decimal within the unit's places and range.",
        Code.BAD_CONFIG: "The configuration has an unknown or ill-typed key; `field` is its path.",
        Code.BAD_USER_INPUT: "The input is malformed; `field` says where, `message` what to send.",
        Code.BUDGET_EXHAUSTED: "The budget of the program or rule is used up.",
        Code.CURRENCY_NOT_LISTED: "The tenant does not take this currency.",
        Code.DUPLICATE_LINE: "Two lines have the same id.",
        Code.FORBIDDEN: "The caller's role or scopes do not allow it.",
        Code.IDEMPOTENCY_MISMATCH: "The idempotency key was used for another input.",
        Code.INSUFFICIENT_BALANCE: "Less is available than was asked for.",
        Code.INTERNAL: "A mistake of ours. Nothing was written; quote the request id.",
        Code.LIMIT_EXCEEDED: "More than a limit allows; the message names the limit.",
        Code.LIMIT_REACHED: "The program allows it so often in a period, and no more.",
        Code.MEMBER_CLOSED: "The member's account is closed.",
        Code.MEMBER_EXISTS: "A member by this external id exists already.",
        Code.MEMBER_FROZEN: "The member is frozen: they earn, and spend nothing.",
        Code.MEMBER_NOT_FOUND: "The tenant has no such member.",
        Code.NOT_FOUND: "There is no such thing, or it is not yours.",
        Code.NOT_FROZEN: "The member is not frozen.",
        Code.NOT_REVERSIBLE: "It cannot be taken back, by its state or by the program's policy.",
        Code.OVERLOADED: "Too much at once. Nothing was written; wait a moment.",
        Code.PARTNER_NOT_AVAILABLE: "Not possible with this partner now, or there is no such.",
        Code.PROGRAM_NOT_ACTIVE: "The tenant runs no such program now.",
        Code.PURCHASE_CHANGED: "A purchase of this id is recorded otherwise or newer.",
        Code.QUOTE_EXPIRED: "The quote is too old: ask for a new one.",
        Code.RATES_GAIN: "With these rates a round of exchanges would end with more.",
        Code.REASON_NOT_LISTED: "The tenant lists no such reason; `details` has its list.",
        Code.REDEMPTION_STATE: "The redemption is in a state that does not allow this.",
        Code.RETURN_CHANGED: "A return of this source and id is recorded with other content.",
        Code.RETURN_TOO_LARGE: "More than was bought less what came back already.",
        Code.REWARD_NOT_AVAILABLE: "The reward is not for this member, order or day.",
        Code.REWARD_NOT_FOUND: "The program has no such reward.",
        Code.SAME_PERSON: "Whoever asked may not approve: another person must.",
        Code.SECOND_PERSON_NEEDED: "Small corrections add up to one that a second must approve.",
        Code.STATEMENT_STATE: "The statement or its line is in a state that forbids this.",
        Code.TENANT_SUSPENDED: "The tenant is suspended by the operator.",
        Code.TOO_EARLY: "The instant lies too far in the future.",
        Code.TOO_LATE: "The instant lies before the window for late facts.",
        Code.TOTAL_MISMATCH: "The parts do not add up to the total.",
        Code.UNAUTHENTICATED: "No valid credentials were sent.",
        Code.UNAVAILABLE: "The database went away, perhaps after it was written; send it again.",
        Code.UNIT_NOT_FOUND: "The tenant has no such unit.",
        Code.VERSION_CONFLICT: "It was changed in the meantime; read it again.",
    }
)


def _described(code: Code) -> str:
    advice = "Retryable, with the same key." if code.retryable else "Not retryable."
    return f"{MEANINGS[code]} {advice}"


ErrorCode = exposed(
    Code,
    name="ErrorCode",
    description="Why something was refused. The list grows; a meaning never changes.",
    values={code: _described(code) for code in MEANINGS},
)


@strawberry.type
@reached
class UserError:
    """One reason why nothing was done. Nothing was written and the key is still free."""

    code: Code
    """What a program decides by."""
    field: str | None
    """The path in the input, such as `lines.0.amount`; null where it is about no one field."""
    message: str
    """What is wrong and what to do, for the developer; wording may change."""
    details: Json | None
    """Further facts by name, such as the fields that differ."""
    retryable: bool
    """Whether the very same request may succeed later."""


def user_error(refused: Refused) -> UserError:
    return UserError(
        code=refused.code,
        field=refused.field,
        message=refused.message,
        details=Json(refused.details) if refused.details else None,
        retryable=refused.code.retryable,
    )


def user_errors(refused: Iterable[Refused]) -> list[UserError]:
    return [user_error(one) for one in refused]
