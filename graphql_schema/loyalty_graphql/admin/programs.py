"""Programs: what a tenant runs, as drafts and published versions."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, cast
from uuid import UUID

import strawberry
from strawberry.dataloader import DataLoader

from loyalty_graphql.access import allow, only, reached
from loyalty_graphql.admin.roles import EVERYONE
from loyalty_graphql.context import Context, RequestInfo
from loyalty_graphql.enums import exposed
from loyalty_graphql.ids import node_id
from loyalty_graphql.nodes import Node
from loyalty_graphql.scalars import Config, Json
from loyalty_tenants import program_records
from loyalty_tenants.config_diff import Change, ChangeKind
from loyalty_tenants.config_diff import changes as config_changes
from loyalty_tenants.principal import Role
from loyalty_tenants.program_records import (
    ProgramRecord,
    ProgramStatus,
    VersionRecord,
    VersionState,
)

VERSIONS_MAX = 50

exposed(
    ProgramStatus,
    description="Where a program is in its life.",
    values={
        ProgramStatus.DRAFT: "Never published: it does nothing yet.",
        ProgramStatus.ACTIVE: "Published.",
        ProgramStatus.ARCHIVED: "Ended: it reacts to nothing any more; what it granted stays.",
    },
)
exposed(
    ChangeKind,
    name="ConfigChangeKind",
    description="What became of a key.",
    values={
        ChangeKind.ADDED: "It was not there before.",
        ChangeKind.REMOVED: "It is not there any more.",
        ChangeKind.CHANGED: "It has another value.",
        ChangeKind.REORDERED: "The things of a list stand in another order.",
    },
)
exposed(
    VersionState,
    name="ProgramVersionState",
    description="Whether a published version judges.",
    values={
        VersionState.BACKFILLING: "Its new counters are being filled from history; the version "
        "before it goes on until that is done.",
        VersionState.ACTIVE: "It judges from its instant on.",
    },
)

Versions = DataLoader[UUID, Sequence[VersionRecord]]
SETTERS = (Role.ADMIN, Role.SERVICE, Role.OPERATOR)


@strawberry.type
@reached
class ProgramVersion:
    """A published config; it never changes."""

    id: strawberry.ID
    """Opaque and globally unique."""
    number: int
    """1 for the first."""
    config: Config
    """The config, every key with its default filled in."""
    effective_from: datetime
    """From when on it judges, unless its counters had to be filled first."""
    published_at: datetime
    """When it was published."""
    published_by: str
    """Who published it."""
    state: VersionState
    """Whether it judges."""
    activated_at: datetime | None
    """When its counters were filled, where they had to be."""


@strawberry.type
@reached
class ConfigChange:
    """One key that differs between two configs."""

    path: str
    """The key's path, such as `config.rules[spend].points`: rules go by their ids."""
    kind: ChangeKind
    """What became of it."""
    before: Json | None
    """Its value before; null where it was added. Of REORDERED: the names in their order."""
    after: Json | None
    """Its value after; null where it was removed. Of REORDERED: the names in their order."""


@strawberry.type
@reached
class Program(Node):
    """A program of some kind that a tenant runs under a slug."""

    slug: str
    """Its short name, unique in the tenant; never changes."""
    kind: str
    """Its kind, one of `programKinds`."""
    name: str
    """What people call it."""
    position: int
    """Its place among programs that react at the same stage."""
    status: ProgramStatus
    """Where it is in its life."""
    version: int
    """Rises with each change; pass it as `expectedVersion` to change what you have seen."""
    created_at: datetime
    """When it was created."""
    archived_at: datetime | None
    """When it ended."""
    config: Annotated[Config, only(*SETTERS, scope="programs:read")]
    """The draft, as it was written; it does nothing until it is published. Never has secrets."""
    secrets_set: Annotated[list[str], only(*SETTERS, scope="programs:read")]
    """Names of the secret config keys that have a value."""
    key: strawberry.Private[UUID]
    loader: strawberry.Private[Versions]

    @strawberry.field
    @allow(*SETTERS, scope="programs:read")
    async def versions(self) -> list[ProgramVersion]:
        """Its published configs, newest first, the last 50 of them."""
        return [shown_version(one) for one in await self.loader.load(self.key)]

    @strawberry.field
    @allow(*SETTERS, scope="programs:read")
    async def changes(
        self, info: RequestInfo, before: int | None = None, after: int | None = None
    ) -> list[ConfigChange] | None:
        """What differs between two of its configs, defaults filled in. Null where there is no such
        version among the last 50.

        :param before: number of the published version to start from; default: the newest
        :param after: number of the version to compare it with; default: the draft
        """
        known = {version.number: version.config for version in await self.loader.load(self.key)}
        old = known.get(max(known, default=0) if before is None else before)
        new = cast(dict[str, Any], self.config) if after is None else known.get(after)
        if new is None or (old is None and before is not None):
            return None
        configs = info.context.api.configs
        started = {} if old is None else configs.filled(self.kind, old)
        found = config_changes(started, configs.filled(self.kind, new))
        return [shown_change(change) for change in found]


