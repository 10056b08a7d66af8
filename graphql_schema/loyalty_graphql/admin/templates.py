"""Templates: programs that ship with the product, and a draft made from one."""

import strawberry

from loyalty.errors import Code, Refused
from loyalty_graphql.access import allow, reached
from loyalty_graphql.admin.changes import changing
from loyalty_graphql.admin.program_mutations import ProgramPayload, asked
from loyalty_graphql.admin.units import Unit
from loyalty_graphql.context import Context, RequestInfo
from loyalty_graphql.scalars import Config
from loyalty_tenants import starting
from loyalty_tenants.config_errors import unknown_key
from loyalty_tenants.principal import Role
from loyalty_tenants.program_records import ProgramRecord
from loyalty_tenants.templates import Template


@strawberry.type
@reached
class ProgramTemplate:
    """A program of the real world to start from."""

    slug: str
    """What `startProgram` takes as its template."""
    kind: str
    """Its kind, one of `programKinds`."""
    title: str
    """Which program it is like."""
    description: str
    """What it does, in a sentence or two."""
    units: list[Unit]
    """The units it needs."""
    config: Config
    """Its config."""
    source: str
    """Its program file in YAML, with comments, as `loyalty programs apply` takes it."""


@strawberry.input
class StartProgramInput:
    """Which template to start from."""

    template: str
    """Slug of the template, one of `programTemplates`."""
    slug: str | None = None
    """Short name of the new program; null: the template's."""
    name: str | None = None
    """What people call it; null: as the template does."""
    create_units: bool = False
    """Whether units that the template needs and the tenant has not are created."""


@strawberry.type
class TemplateQuery:
    @strawberry.field
    @allow(Role.ADMIN, Role.SERVICE, Role.OPERATOR, scope="programs:read")
    def program_templates(self, info: RequestInfo) -> list[ProgramTemplate]:
        """The programs that ship with the product, by slug."""
        return [_shown(one) for one in info.context.api.configs.templates.values()]


@strawberry.type
class TemplateMutation:
    @strawberry.mutation
    @allow(Role.ADMIN, Role.OPERATOR, scope="programs:write")
    async def start_program(self, info: RequestInfo, input: StartProgramInput) -> ProgramPayload:
        """Create a draft from a template; it does nothing until it is published.

        :param input: which template
        """
        return await asked(info.context, _started(info.context, input))


async def _started(context: Context, given: StartProgramInput) -> ProgramRecord:
    known = context.api.configs.templates
    if (template := known.get(given.template)) is None:
        raise Refused(
            Code.BAD_USER_INPUT,
            unknown_key(given.template, known).replace("key", "template", 1),
            field="template",
        )
    async with changing(context) as connection:
        return await starting.start_program(
            connection,
            context.api.configs,
            context.actor,
            template,
            slug=given.slug,
            name=given.name,
            create_units=given.create_units,
            now=context.api.clock.now(),
        )


def _shown(template: Template) -> ProgramTemplate:
    return ProgramTemplate(
        slug=template.slug,
        kind=template.kind,
        title=template.title,
        description=template.description,
        units=[
            Unit(code=unit.code, name=unit.name, places=unit.places, kind=unit.kind)
            for unit in template.units
        ],
        config=Config(dict(template.config)),
        source=template.source,
    )
