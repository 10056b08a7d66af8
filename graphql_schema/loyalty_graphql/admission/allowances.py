"""The numbers: how much of a process one tenant, and one member of it, may have."""

from dataclasses import dataclass

# An operation that asks for nothing costs as much as so many objects.
PER_OPERATION = 10
# The time that reading a document took is charged by this. Who means well sends what was read
# before, but not to a process that has just begun: twenty new documents at once must pass.
PER_SECOND = 16_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowances:
    """Of one process. Rates are in units a second, a unit being what one object of an answer costs;
    0 lifts a limit.

    `in_flight` operations of a tenant run at once while others are served too, `in_flight_alone`
    where nobody else was served for `alone_seconds`. Beyond that `waiting` of them wait, each for
    `wait_seconds` at most. `sockets` is how many a tenant may have open.
    """

    tenant_rate: int = 4_000
    member_rate: int = 500
    burst_seconds: float = 2.0
    in_flight: int = 8
    in_flight_alone: int = 64
    alone_seconds: float = 1.0
    waiting: int = 256
    wait_seconds: float = 1.0
    sockets: int = 400
