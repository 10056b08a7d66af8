"""What a back-test is asked to do, as one process tells another."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID


class Which(StrEnum):
    """The two sides of a comparison."""

    PUBLISHED = "published"
    DRAFT = "draft"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Replay what happened in [since, before) and was recorded up to the fact `until`.

    `config` is the draft as it was written and checked. `check` compares the published side with
    what was recorded.
    """

    tenant_id: UUID
    program: str
    kind: str
    config: Mapping[str, Any]
    since: datetime
    before: datetime
    until: UUID
    check: bool = False

    def dump(self) -> dict[str, Any]:
        return {
            "tenant_id": str(self.tenant_id), "program": self.program, "kind": self.kind,
            "config": dict(self.config), "since": self.since.isoformat(),
            "before": self.before.isoformat(), "until": str(self.until), "check": self.check,
        }  # fmt: skip

    @classmethod
    def load(cls, plain: Mapping[str, Any]) -> "Order":
        return cls(
            tenant_id=UUID(plain["tenant_id"]), program=plain["program"], kind=plain["kind"],
            config=plain["config"], since=datetime.fromisoformat(plain["since"]),
            before=datetime.fromisoformat(plain["before"]), until=UUID(plain["until"]),
            check=plain["check"],
        )  # fmt: skip
