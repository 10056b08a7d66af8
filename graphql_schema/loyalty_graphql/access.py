"""Who may call what: declared beside the field, refused wherever nothing was declared.

    @strawberry.mutation
    @allow(Role.ADMIN, Role.SERVICE, scope="purchases:write")
    async def record_purchase(...): ...

    @strawberry.type
    @reached                       # whoever reached the object may read its fields ...
    class Purchase:
        id: strawberry.ID
        # ... but this one
        decisions: Annotated[list[Decision], only(Role.ADMIN, scope="decisions:read")]

`allow` may be given several times; one that fits is enough. The rules are checked when the field is
called (synchronously; a field without a rule of its own costs nothing) and are shown in the SDL.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Annotated, Any, Protocol, TypeVar, get_args, get_origin

from strawberry.types.field import StrawberryField

from loyalty.errors import Code, Refused
from loyalty_tenants.principal import Principal, Role

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T", bound=type)

_RULE = "__access_rule__"
_REACHED = "__access_reached__"


@dataclass(frozen=True, slots=True)
class Clause:
    """One way in: any of `roles`, whose credential holds `scope` (None: any scope will do)."""

    roles: frozenset[Role]
    scope: str | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """Everything declared about one field. No clauses and not `anyone`: nobody gets in."""

    clauses: tuple[Clause, ...] = ()
    anyone: bool = False
    money: bool = False
    batch: bool = False
    changes_nothing: bool = False

    def admit(self, principal: Principal | None) -> None:
        """Do nothing, or refuse.

        :raises Refused: UNAUTHENTICATED without a principal, FORBIDDEN for one that does not fit
        """
        if self.anyone:
            return
        if principal is None:
            raise Refused(Code.UNAUTHENTICATED, "send an access token or API key that is valid")
        for clause in self.clauses:
            if principal.role in clause.roles and _may(principal, clause.scope):
                return
        raise self._forbidden(principal)

    def _forbidden(self, principal: Principal) -> Refused:
        scopes = sorted(c.scope for c in self.clauses if c.scope and principal.role in c.roles)
        if scopes:
            return Refused(Code.FORBIDDEN, f"needs the scope {' or '.join(scopes)}")
        return Refused(Code.FORBIDDEN, f"is not open to the role {principal.role}")


NOBODY = Rule()
ANYONE = Rule(anyone=True)


class Asking(Protocol):
    """What a context must tell about the one who asks."""

    @property
    def principal(self) -> Principal | None: ...

    @property
    def request_id(self) -> str: ...


def allow(*roles: Role, scope: str | None = None) -> Callable[[F], F]:
    """Open a resolver to these roles. Stands under `@strawberry.field`, which then stays bare."""

    clause = _clause(roles, scope)

    def declare(resolver: F) -> F:
        rule = declared(resolver)
        # Decorators are applied from the last to the first; the SDL shows them as written.
        return _declare(resolver, replace(rule, clauses=(clause, *rule.clauses)))

    return declare


def public(resolver: F) -> F:
    """Open a resolver to everyone, also without credentials."""
    return _declare(resolver, replace(declared(resolver), anyone=True))


def money(resolver: F) -> F:
    """A mutation that moves value: a document may hold only one of its kind."""
    return _declare(resolver, replace(declared(resolver), money=True))


def batch(resolver: F) -> F:
    """A mutation that takes many items: its request body may be larger."""
    return _declare(resolver, replace(declared(resolver), batch=True))


def changes_nothing(resolver: F) -> F:
    """A mutation that only looks: its input is too large for a query. It leaves no entry."""
    return _declare(resolver, replace(declared(resolver), changes_nothing=True))


def only(*roles: Role, scope: str | None = None) -> Rule:
    """Narrow an attribute: `Annotated[list[Decision], only(Role.ADMIN)]`."""
    return Rule(clauses=(_clause(roles, scope),))


def reached(kind: T) -> T:
    """Declare that whoever reached an object of this type may read its fields."""
    setattr(kind, _REACHED, True)
    return kind


def is_reached(kind: type) -> bool:
    return bool(getattr(kind, _REACHED, False))


def declared(resolver: object) -> Rule:
    """The rule that was declared on a resolver; NOBODY where none was."""
    rule = getattr(resolver, _RULE, NOBODY)
    assert isinstance(rule, Rule)
    return rule


def rule_of(field: StrawberryField) -> Rule | None:
    """The rule of its own that a field has, from its resolver or its annotation."""
    if field.base_resolver is not None:
        rule = declared(field.base_resolver.wrapped_func)
        return None if rule == NOBODY else rule
    annotation = field.type_annotation.annotation if field.type_annotation else None
    return _annotated(annotation)


def _annotated(annotation: object) -> Rule | None:
    if get_origin(annotation) is not Annotated:
        return None
    rules = [extra for extra in get_args(annotation)[1:] if isinstance(extra, Rule)]
    return Rule(clauses=tuple(_flat(rules))) if rules else None


def _flat(rules: Iterable[Rule]) -> Iterable[Clause]:
    return (clause for rule in rules for clause in rule.clauses)


def _clause(roles: tuple[Role, ...], scope: str | None) -> Clause:
    if not roles:
        raise TypeError("name at least one role; a field for everyone is marked @public")
    return Clause(frozenset(roles), scope)


def _may(principal: Principal, scope: str | None) -> bool:
    return scope is None or principal.may(scope)


def _declare(resolver: F, rule: Rule) -> F:
    if isinstance(resolver, StrawberryField):
        raise TypeError("write the access decorators under @strawberry.field, not above it")
    setattr(resolver, _RULE, rule)
    return resolver
