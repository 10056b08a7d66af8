"""Two programs in two units, alike for every tenant: a setup that needs no other floor."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from loyalty.setup import Program, ProgramVersion, Setup
from loyalty.units import Unit
from loyalty_points.config import PointsConfig

START = datetime(2026, 1, 1, tzinfo=UTC)
UNITS = {  # unit: program, points a dollar, pending days, days, policy, grace days
    "points": ("shop", 1, 0, 4, "deficit", 2),
    "gems": ("club", 2, 2, 9, "clamp", None),
}


class TwoPrograms:
    """Every tenant runs the same two programs; no other floor is needed."""

    async def load(self, connection: Any, tenant_id: UUID) -> Setup:
        programs = [
            Program(
                id=UUID(int=number + 1), slug=slug, name=slug, kind="points", position=number,
                versions=(
                    ProgramVersion(
                        id=UUID(int=number + 1), number=1, effective_from=START - timedelta(days=9),
                        config=_config(unit),
                    ),
                ),
            )
            for number, (unit, (slug, *_)) in enumerate(UNITS.items())
        ]  # fmt: skip
        return Setup(
            tenant_id=tenant_id, slug="t", name="T", zone=ZoneInfo("UTC"), epoch=1,
            currencies=("USD",), units={unit: Unit(code=unit) for unit in UNITS},
            programs=tuple(programs), backdating=timedelta(days=9_999),
        )  # fmt: skip


def _config(unit: str) -> PointsConfig:
    _, rate, pending, days, policy, grace = UNITS[unit]
    return PointsConfig.model_validate(
        {
            "unit": unit,
            "rules": [
                {
                    "id": "base", "label": "x", "accounting_class": "MARKETING",
                    "points": str(rate), "per": {"USD": "1.00"},
                }
            ],
            "terms": {
                "pending_days": pending, "take_back": policy, "lifetime": {"span": f"P{days}D"},
            },
            "redemption": {"hold_for": "PT48H", "reversible": {"grace_days": grace}},
        }
    )  # fmt: skip
