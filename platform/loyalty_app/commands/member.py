"""`loyalty member`: what a person may ask of whoever keeps their data."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer

from loyalty_app.problem import Problem
from loyalty_app.settings import Settings

if TYPE_CHECKING:
    from loyalty.facts import MemberRef
    from loyalty_tenants.privacy.erasures import Erased

app = typer.Typer(help="Members' data: a copy, and an end of it.", no_args_is_help=True)

Tenant = Annotated[str, typer.Argument(help="Slug of the tenant.")]
Named = Annotated[str | None, typer.Option("--external-id", help="The tenant's own id of them.")]
Card = Annotated[str | None, typer.Option("--identifier", help="A card, a phone number.")]
Id = Annotated[str | None, typer.Option("--id", help="Their id in the API.")]


@app.callback()
def member() -> None:
    """Members' data: a copy, and an end of it."""


@app.command()
def export(
    tenant: Tenant,
    external_id: Named = None,
    identifier: Card = None,
    ident: Id = None,
    to: Annotated[Path | None, typer.Option(help="Write to this file.")] = None,
) -> None:
    """Write all that is held about a member as JSON, to the terminal or into a file."""
    ref = _ref(external_id, identifier, ident)
    found = asyncio.run(_export(Settings.load(), tenant, ref))
    text = orjson.dumps(found, option=orjson.OPT_INDENT_2).decode()
    if to is None:
        typer.echo(text)
    else:
        to.touch(mode=0o600)  # a person's data: for nobody else on this machine
        to.write_text(f"{text}\n")


@app.command()
def erase(
    tenant: Tenant,
    external_id: Named = None,
    identifier: Card = None,
    ident: Id = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask: it cannot be undone.")] = False,
) -> None:
    """Erase a member: close the membership, and take away whatever says who they were."""
    ref = _ref(external_id, identifier, ident)
    if not yes:
        typer.confirm("Nobody can bring back what this takes away. Go on?", abort=True)
    done = asyncio.run(_erase(Settings.load(), tenant, ref))
    typer.echo(f"Erased member {done.member_id}{', once more' if done.replayed else ''}.")


def _ref(external_id: str | None, identifier: str | None, ident: str | None) -> "MemberRef":
    from loyalty.errors import Refused
    from loyalty.facts import MemberRef
    from loyalty_graphql.ids import uuid_of

    try:
        known = None if ident is None else uuid_of(ident, "Member", field="id")
        return MemberRef(id=known, external_id=external_id, identifier=identifier)
    except (Refused, ValueError):
        raise Problem(
            "It is not clear who is meant",
            "Give exactly one of --external-id, --identifier and --id",
        ) from None


async def _export(settings: Settings, slug: str, ref: "MemberRef") -> dict[str, Any]:
    from loyalty import members
    from loyalty.privacy import exporting
    from loyalty_app.commands.naming import BY, tenant_named
    from loyalty_app.ledger import open_ledger
    from loyalty_tenants import audit
    from loyalty_tenants.privacy.erasures import Erasures

    tenant_id, dsn = await tenant_named(settings, slug), settings.need("app_database_url")
    async with open_ledger(settings, dsn, pool=1) as ledger:
        database, now = ledger.database, ledger.recorder.clock.now()
        registry = Erasures(database, ledger.plugins, ledger.recorder.clock).registry
        async with database.tenant(tenant_id) as connection:
            if (found := await members.find(connection, ref)) is None:
                raise _nobody()
            await audit.write(
                connection, BY, action="member.export", subject=f"member:{found.id}", now=now
            )
        rows: dict[str, list[Any]] = {}
        async with database.tenant(tenant_id, read_only=True) as connection:
            await connection.execute("set transaction isolation level repeatable read")
            async for held in exporting.everything(connection, registry, found.id):
                rows.setdefault(held.table, []).append(held.row)
    return {"tenant": slug, "exportedAt": now.isoformat(), "rows": rows}


async def _erase(settings: Settings, slug: str, ref: "MemberRef") -> "Erased":
    from loyalty.errors import Code, Refused
    from loyalty.facts import MemberClosed, MemberErased
    from loyalty.recorder.lane import Lanes
    from loyalty.settlement.request import Recorded
    from loyalty_app.commands.naming import BY, tenant_named
    from loyalty_app.ledger import open_ledger
    from loyalty_tenants.privacy.erasures import Erasures, request_of

    tenant_id, dsn = await tenant_named(settings, slug), settings.need("app_database_url")
    async with open_ledger(settings, dsn, pool=2) as ledger:
        lanes = Lanes(ledger.recorder)
        erasures = Erasures(ledger.database, ledger.plugins, ledger.recorder.clock)

        async def record(fact: MemberClosed | MemberErased) -> Recorded:
            return await lanes.record(tenant_id, request_of(fact, BY))

        try:
            done = await erasures.erase(tenant_id, ref, BY, record, pages=1)
            while not done.complete and await erasures.go_on(tenant_id, done.member_id, pages=1):
                pass
        except Refused as refused:
            if refused.code is Code.MEMBER_NOT_FOUND:
                raise _nobody() from None
            raise
        finally:
            await lanes.close()
    return done


def _nobody() -> Problem:
    return Problem("The tenant has no such member", "Who was erased is found by --id alone")
