"""Templates: programs that ship with a plugin, for tenants to start from.

A plugin names the folder of its program files in the slot `templates`, as a package
(`loyalty_points.templates`). Each file there is a whole program file, with the units that it needs.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from importlib.resources import files
from typing import Any

from loyalty.plugin import Plugin
from loyalty.units import UnitKind

SUFFIX = ".yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateUnit:
    """A unit that a template's config names."""

    code: str
    name: str
    places: int = 0
    kind: UnitKind = UnitKind.POINTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A program to start from. `source` is its file, comments and all."""

    slug: str
    kind: str
    title: str
    description: str
    name: str
    units: tuple[TemplateUnit, ...]
    config: Mapping[str, Any]
    source: str


def templates_of(plugins: Iterable[Plugin]) -> Sequence[Template]:
    """The templates of these plugins by slug.

    :raises ValueError: two of one slug, or one whose kind is not the plugin's
    """
    found: dict[str, Template] = {}
    for plugin in plugins:
        for template in _folder(plugin.templates) if plugin.templates else ():
            if template.kind != plugin.name or template.slug in found:
                raise ValueError(f"the template {template.slug} of {plugin.name} is misplaced")
            found[template.slug] = template
    return [found[slug] for slug in sorted(found)]


@cache
def _folder(package: str) -> tuple[Template, ...]:
    entries = (entry for entry in files(package).iterdir() if entry.name.endswith(SUFFIX))
    return tuple(_read(entry.read_text("utf-8")) for entry in entries)


def _read(source: str) -> Template:
    given = _loader()(source)
    return Template(
        slug=given["slug"],
        kind=given["kind"],
        title=given["title"],
        description=" ".join(given["description"].split()),
        name=given["name"],
        units=tuple(
            TemplateUnit(**{**unit, "kind": UnitKind(unit.get("kind", UnitKind.POINTS))})
            for unit in given.get("units", ())
        ),
        config=given["config"],
        source=source,
    )


@cache
def _loader() -> Callable[[str], Any]:
    """Dates and instants are the text that stands there, as in program files.

    Imported for the first who asks for templates: a process that serves starts without YAML.
    """
    import yaml

    class Textual(yaml.SafeLoader):
        pass

    Textual.yaml_implicit_resolvers = {
        first: [(tag, regexp) for tag, regexp in known if not tag.endswith(":timestamp")]
        for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    return partial(yaml.load, Loader=Textual)