@strawberry.type
class ProgramQuery:
    @strawberry.field
    @allow(*EVERYONE, scope="programs:read")
    async def programs(
        self, info: RequestInfo, kind: str | None = None, status: ProgramStatus | None = None
    ) -> list[Program]:
        """The tenant's programs in their order. Members and partners see active ones only.

        :param kind: only those of a kind
        :param status: only those with a status
        """
        context = info.context
        async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
            found = await program_records.programs(connection)
        return shown_programs(
            context,
            [
                record
                for record in found
                if kind in (None, record.kind)
                and status in (None, record.status)
                and _may_see(context, record)
            ],
        )

    @strawberry.field
    @allow(*EVERYONE, scope="programs:read")
    async def program(self, info: RequestInfo, slug: str) -> Program | None:
        """A program by its slug; null where there is none to be seen.

        :param slug: of the program
        """
        context = info.context
        async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
            found = await program_records.program_by_slug(connection, slug)
        return shown_program(context, found) if found and _may_see(context, found) else None


async def visible_program(context: Context, ident: UUID) -> Program | None:
    """The program, if the caller, who may read programs, may see this one."""
    async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
        found = await program_records.program_by_id(connection, ident)
    return shown_program(context, found) if found and _may_see(context, found) else None


def shown_programs(context: Context, records: Sequence[ProgramRecord]) -> list[Program]:
    """Programs that load their versions together. A loader for each call: no answer outlives it."""

    async def load(keys: list[UUID]) -> list[Sequence[VersionRecord]]:
        async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
            found = await program_records.latest_versions(connection, keys, count=VERSIONS_MAX)
        return [found[key] for key in keys]

    loader: Versions = DataLoader(load)
    return [_shown(record, loader) for record in records]


def shown_program(context: Context, record: ProgramRecord) -> Program:
    return shown_programs(context, [record])[0]


def shown_version(record: VersionRecord) -> ProgramVersion:
    return ProgramVersion(
        id=node_id("ProgramVersion", record.id),
        number=record.number,
        config=Config(dict(record.config)),
        effective_from=record.effective_from,
        published_at=record.published_at,
        published_by=record.published_by,
        state=record.state,
        activated_at=record.activated_at,
    )


def shown_change(change: Change) -> ConfigChange:
    return ConfigChange(
        path=change.path, kind=change.kind, before=Json(change.before), after=Json(change.after)
    )


def _may_see(context: Context, record: ProgramRecord) -> bool:
    """What is not in force yet or any more is nobody's business outside the tenant."""
    return context.who.role in SETTERS or record.status is ProgramStatus.ACTIVE


def _shown(record: ProgramRecord, loader: Versions) -> Program:
    return Program(
        id=node_id("Program", record.id),
        slug=record.slug,
        kind=record.kind,
        name=record.name,
        position=record.position,
        status=record.status,
        version=record.version,
        created_at=record.created_at,
        archived_at=record.archived_at,
        config=Config(dict(record.config)),
        secrets_set=list(record.secret_names),
        key=record.id,
        loader=loader,
    )
