"""A clock that stands, tenants, and what a caller is told who asks for too much."""

from dataclasses import dataclass, replace
from uuid import uuid4

from loyalty_graphql.admission import Admission
from loyalty_graphql.rejection import Rejected
from loyalty_tenants.principal import Principal, Role

from .client import principal


@dataclass
class Clock:
    now: float = 1_000.0

    def __call__(self) -> float:
        return self.now


def tenant() -> Principal:
    return replace(principal(), tenant_id=uuid4())


def of(owner: Principal, role: Role, name: str) -> Principal:
    return replace(owner, role=role, subject=name, client=f"{role.lower()}:{name}")


def wait(admission: Admission, caller: Principal | None) -> int:
    """The seconds that a caller is told to wait; 0 where it may go on."""
    try:
        admission.check(caller)
    except Rejected as refusal:
        no = refusal
    else:
        return 0
    assert (no.status, no.code) == (429, "RATE_LIMITED")
    assert no.headers == {"retry-after": str(no.retry_after)}
    assert no.complaint["extensions"] == {"code": "RATE_LIMITED", "retryAfter": no.retry_after}
    return no.retry_after or 0
