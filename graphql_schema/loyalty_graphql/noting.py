"""What staff do is noted in the audit trail, also where a mutation forgot to.

Most mutations write an entry of their own, in their transaction. Of the others one is written here
once they are done, named after the mutation. What shops and tills send is not noted: the fact that
it becomes is kept for good, with who sent it.
"""

from collections.abc import Callable, Mapping
from inspect import isawaitable
from typing import Any

from loyalty.errors import Refused
from loyalty_graphql.access import Rule
from loyalty_graphql.context import Context
from loyalty_graphql.ids import read_node_id
from loyalty_graphql.member_ref import ref_of
from loyalty_tenants import audit
from loyalty_tenants.principal import Principal, Role

STAFF = (Role.ADMIN, Role.OPERATOR)
TILLS = frozenset({"purchases:write", "activities:write", "redemptions:write"})
# What is staff's doing whichever credential does it.
DESK = frozenset({"members:freeze", "members:erase", "balances:adjust", "approvals:write"})
# Of an input: secrets, and what says who somebody is beside the member's id.
HIDDEN = frozenset(
    {"attributes", "identifiers", "addIdentifiers", "removeIdentifiers", "externalId", "signals",
     "destination", "vanity", "config", "secret", "secrets"}
)  # fmt: skip
Resolve = Callable[..., Any]


def noted(resolve: Resolve, name: str, rule: Rule) -> Resolve:
    """A mutation's resolver that leaves an entry where staff called it and it left none."""
    if rule.changes_nothing or not any(_is_staffs(role, rule) for role in Role):
        return resolve

    async def resolve_and_note(source: Any, info: Any, /, **arguments: Any) -> Any:
        context: Context = info.context
        by_staff = context.principal is not None and staffs(context.principal, rule)
        if by_staff:
            context.actor.noted.clear()  # of the mutation before it in the document
        result = resolve(source, info, **arguments)
        if isawaitable(result):
            result = await result
        if by_staff and _was_done(result):
            await _note(context, name, arguments.get("input"), result)
        return result

    return resolve_and_note


def staffs(principal: Principal, rule: Rule) -> bool:
    """Whether this credential does with this mutation what is staff's to do."""
    return _is_staffs(principal.role, rule)


def _is_staffs(role: Role, rule: Rule) -> bool:
    scopes = {clause.scope for clause in rule.clauses if role in clause.roles}
    if role in STAFF:
        return bool(scopes) and not scopes & TILLS
    return bool(scopes & DESK)


def _was_done(result: Any) -> bool:
    refused = getattr(result, "user_errors", ())
    return not refused and not getattr(result, "replayed", False)


async def _note(context: Context, name: str, given: Any, result: Any) -> None:
    if context.actor.noted or context.who.tenant_id is None:
        return
    given = given if isinstance(given, Mapping) else {}
    subject = await _subject(context, given) or _made(result)
    async with context.api.database.tenant(context.tenant_id) as connection:
        await audit.write(
            connection, context.actor, action=name, subject=subject, details=_plain(given),
            now=context.api.clock.now(),
        )  # fmt: skip


async def _subject(context: Context, given: Mapping[str, Any]) -> str:
    """The member that the input names, by id; else the node."""
    if isinstance(named := given.get("member"), Mapping):
        try:
            ref = ref_of(
                named.get("id"), named.get("externalId"), named.get("identifier"), "member"
            )
        except Refused:
            return "member"
        found = await context.loaders.member.load(ref)
        return "member" if found is None else f"member:{found.id}"
    return str(given.get("id") or given.get("program") or "")


def _made(result: Any) -> str:
    """The member who was there only afterwards; else the tenant."""
    ident = read_node_id(str(getattr(getattr(result, "member", None), "id", "")))
    return f"member:{ident[1]}" if ident is not None and ident[0] == "Member" else "tenant"


def _plain(given: Mapping[str, Any]) -> dict[str, Any]:
    """The input, without what is secret or personal."""
    return {name: _nested(value) for name, value in given.items() if _is_shown(name, value)}


def _is_shown(name: str, value: Any) -> bool:
    if name in HIDDEN or value is None:
        return False
    return not (isinstance(value, Mapping) and {"externalId", "identifier"} & value.keys())


def _nested(value: Any) -> Any:
    if isinstance(value, Mapping):
        return _plain(value)
    if isinstance(value, list | tuple):
        return [_nested(one) for one in value]
    return value if isinstance(value, str | int | float | bool) else str(value)
