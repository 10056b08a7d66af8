"""Loads a tenant's setup for the kernel: two statements, whatever the number of programs."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from loyalty.setup import Program, ProgramVersion, Setup, SetupSource, TenantStatus
from loyalty.units import Unit, UnitKind
from loyalty_tenants.configs import Configs

CONFIGS_MAX = 4_096

_TENANT = """
select t.*, coalesce((select jsonb_agg(jsonb_build_array(u.code, u.places, u.kind))
                        from loyalty.unit u), '[]') as units
  from loyalty.tenant t where t.tenant_id = $1
"""

# A config that is parsed already is not sent again: versions are immutable. They stand in the order
# in which they were meant to begin, so one whose backfill ends late does not displace a newer one.
_PROGRAMS = """
select p.id as program_id, p.slug, p.kind, p.name, p.position, p.archived_at,
       v.id, v.number, greatest(v.effective_from, v.activated_at) as effective_from,
       v.published_at, v.draw_secret, v.state,
       case when v.id = any($1::uuid[]) then null else v.config end as config
  from loyalty.program p
  join loyalty.program_version v on (v.tenant_id, v.program_id) = (p.tenant_id, p.id)
 order by p.position, p.slug, v.effective_from, v.number
"""


class TenantSetups(SetupSource):
    """The setup of any tenant, with the configs parsed once per version and process.

    A program whose plugin is not installed here is left out: nothing could react for it.
    """

    def __init__(self, configs: Configs) -> None:
        self._configs = configs
        self._parsed: OrderedDict[UUID, Any] = OrderedDict()

    async def load(self, connection: Any, tenant_id: UUID) -> Setup:
        """:raises LookupError: there is no such tenant"""
        tenant = await connection.fetchrow(_TENANT, tenant_id)
        if tenant is None:
            raise LookupError(f"there is no tenant {tenant_id}")
        rows = await connection.fetch(_PROGRAMS, list(self._parsed))
        return _setup(tenant, self._programs(rows))

    def _programs(self, rows: Sequence[Any]) -> tuple[Program, ...]:
        by_program: dict[UUID, list[Any]] = {}
        for row in rows:
            if row["kind"] in self._configs.kinds():
                by_program.setdefault(row["program_id"], []).append(row)
        return tuple(
            Program(
                id=program_id,
                slug=versions[0]["slug"],
                kind=versions[0]["kind"],
                name=versions[0]["name"],
                position=versions[0]["position"],
                versions=tuple(self._version(row) for row in versions),
                archived_at=versions[0]["archived_at"],
            )
            for program_id, versions in by_program.items()
        )

    def _version(self, row: Any) -> ProgramVersion:
        return ProgramVersion(
            id=row["id"],
            number=row["number"],
            effective_from=row["effective_from"],
            published_at=row["published_at"],
            config=self._config(row),
            draw_secret=bytes(row["draw_secret"]),
            backfilling=row["state"] == "BACKFILLING",
        )

    def _config(self, row: Any) -> Any:
        if row["config"] is None:
            self._parsed.move_to_end(row["id"])
            return self._parsed[row["id"]]
        parsed = self._configs.parse(row["kind"], row["config"])
        self._parsed[row["id"]] = parsed
        if len(self._parsed) > CONFIGS_MAX:
            self._parsed.popitem(last=False)
        return parsed


def _setup(tenant: Any, programs: tuple[Program, ...]) -> Setup:
    return Setup(
        tenant_id=tenant["tenant_id"],
        slug=tenant["slug"],
        name=tenant["name"],
        zone=ZoneInfo(tenant["zone"]),
        epoch=tenant["epoch"],
        status=TenantStatus(tenant["status"]),
        currencies=tuple(tenant["currencies"]),
        units={
            code: Unit(code=code, places=places, kind=UnitKind(kind))
            for code, places, kind in tenant["units"]
        },
        programs=programs,
        total_tolerance=tenant["total_tolerance"],
        backdating=tenant["backdating"],
        ahead=tenant["ahead"],
        parking=tenant["parking"],
        enroll_on_purchase=tenant["enroll_on_purchase"],
    )
