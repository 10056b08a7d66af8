"""The tables of the documentation that code knows better: as they must stand there."""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any, get_args

from loyalty.conditions import ACTIVITY, PURCHASE, STANDING, Name, Vocabulary
from loyalty.effects import Effect
from loyalty.errors import Code
from loyalty.plugin import Plugin
from loyalty_app.settings import Settings
from loyalty_graphql.batches import BATCH_LINES_MAX
from loyalty_graphql.failures import MEANINGS
from loyalty_graphql.limits import Limits
from loyalty_graphql.purchase_input import LINES_MAX, TENDERS_MAX
from loyalty_graphql.scalars import BATCH_ITEMS_MAX
from loyalty_graphql.wiring import Numbers
from loyalty_tenants.principal import Role
from loyalty_tenants.privacy.terms import TERMS
from loyalty_tenants.scopes import ALLOWED, DEFAULT, DESCRIPTIONS

Row = Sequence[str]


def scopes() -> Iterable[Row]:
    for scope, allows in DESCRIPTIONS.items():
        yield [f"`{scope}`", allows, *(_held(role, scope) for role in Role)]


def _held(role: Role, scope: str) -> str:
    if scope in DEFAULT[role]:
        return "yes"
    return "on request" if scope in ALLOWED[role] else ""


def codes() -> Iterable[Row]:
    for code in Code:
        yield [f"`{code}`", MEANINGS[code], "yes" if code.retryable else ""]


def limits() -> Iterable[Row]:
    given = Limits()
    for name, counts in {
        "tokens": "words and signs of the document",
        "comments": "comments in it",
        "document_length": "its characters",
        "depth": "fields within fields",
        "fields": "fields",
        "aliases": "aliases",
        "directives": "directives",
        "repeats": "one name within one selection",
        "query_fields": "outermost fields of a query",
        "mutation_fields": "outermost fields of a mutation",
        "money_fields": "of those, fields that move value",
        "cost": "objects, see below",
        "page": "`first` and `last`",
        "list_argument": "items of a list in the input",
        "text": "characters of a string",
    }.items():
        yield [f"`{name}`", f"{getattr(given, name):,}", counts]


def numbers() -> Iterable[Row]:
    given = Numbers()
    yield ["its body", f"{given.body // 1024} KB"]
    yield ["the body of a batch", f"{given.batch_body // 1024**2} MB"]
    yield ["items of a batch", f"{BATCH_ITEMS_MAX:,}"]
    yield ["lines of a batch, of one purchase", f"{BATCH_LINES_MAX:,}, {LINES_MAX:,}"]
    yield ["tenders of a purchase", f"{TENDERS_MAX:,}"]
    yield ["its time, a batch's time", f"{given.seconds:.0f} s, {given.batch_seconds:.0f} s"]
    yield ["subscriptions on a socket", f"{given.subscriptions:,}"]


def purchase_names() -> Iterable[Row]:
    return _names(PURCHASE)


def activity_names() -> Iterable[Row]:
    return _names(ACTIVITY)


def common_names() -> Iterable[Row]:
    return map(_name, STANDING.names)


def _names(vocabulary: Vocabulary) -> Iterable[Row]:
    return (_name(name) for name in vocabulary.names if name not in STANDING.names)


def _name(name: Name) -> Row:
    return [f"`{name.name}`", name.type.value, name.description]


def setting_names() -> Iterable[str]:
    for name, setting in Settings.model_fields.items():
        default = setting.default
        yield f"`LOYALTY_{name.upper()}`" + (f" = `{default}`" if default is not None else "")


def slot_names() -> Iterable[str]:
    return (f"`{slot.name}`" for slot in fields(Plugin))


def effect_names() -> Iterable[str]:
    return (f"`{kind.__name__}`" for kind in get_args(Effect))


def command_names(group: Any, *before: str) -> Iterable[str]:
    """Every command of the command line with those of its groups."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from command_names(command, *before, name)
        else:
            yield "`" + " ".join(("loyalty", *before, name)) + "`"


def retention_terms() -> Iterable[Row]:
    for term in TERMS:
        kept = "for good" if term.days is None else str(term.days)
        yield [f"`{term.what}`: {term.description}", kept, str(term.least)]
