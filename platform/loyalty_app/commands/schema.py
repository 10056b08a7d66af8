"""`loyalty schema`"""

from pathlib import Path
from typing import Annotated

import typer

from loyalty_app.problem import Problem

COMMITTED = Path("graphql_schema/schema.graphql")


def schema(
    write: Annotated[bool, typer.Option("--write", help="Write it to the committed file.")] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Fail where the committed file is another.")
    ] = False,
) -> None:
    """Print the GraphQL schema of this release with the plugins that ship with it."""
    from loyalty_app.installed import shipped
    from loyalty_graphql.compose import compose, sdl
    from loyalty_graphql.core import CORE

    text = sdl(compose(CORE, shipped()))
    if write:
        COMMITTED.write_text(text, "utf-8")
    elif not check:
        typer.echo(text, nl=False)
    elif not COMMITTED.exists() or COMMITTED.read_text("utf-8") != text:
        raise Problem(f"{COMMITTED} is not the schema", "Run `loyalty schema --write`")
