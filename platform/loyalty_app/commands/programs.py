"""`loyalty programs`: a tenant's programs as files."""

import asyncio
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from loyalty_app.problem import Problem

if TYPE_CHECKING:
    from loyalty_app.programs.plan import Plan

DIFFERS = 2

app = typer.Typer(help="Programs as files (YAML).", no_args_is_help=True)

Url = Annotated[
    str | None, typer.Option(envvar="LOYALTY_URL", help="Where the platform runs.")
]  # fmt: skip
Key = Annotated[
    str | None,
    typer.Option(envvar="LOYALTY_KEY", help="An admin's API key.", show_envvar=True),
]
Tenant = Annotated[
    str | None,
    typer.Option(help="A tenant's slug: by the database settings, without a running platform."),
]
Files = Annotated[list[Path], typer.Argument(help="Program files.")]


@app.callback()
def programs() -> None:
    """Programs as files (YAML)."""


@app.command()
def export(
    slug: Annotated[str, typer.Argument(help="Of the program.")],
    to: Annotated[
        Path | None,
        typer.Option(help="Write to this file; one that is there keeps its comments."),
    ] = None,
    url: Url = None,
    key: Key = None,
    tenant: Tenant = None,
) -> None:
    """Write a program's draft as a program file, to the terminal or into a file."""
    from loyalty_app.programs import documents
    from loyalty_app.programs.asking import asking
    from loyalty_app.programs.exporting import exported

    async def load() -> dict[str, list[dict[str, object]]]:
        async with asking(url, key, tenant) as api:
            found: dict[str, list[dict[str, object]]] = await api.ask(documents.PROGRAMS)
            return found

    data = asyncio.run(load())
    program = next((one for one in data["programs"] if one["slug"] == slug), None)
    if program is None:
        known = ", ".join(str(one["slug"]) for one in data["programs"]) or "none"
        raise Problem(f"There is no program {slug!r}", f"The tenant has: {known}")
    there = to.read_text("utf-8") if to is not None and to.exists() else None
    text = exported(program, data["units"], into=there, path=str(to))
    if to is None:
        typer.echo(text, nl=False)
    elif text != there:
        to.write_text(text, "utf-8")


@app.command()
def diff(files: Files, url: Url = None, key: Key = None, tenant: Tenant = None) -> None:
    """Show what applying program files would change.

    Exit code 0 where it would change nothing, 2 where it would, 1 where a file has a mistake.
    """
    plans = _plans(files, url, key, tenant)
    _print(plans)
    if not all(plan.empty for plan in plans):
        raise typer.Exit(DIFFERS)


@app.command("apply")
def apply_(
    files: Files,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; else it is only shown.")] = False,
    publish: Annotated[
        bool, typer.Option("--publish", help="Publish what is not published yet, too.")
    ] = False,
    effective_from: Annotated[
        str | None,
        typer.Option("--from", help="Publish, in force from this instant on (RFC 3339)."),
    ] = None,
    url: Url = None,
    key: Key = None,
    tenant: Tenant = None,
) -> None:
    """Make drafts what program files say; without --yes only show what would change.

    A file that is applied is never written to.
    """
    publish, since = publish or effective_from is not None, _instant(effective_from)
    plans = _plans(files, url, key, tenant)
    _print(plans)
    wanted = [plan for plan in plans if not plan.empty or (publish and plan.unpublished(since))]
    if publish:
        for plan in wanted:
            typer.echo(f"{plan.file.path}: is to be published")
    if not yes:
        if wanted:
            typer.echo("Nothing was done. Repeat it with --yes.")
        return
    for line in asyncio.run(_apply(wanted, publish, since, url, key, tenant)):
        typer.echo(line)


def _instant(text: str | None) -> datetime | None:
    """:raises Problem: it is no instant"""
    from graphql import GraphQLError

    from loyalty_graphql.scalars import parse_instant

    try:
        return None if text is None else parse_instant(text)
    except GraphQLError as error:
        raise Problem(f"--from {text}: {error.message}", "Nothing was changed") from None


def _plans(files: list[Path], url: Url, key: Key, tenant: Tenant) -> "list[Plan]":
    from loyalty_app.programs.asking import asking
    from loyalty_app.programs.plan import plan
    from loyalty_app.programs.program_file import read

    given = [read(path) for path in files]  # all of them before anything is asked

    async def made() -> "list[Plan]":
        async with asking(url, key, tenant) as api:
            return [await plan(api, file) for file in given]

    return asyncio.run(made())


def _print(plans: "list[Plan]") -> None:
    from loyalty_app.programs.printing import lines

    for plan in plans:
        typer.echo(f"{plan.file.path}: " + ("no change" if plan.empty else plan.file.slug))
        for line in lines(plan):
            typer.echo(f"  {line}")


async def _apply(
    plans: "list[Plan]",
    publish: bool,
    effective_from: datetime | None,
    url: Url,
    key: Key,
    tenant: Tenant,
) -> list[str]:
    from loyalty_app.programs.applying import apply
    from loyalty_app.programs.asking import asking

    told: list[str] = []
    async with asking(url, key, tenant) as api:
        for plan in plans:
            done = await apply(api, plan, publish=publish, effective_from=effective_from)
            told += [f"{plan.file.path}: {line}" for line in done]
    return told
