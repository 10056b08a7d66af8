"""`loyalty templates`: the programs that ship with the product."""

import asyncio
from typing import Annotated

import typer

from loyalty_app.commands.programs import Key, Tenant, Url
from loyalty_app.problem import Problem

app = typer.Typer(help="Programs to start from.", no_args_is_help=True)


@app.callback()
def templates() -> None:
    """Programs to start from."""


@app.command("list")
def list_() -> None:
    """List the templates that are installed."""
    from loyalty_app.installed import installed
    from loyalty_tenants.templates import templates_of

    for template in templates_of(installed()):
        typer.echo(f"{template.slug:<18} {template.title} ({template.kind})")
        typer.echo(f"{'':<18} {template.description}")


@app.command()
def show(slug: Annotated[str, typer.Argument(help="Of the template.")]) -> None:
    """Print a template's program file: save it, change it, `loyalty programs apply` it."""
    from loyalty_app.installed import installed
    from loyalty_tenants.templates import templates_of

    known = {template.slug: template for template in templates_of(installed())}
    if slug not in known:
        raise Problem(f"There is no template {slug!r}", f"There are: {', '.join(known)}")
    typer.echo(known[slug].source, nl=False)


@app.command()
def start(
    template: Annotated[str, typer.Argument(help="Slug of the template.")],
    slug: Annotated[str | None, typer.Option(help="Another slug for the program.")] = None,
    name: Annotated[str | None, typer.Option(help="Another name for it.")] = None,
    create_units: Annotated[
        bool, typer.Option("--create-units", help="Create the units that are missing.")
    ] = False,
    url: Url = None,
    key: Key = None,
    tenant: Tenant = None,
) -> None:
    """Create a draft from a template; `publishProgram` puts it in force."""
    from loyalty_app.programs import documents
    from loyalty_app.programs.asking import asking, refusals

    given = {"template": template, "slug": slug, "name": name, "createUnits": create_units}

    async def started() -> dict[str, object]:
        async with asking(url, key, tenant) as api:
            payload: dict[str, object] = (await api.ask(documents.START, input=given))[
                "startProgram"
            ]
            return payload

    payload = asyncio.run(started())
    if wrong := refusals(payload):
        what = "\n".join(f"{one['field']}: {one['message']}" for one in wrong)
        missing_units = any(one["field"] == "createUnits" for one in wrong)
        raise Problem(what, "Add --create-units" if missing_units else "Correct it and try again")
    program = payload["program"]
    assert isinstance(program, dict)
    typer.echo(
        f"Created the draft {program['slug']}. Next: loyalty programs export {slug or template}"
    )
