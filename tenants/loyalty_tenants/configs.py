"""A program's config: checked by its plugin's model, its secrets kept apart."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any

import orjson
from pydantic import BaseModel, ValidationError
from pydantic_core import to_jsonable_python

from loyalty.conditions import Condition, drafts, gathering
from loyalty.errors import Code, Refused
from loyalty.plugin import IdleKey, Means, Plugin
from loyalty_tenants.config_errors import idle_keys, refusal, unknown_key
from loyalty_tenants.templates import Template, templates_of

CONFIG_BYTES_MAX = 128 * 1024
SECRET_LENGTH_MAX = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A config that its plugin accepts. `secrets` holds those given; None: forget it.

    `conditions` are those that stand in it. Of a draft `fruitless` answers the keys by which
    nothing is ever given with what a tenant has.
    """

    parsed: BaseModel
    plain: dict[str, Any]
    secrets: Mapping[str, str | None] = field(default_factory=dict, repr=False)
    conditions: Sequence[Condition] = ()
    fruitless: Callable[[Means], Iterable[IdleKey]] | None = None


class Configs:
    """The config models of the installed plugins."""

    def __init__(self, plugins: Mapping[str, Plugin]) -> None:
        self._plugins = plugins

    def plugin(self, kind: str) -> Plugin:
        """:raises Refused: BAD_USER_INPUT, where no such program kind is installed"""
        if (plugin := self._plugins.get(kind)) is None:
            raise Refused(Code.BAD_USER_INPUT, unknown_key(kind, self._plugins), field="kind")
        return plugin

    def kinds(self) -> Mapping[str, Plugin]:
        return self._plugins

    @cached_property
    def templates(self) -> Mapping[str, Template]:
        """The programs that ship with the plugins, by slug."""
        return {template.slug: template for template in templates_of(self._plugins.values())}

    def schema(self, kind: str) -> dict[str, Any]:
        """The JSON Schema of a kind's config; secrets are marked `writeOnly`."""
        plugin = self.plugin(kind)
        schema: dict[str, Any] = plugin.config.model_json_schema()
        properties = schema.setdefault("properties", {})
        for name in plugin.secrets:
            properties[name] = {
                "title": name.replace("_", " ").capitalize(),
                "type": "string",
                "maxLength": SECRET_LENGTH_MAX,
                "writeOnly": True,
            }
        return schema

    def check(self, kind: str, config: Any) -> Checked:
        """Check a config as a tenant wrote it, now or before: what was saved once passes.

        :raises Refused: BAD_CONFIG with the path of the key at fault, LIMIT_EXCEEDED
        """
        plugin = self.plugin(kind)
        plain = _plain(config)
        secrets = {name: _secret(name, plain.pop(name)) for name in plugin.secrets if name in plain}
        try:
            with gathering() as conditions:
                parsed = plugin.config.model_validate(plain)
        except ValidationError as error:
            raise refusal(error, plain, plugin.config) from None
        return Checked(parsed=parsed, plain=plain, secrets=secrets, conditions=tuple(conditions))

    def check_draft(self, kind: str, config: Any) -> Checked:
        """Check a config that is to be saved, tried or published: all of `check`, whether its
        conditions name keys that there are, and whether each of its own keys does something. With
        the units and currencies of a tenant `check_units` asks further.

        :raises Refused: as `check`
        """
        with drafts():
            checked = self.check(kind, config)
        plugin = self.plugin(kind)
        if found := [] if plugin.idle is None else list(plugin.idle(checked.parsed)):
            raise idle_keys(found, checked.plain)
        if plugin.fruitless is None:
            return checked
        return replace(checked, fruitless=partial(plugin.fruitless, checked.parsed))

    def check_kept(self, kind: str, checked: Checked, before: Iterable[Mapping[str, Any]]) -> None:
        """Check that a config keeps what the stored versions before it still owe.

        :raises Refused: as `check`
        """
        if (unkept := self.plugin(kind).unkept) is None:
            return
        earlier = (self.parse(kind, stored) for stored in before)
        if found := [key for one in earlier for key in unkept(checked.parsed, one)]:
            raise idle_keys(list(dict.fromkeys(found)), checked.plain)

    def parse(self, kind: str, stored: Mapping[str, Any]) -> Any:
        """The config object of a stored version."""
        return self._plugins[kind].config.model_validate(stored)

    def filled(self, kind: str, stored: Mapping[str, Any]) -> dict[str, Any]:
        """A stored config with today's defaults filled in; as it is, where it holds no more."""
        try:
            parsed = self.plugin(kind).config.model_validate(stored)
        except (ValidationError, Refused):
            return dict(stored)
        filled: dict[str, Any] = parsed.model_dump(mode="json")
        return filled

    def published(self, kind: str, checked: Checked) -> dict[str, Any]:
        """What a version stores: every key with its default filled in.

        So a later release with other defaults does not change what is already in force.
        """
        stored: dict[str, Any] = checked.parsed.model_dump(mode="json")
        if self.parse(kind, stored) != checked.parsed:
            raise RuntimeError(f"the config model of {kind} does not survive being written as JSON")
        return stored


def _plain(config: Any) -> dict[str, Any]:
    """A copy of the config made of JSON values only."""
    if not isinstance(config, Mapping):
        raise Refused(Code.BAD_CONFIG, "must be an object of keys and their values", field="config")
    try:
        written = orjson.dumps(to_jsonable_python(dict(config)))
    except (TypeError, ValueError, RecursionError):
        raise Refused(
            Code.BAD_CONFIG,
            "cannot be written as JSON: use text keys and plain values",
            field="config",
        ) from None
    if len(written) > CONFIG_BYTES_MAX:
        raise Refused(
            Code.LIMIT_EXCEEDED, f"is larger than {CONFIG_BYTES_MAX // 1024} KB", field="config"
        )
    plain: dict[str, Any] = orjson.loads(written)
    return plain


def _secret(name: str, value: Any) -> str | None:
    if value is None or (isinstance(value, str) and 1 <= len(value) <= SECRET_LENGTH_MAX):
        return value
    raise Refused(
        Code.BAD_CONFIG,
        f"must be a text of 1 to {SECRET_LENGTH_MAX} characters, or null to forget it",
        field=f"config.{name}",
    )
