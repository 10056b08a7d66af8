"""Tenants: the brands. An operator creates, suspends and resumes them; admins change settings."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from asyncpg import UniqueViolationError

from loyalty.database import Database
from loyalty.errors import Code, Refused
from loyalty.ids import new_id
from loyalty.plugin import Connection
from loyalty.setup import TenantStatus
from loyalty_tenants import audit
from loyalty_tenants.epoch import raise_epoch
from loyalty_tenants.principal import Actor
from loyalty_tenants.settings import check_currencies, check_tolerance, check_window, check_zone
from loyalty_tenants.slugs import check_name, check_slug


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantSettings:
    """What of a tenant may be changed; None leaves it as it is (or at its default when created).

    `total_tolerance` is in minor units. `backdating` and `ahead` bound when a fact may have
    happened; `parking` is how long a return waits for its purchase.
    """

    name: str | None = None
    zone: str | None = None
    currencies: Sequence[str] | None = None
    total_tolerance: int | None = None
    backdating: timedelta | None = None
    ahead: timedelta | None = None
    parking: timedelta | None = None
    enroll_on_purchase: bool | None = None

    def checked(self) -> dict[str, Any]:
        """The given settings by column.

        :raises Refused: BAD_USER_INPUT or CURRENCY_NOT_LISTED, with the field
        """
        given: dict[str, Any] = {
            "name": None if self.name is None else check_name(self.name),
            "zone": None if self.zone is None else check_zone(self.zone),
            "currencies": None if self.currencies is None else check_currencies(self.currencies),
            "total_tolerance": check_tolerance(self.total_tolerance),
            "backdating": check_window(self.backdating, days=3650, field="backdating"),
            "ahead": check_window(self.ahead, days=1, field="ahead"),
            "parking": check_window(self.parking, days=365, field="parking"),
            "enroll_on_purchase": self.enroll_on_purchase,
        }
        return {column: value for column, value in given.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantRecord:
    """A tenant as it is stored."""

    tenant_id: UUID
    slug: str
    name: str
    zone: str
    status: TenantStatus
    epoch: int
    currencies: tuple[str, ...]
    total_tolerance: int
    backdating: timedelta
    ahead: timedelta
    parking: timedelta
    enroll_on_purchase: bool
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTenant:
    """A tenant that may be created: its slug and settings are checked."""

    tenant_id: UUID
    slug: str
    settings: dict[str, Any]


def new_tenant(*, slug: str, settings: TenantSettings) -> NewTenant:
    """Check a tenant to be; it needs a name and a zone.

    :raises Refused: BAD_USER_INPUT, CURRENCY_NOT_LISTED
    """
    check_slug(slug)
    for field in ("name", "zone"):
        if getattr(settings, field) is None:
            raise Refused(Code.BAD_USER_INPUT, "is needed", field=field)
    return NewTenant(tenant_id=new_id(), slug=slug, settings=settings.checked())


async def create_tenant(
    database: Database, by: Actor, *, slug: str, settings: TenantSettings, now: datetime
) -> TenantRecord:
    """Create a tenant with a name and a zone; in a transaction of its own.

    :raises Refused: ALREADY_EXISTS (slug), BAD_USER_INPUT, CURRENCY_NOT_LISTED
    """
    new = new_tenant(slug=slug, settings=settings)
    async with database.tenant(new.tenant_id) as connection:
        return await add_tenant(connection, by, new, now=now)


async def add_tenant(
    connection: Connection, by: Actor, new: NewTenant, *, now: datetime
) -> TenantRecord:
    """Create the tenant in its own transaction.

    :raises Refused: ALREADY_EXISTS (slug)
    """
    columns = {
        "tenant_id": new.tenant_id,
        "slug": new.slug,
        "created_at": now,
        **new.settings,
    }
    names, places = ", ".join(columns), ", ".join(f"${i + 1}" for i in range(len(columns)))
    try:
        await connection.execute(
            "insert into loyalty.slug (tenant_id, slug) values ($1, $2)", new.tenant_id, new.slug
        )
        await connection.execute(
            f"insert into loyalty.tenant ({names}) values ({places})", *columns.values()
        )
    except UniqueViolationError:
        raise Refused(
            Code.ALREADY_EXISTS, f"the slug {new.slug!r} is taken", field="slug"
        ) from None
    await audit.write(
        connection,
        by,
        action="tenant.create",
        subject=f"tenant:{new.slug}",
        details=_shown(new.settings),
        now=now,
    )
    return await tenant(connection)


async def update_tenant(
    connection: Connection, by: Actor, settings: TenantSettings, *, now: datetime
) -> TenantRecord:
    """Change settings of the transaction's tenant.

    :raises Refused: BAD_USER_INPUT, CURRENCY_NOT_LISTED
    """
    given = settings.checked()
    before = await _locked(connection)
    changed = {name: value for name, value in given.items() if getattr(before, name) != value}
    if changed:
        assignments = ", ".join(f"{name} = ${i + 1}" for i, name in enumerate(changed))
        await connection.execute(
            f"update loyalty.tenant set {assignments} where tenant_id = loyalty.tenant()",
            *changed.values(),
        )
    await audit.write(
        connection,
        by,
        action="tenant.update",
        subject=f"tenant:{before.slug}",
        details=_shown(changed),
        now=now,
    )
    return await tenant(connection)


async def suspend_tenant(connection: Connection, by: Actor, *, now: datetime) -> TenantRecord:
    """Refuse everybody but operators from now on; harmless when it is suspended already."""
    return await _set_status(connection, by, TenantStatus.SUSPENDED, "tenant.suspend", now)


async def resume_tenant(connection: Connection, by: Actor, *, now: datetime) -> TenantRecord:
    """Serve a suspended tenant again."""
    return await _set_status(connection, by, TenantStatus.ACTIVE, "tenant.resume", now)


async def tenant(connection: Connection) -> TenantRecord:
    """The transaction's tenant.

    :raises Refused: NOT_FOUND
    """
    row = await connection.fetchrow(
        """select tenant_id, slug, name, zone, status, epoch, currencies, total_tolerance,
                  backdating, ahead, parking, enroll_on_purchase, created_at
             from loyalty.tenant where tenant_id = loyalty.tenant()"""
    )
    if row is None:
        raise Refused(Code.NOT_FOUND, "there is no such tenant")
    values = dict(row)
    values["status"] = TenantStatus(values["status"])
    values["currencies"] = tuple(values["currencies"])
    return TenantRecord(**values)


async def page(
    database: Database, *, beyond: UUID | None, count: int, backward: bool = False
) -> Sequence[TenantRecord]:
    """Tenants in the order they were created, `count` of them beyond a tenant's id; for operators.

    One narrow function reads them all: row security shows a transaction its own tenant only.
    """
    rows = await database.unscoped(
        "select loyalty.tenant_page($1, $2, $3)", beyond, count, backward
    )
    return [_listed(row) for row in rows]


async def tenant_of_slug(database: Database, slug: str) -> UUID | None:
    """Which tenant goes by this slug."""
    found = await database.unscoped("select loyalty.tenant_of_slug($1)", slug)
    return None if found is None else UUID(str(found))


async def _set_status(
    connection: Connection, by: Actor, status: TenantStatus, action: str, now: datetime
) -> TenantRecord:
    before = await _locked(connection)
    await connection.execute(
        "update loyalty.tenant set status = $1 where tenant_id = loyalty.tenant()",
        status.value,
    )
    await audit.write(
        connection,
        by,
        action=action,
        subject=f"tenant:{before.slug}",
        details={"from": before.status, "to": status},
        now=now,
    )
    return await tenant(connection)


async def _locked(connection: Connection) -> TenantRecord:
    try:
        await raise_epoch(connection)
    except LookupError:
        raise Refused(Code.NOT_FOUND, "there is no such tenant") from None
    return await tenant(connection)


def _listed(row: dict[str, Any]) -> TenantRecord:
    """A tenant as `loyalty.tenant_page` writes it: spans in seconds, instants as texts."""
    spans = {name: timedelta(seconds=row[name]) for name in ("backdating", "ahead", "parking")}
    return TenantRecord(
        **{
            **row,
            **spans,
            "tenant_id": UUID(row["tenant_id"]),
            "status": TenantStatus(row["status"]),
            "currencies": tuple(row["currencies"]),
            "created_at": datetime.fromisoformat(row["created_at"]),
        }
    )


def _shown(values: dict[str, Any]) -> dict[str, Any]:
    """Settings as the audit trail writes them: spans in seconds."""
    return {
        name: value.total_seconds() if isinstance(value, timedelta) else value
        for name, value in values.items()
    }
