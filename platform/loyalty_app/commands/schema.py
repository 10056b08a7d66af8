"""`loyalty schema`"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated

import typer

from loyalty_app.problem import Problem

COMMITTED = Path("graphql_schema/schema.graphql")
PAYLOADS = Path("graphql_schema/webhooks")
PROGRAMS = Path("docs/programs")


def schema(
    write: Annotated[bool, typer.Option("--write", help="Write it to the committed file.")] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Fail where the committed file is another.")
    ] = False,
) -> None:
    """Print the GraphQL schema of this release with the plugins that ship with it.

    The committed files are that, the JSON Schema of each webhook's payload and the reference of
    each plugin's config.
    """
    from loyalty_app.installed import shipped
    from loyalty_graphql.compose import compose, sdl
    from loyalty_graphql.core import CORE

    text = sdl(compose(CORE, shipped()))
    files = {
        COMMITTED: text,
        **{PAYLOADS / name: one for name, one in _payloads().items()},
        **{PROGRAMS / name: one for name, one in _references().items()},
    }
    if write:
        _write(files)
    elif not check:
        typer.echo(text, nl=False)
    elif others := sorted(map(str, _others(files))):
        raise Problem(f"{', '.join(others)}: not the schema", "Run `loyalty schema --write`")


def _payloads() -> Mapping[str, str]:
    """The JSON Schema of each topic by the name of its file."""
    from loyalty.plugin_set import PluginSet
    from loyalty_app.installed import shipped
    from loyalty_tenants.webhooks.topics import Topics

    topics = Topics(PluginSet(shipped()))
    return {
        f"{topic.name}.json": json.dumps(topic.schema, indent=2) + "\n"
        for topic in (*topics.by_name.values(), topics.ping)
    }


def _references() -> Mapping[str, str]:
    """The reference page of each plugin's config by the name of its file."""
    from loyalty_app.config_reference import reference
    from loyalty_app.installed import shipped

    return {f"{plugin.name}-config.md": reference(plugin) for plugin in shipped()}


def _write(files: Mapping[Path, str]) -> None:
    for path in {*PAYLOADS.glob("*.json")} - files.keys():
        path.unlink()
    for path, content in files.items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(content, "utf-8")


def _others(files: Mapping[Path, str]) -> Iterator[Path]:
    """Committed files that are missing, too many, or not as they should be."""
    yield from {*PAYLOADS.glob("*.json")} - files.keys()
    for path, content in files.items():
        if not path.exists() or path.read_text("utf-8") != content:
            yield path
