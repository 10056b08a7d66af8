"""Creating, changing, publishing, rolling back and archiving programs."""

from collections.abc import Awaitable
from datetime import datetime
from uuid import UUID

import strawberry

from loyalty.plugin import Connection
from loyalty_graphql.access import allow, reached
from loyalty_graphql.admin.changes import changing
from loyalty_graphql.admin.programs import Program, ProgramVersion, shown_program, shown_version
from loyalty_graphql.approvals import ApprovalRequest, shown_approval
from loyalty_graphql.context import Context, RequestInfo
from loyalty_graphql.failures import UserError, user_errors
from loyalty_graphql.ids import uuid_of
from loyalty_graphql.outcomes import attempted
from loyalty_graphql.scalars import Config
from loyalty_tenants import program_records, programs, publishing
from loyalty_tenants.desk import approvable
from loyalty_tenants.desk.approvals import Approval
from loyalty_tenants.principal import Role
from loyalty_tenants.program_records import ProgramRecord, VersionRecord


@strawberry.input
class CreateProgramInput:
    """A new program, as a draft."""

    slug: str
    """Its short name, 2 to 40 of a-z, 0-9 and -; never changes."""
    kind: str
    """Its kind, one of `programKinds`."""
    name: str
    """What people call it."""
    config: Config
    """Its config, by the `configSchema` of its kind. Secret keys are kept apart."""
    position: int | None = None
    """Its place among programs that react at the same stage; null: the last."""


@strawberry.input
class UpdateProgramInput:
    """What to change of a program; what is not given stays."""

    id: strawberry.ID
    """Of the program."""
    expected_version: int
    """The version that was seen; refused with VERSION_CONFLICT where it changed since."""
    name: str | None = None
    """What people call it."""
    config: Config | None = None
    """The draft as a whole. A secret that is left out is kept, one given as null is forgotten."""
    position: int | None = None
    """Its place among programs that react at the same stage."""


@strawberry.input
class PublishProgramInput:
    """Which draft to publish."""

    id: strawberry.ID
    """Of the program."""
    expected_version: int
    """The version that was seen; refused with VERSION_CONFLICT where it changed since."""
    effective_from: datetime | None = None
    """From when on it judges; null: from now. In the past only while nothing is recorded since."""


@strawberry.input
class RollBackProgramInput:
    """Which version to go back to."""

    id: strawberry.ID
    """Of the program."""
    expected_version: int
    """The version that was seen; refused with VERSION_CONFLICT where it changed since."""
    number: int
    """The number of the published version whose config is to be in force again."""
    effective_from: datetime | None = None
    """From when on it judges; null: from now. In the past only while nothing is recorded since."""


@strawberry.input
class ArchiveProgramInput:
    """Which program to end."""

    id: strawberry.ID
    """Of the program."""
    expected_version: int
    """The version that was seen; refused with VERSION_CONFLICT where it changed since."""


@strawberry.type
@reached
class ProgramPayload:
    """A program after what was asked."""

    program: Program | None
    """As it is now; null where nothing was done."""
    user_errors: list[UserError]
    """Why nothing was done; empty where it was."""


@strawberry.type
@reached
class PublishProgramPayload:
    """A program and the version that was published."""

    program: Program | None
    """As it is now; null where nothing was done."""
    version: ProgramVersion | None
    """What was published; null where nothing was, or not yet."""
    approval: ApprovalRequest | None
    """What a second person must approve first, where the tenant's rule says so."""
    user_errors: list[UserError]
    """Why nothing was done; empty where it was."""


@strawberry.type
class ProgramMutation:
    @strawberry.mutation
    @allow(Role.ADMIN, Role.OPERATOR, scope="programs:write")
    async def create_program(self, info: RequestInfo, input: CreateProgramInput) -> ProgramPayload:
        """Create a program as a draft; it does nothing until it is published.

        :param input: the program
        """
        return await asked(info.context, _created(info.context, input))

    @strawberry.mutation
    @allow(Role.ADMIN, Role.OPERATOR, scope="programs:write")
    async def update_program(self, info: RequestInfo, input: UpdateProgramInput) -> ProgramPayload:
        """Change the draft, name or place of a program; what is published stays as it is.

        :param input: which program, and what to change
        """
        return await asked(info.context, _updated(info.context, input))

    @strawberry.mutation
    @allow(Role.ADMIN, Role.OPERATOR, scope="programs:write")
    async def publish_program(
        self, info: RequestInfo, input: PublishProgramInput
    ) -> PublishProgramPayload:
        """Publish the draft of a program as a version that never changes.

        :param input: which program, and from when on
        """
        return await _published_payload(info.context, _published(info.context, input))

    @strawberry.mutation
    @allow(Role.ADMIN, Role.OPERATOR, scope="programs:write")
    async def roll_back_program(
        self, info: RequestInfo, input: RollBackProgramInput
    ) -> PublishProgramPayload:
        """Publish the config of an earlier version anew, as a version of its own. What was
        published stays in the history, and the draft as it is.

        :param input: which program and version, and from when on
        """
        return await _published_payload(info.context, _rolled_back(info.context, input))

    @strawberry.mutation
    @allow(Role.ADMIN, Role.OPERATOR, scope="programs:write")
    async def archive_program(
        self, info: RequestInfo, input: ArchiveProgramInput
    ) -> ProgramPayload:
        """End a program: from now on it reacts to nothing. What it granted stays.

        :param input: which program
        """
        return await asked(info.context, _archived(info.context, input))


