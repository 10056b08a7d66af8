"""A line of the clearing account with a partner, as rules write it."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID, uuid5

from loyalty.facts import FactKey


class MovementKind(StrEnum):
    """What a line stands for."""

    EXCHANGE = "EXCHANGE"  # a member's points became the partner's, or the other way round
    ISSUE = "ISSUE"  # an outside brand gave a member points of ours
    EARN = "EARN"  # points earned at one brand of a coalition, kept at the other
    BURN = "BURN"  # points kept at one brand, spent at the other
    REVERSAL = "REVERSAL"  # undoes one of these, or a part of it
    CORRECTION = "CORRECTION"  # takes a line back that was disputed with good reason
    PACK = "PACK"  # points that an outside brand bought ahead
    SETTLEMENT = "SETTLEMENT"  # a statement was paid
    VOID = "VOID"  # takes out an exchange that the partner, elsewhere, never credited


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """`points_out` of our `unit` left members for the clearing account, `points_in` came from it; a
    `fee` went beside. `amount` and `charge` are money: more than nothing where the partner owes us.
    `base` is the money that an outside brand's fact was about.

    The other side's half has the same id, with points, amount and charge the other way round.
    """

    id: UUID
    agreement_id: UUID
    kind: MovementKind
    terms: int
    currency: str
    amount: int
    unit: str | None = None
    charge: int = 0
    points_out: int = 0
    points_in: int = 0
    fee: int = 0
    partner_points: int = 0
    carried: int | None = None
    base: int | None = None
    of_id: UUID | None = None
    link_id: UUID | None = None
    ref: str | None = None


MOVED, REVERSED = "partners", "partners reversal"  # scopes of the keys of both sides' facts


def moved_key(movement_id: UUID) -> FactKey:
    return FactKey(MOVED, str(movement_id))


def reversal_key(movement_id: UUID, part: str = "") -> FactKey:
    """`part` names one of several reversals of one movement."""
    return FactKey(REVERSED, f"{movement_id}:{part}" if part else str(movement_id))


def void_key(movement_id: UUID) -> FactKey:
    """Of what takes an exchange out that never came to be at the partner."""
    return FactKey(REVERSED, f"{movement_id}:void")


def write_off_key(movement_id: UUID) -> FactKey:
    """Of what gives an exchange's points back that the partner never spoke of."""
    return FactKey(REVERSED, f"{movement_id}:written off")


def reversal_id(key: FactKey) -> UUID:
    """The id of the line that a reversal writes, the same on both sides."""
    return uuid5(UUID(key.key[:36]), key.key)


def clearing(agreement_id: UUID) -> str:
    """The program's account through which points of an agreement pass."""
    return f"clearing:{agreement_id}"


FEES = "exchange_fees"
LOSSES = "exchange_losses"  # points given back although a partner may have credited them
