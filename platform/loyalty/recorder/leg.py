"""One tenant's part of a pair."""

from dataclasses import dataclass
from uuid import UUID

from loyalty.errors import Refused
from loyalty.settlement.request import Request


@dataclass(frozen=True, slots=True)
class Leg:
    tenant_id: UUID
    request: Request


class LegRefused(Refused):
    """One tenant's leg cannot stand. What it says concerns that tenant alone: the other one may not
    be told why."""

    def __init__(self, refused: Refused, tenant_id: UUID) -> None:
        super().__init__(
            refused.code, refused.message, field=refused.field, details=refused.details
        )
        self.tenant_id = tenant_id