async def asked(context: Context, doing: Awaitable[ProgramRecord]) -> ProgramPayload:
    """The payload of what came of it."""
    record, refused = await attempted(doing)
    return ProgramPayload(
        program=None if record is None else shown_program(context, record),
        user_errors=user_errors(refused),
    )


async def _published_payload(
    context: Context, doing: Awaitable[tuple[ProgramRecord, VersionRecord | Approval]]
) -> PublishProgramPayload:
    done, refused = await attempted(doing)
    program, made = (None, None) if done is None else done
    approval = None
    if isinstance(made, Approval):
        approval = shown_approval(made, context.api.clock.now(), await context.setup())
    return PublishProgramPayload(
        program=None if program is None else shown_program(context, program),
        version=shown_version(made) if isinstance(made, VersionRecord) else None,
        approval=approval,
        user_errors=user_errors(refused),
    )


async def _created(context: Context, given: CreateProgramInput) -> ProgramRecord:
    async with changing(context) as connection:
        return await programs.create_program(
            connection,
            context.api.configs,
            context.actor,
            slug=given.slug,
            kind=given.kind,
            name=given.name,
            config=given.config,
            position=given.position,
            now=context.api.clock.now(),
        )


async def _updated(context: Context, given: UpdateProgramInput) -> ProgramRecord:
    program_id = uuid_of(given.id, "Program", field="id")
    async with changing(context) as connection:
        return await programs.update_program(
            connection,
            context.api.configs,
            context.actor,
            program_id,
            expected_version=given.expected_version,
            name=given.name,
            config=given.config,
            position=given.position,
            now=context.api.clock.now(),
        )


async def _published(
    context: Context, given: PublishProgramInput
) -> tuple[ProgramRecord, VersionRecord | Approval]:
    program_id = uuid_of(given.id, "Program", field="id")
    async with changing(context) as connection:
        if (asked := await _asked_for(connection, context, program_id, given, None)) is not None:
            return await program_records.program(connection, program_id), asked
        version = await publishing.publish_program(
            connection,
            context.api.configs,
            context.actor,
            program_id,
            expected_version=given.expected_version,
            effective_from=given.effective_from,
            now=context.api.clock.now(),
        )
        return await program_records.program(connection, program_id), version


async def _asked_for(
    connection: Connection,
    context: Context,
    program_id: UUID,
    given: PublishProgramInput | RollBackProgramInput,
    number: int | None,
) -> Approval | None:
    """The request of a second person, where the tenant's rule wants one."""
    return await approvable.ask(
        connection, context.api.configs, context.actor, context.who.client, program_id,
        expected_version=given.expected_version, number=number,
        effective_from=given.effective_from, now=context.api.clock.now(),
    )  # fmt: skip


async def _rolled_back(
    context: Context, given: RollBackProgramInput
) -> tuple[ProgramRecord, VersionRecord | Approval]:
    program_id = uuid_of(given.id, "Program", field="id")
    async with changing(context) as connection:
        asked = await _asked_for(connection, context, program_id, given, given.number)
        if asked is not None:
            return await program_records.program(connection, program_id), asked
        version = await publishing.roll_back_program(
            connection,
            context.api.configs,
            context.actor,
            program_id,
            expected_version=given.expected_version,
            number=given.number,
            effective_from=given.effective_from,
            now=context.api.clock.now(),
        )
        return await program_records.program(connection, program_id), version


async def _archived(context: Context, given: ArchiveProgramInput) -> ProgramRecord:
    program_id = uuid_of(given.id, "Program", field="id")
    async with changing(context) as connection:
        return await programs.archive_program(
            connection,
            context.actor,
            program_id,
            expected_version=given.expected_version,
            now=context.api.clock.now(),
        )
