"""The plugin contract: one frozen record per plugin says everything it contributes.

A plugin imports this floor and the GraphQL floor and is imported by nobody: it is found by the
entry point group `loyalty.plugins`. What it lets others see has a published name; what it reads of
others it declares; start-up checks that the two fit (`plugin_set`).
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from loyalty.connection import Connection as Connection
from loyalty.counters import Bucket as Bucket
from loyalty.counters import Counter as Counter
from loyalty.counters import Scope as Scope
from loyalty.counters import Window as Window
from loyalty.due import Due as Due
from loyalty.due import Job as Job
from loyalty.due import Replay as Replay
from loyalty.effects import Effect
from loyalty.explained import Explained as Explained
from loyalty.facts import Fact
from loyalty.idle_key import IdleKey as IdleKey
from loyalty.idle_key import Means as Means
from loyalty.owners import OwnerResolver as OwnerResolver
from loyalty.owners import OwnersAsked as OwnersAsked
from loyalty.owners import Question as Question
from loyalty.personal import PERSONAL as PERSONAL
from loyalty.personal import PersonalRows as PersonalRows
from loyalty.view import Stage, View

F = TypeVar("F", bound=Fact)
C = TypeVar("C")
TraitNames = tuple[str, ...] | Callable[[Any], Iterable[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class BurnWant:
    """A reaction is about to burn: `amount` of `unit`, so that many lots are loaded (None: all)."""

    unit: str
    amount: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaction:
    """A rule and the fact it reacts to. Called once for every active program of its plugin.

    `decide(config, fact, view)` is pure. `burns(config, fact)` says which lots it must see.
    `restores(config, fact)` names the redemptions of which it may give back what they took.
    `traits` are the full names that it reads (`<slug>.<name>`; `*.<name>`: any program's;
    `.<name>`: its own program's; `*.*`: all), or a function of the config that says them. `needs`
    names loaders of its own plugin. `emits` are the fact types it may emit, so that what their
    reactions need is loaded too. `after` are plugin names whose reactions of the stage come first.
    `when(config)` says for which configs it has a turn at all (None: for all): what a config does
    not ask for costs nothing. `looks_back(config)` names the rules of which it may ask what they
    granted (`came_back.bought`): a back-test keeps that of a draft.
    """

    fact: type[Fact]
    decide: Callable[[Any, Any, View], Iterable[Effect]]
    stage: Stage = Stage.BASE
    after: tuple[str, ...] = ()
    burns: Callable[[Any, Any], Iterable[BurnWant]] | None = None
    restores: Callable[[Any, Any], Iterable[UUID]] | None = None
    traits: TraitNames = ()
    needs: tuple[str, ...] = ()
    emits: tuple[type[Fact], ...] = ()
    when: Callable[[Any], bool] | None = None
    looks_back: Callable[[Any], Iterable[str]] | None = None


def on(
    fact: type[F],
    config: type[C],
    decide: Callable[[C, F, View], Iterable[Effect]],
    *,
    stage: Stage = Stage.BASE,
    after: tuple[str, ...] = (),
    burns: Callable[[C, F], Iterable[BurnWant]] | None = None,
    restores: Callable[[C, F], Iterable[UUID]] | None = None,
    traits: tuple[str, ...] | Callable[[C], Iterable[str]] = (),
    needs: tuple[str, ...] = (),
    emits: tuple[type[Fact], ...] = (),
    when: Callable[[C], bool] | None = None,
    looks_back: Callable[[C], Iterable[str]] | None = None,
) -> Reaction:
    """Pair a fact with the rule that reacts to it; the type checker sees to it that they fit."""
    return Reaction(
        fact=fact,
        decide=decide,
        stage=stage,
        after=after,
        burns=burns,
        restores=restores,
        traits=traits,
        needs=needs,
        emits=emits,
        when=when,
        looks_back=looks_back,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadRequest:
    """One fact of a batch that asks for a loader. `at` is its index in the batch, `now` when it is
    recorded."""

    at: int
    now: datetime
    fact: Fact
    member_id: UUID | None
    program: str
    program_id: UUID
    config: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Loader:
    """Loads once per batch, after the locks, what a rule needs from tables of its plugin."""

    name: str
    load: Callable[[Connection, Sequence[LoadRequest]], Awaitable[Mapping[tuple[int, str], Any]]]
    """Answers by (request.at, request.program); a missing answer is None in `view.needs`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteRow:
    """A row that a rule asked to write, with where it comes from."""

    fact_id: UUID
    program_id: UUID
    member_id: UUID | None
    occurred_at: datetime
    row: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """Writes all rows of one type of a batch at once, in the batch's own transaction."""

    row: type[Any]
    write: Callable[[Connection, Sequence[WriteRow]], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedFact:
    """A fact that crosses plugins: `name` is `<plugin>.<past participle>/<version>`.

    `told`: whether it leaves the building as well, as a webhook of its own. What only has a rule
    look at something does not; what comes of it is told.
    """

    name: str
    fact: type[Fact]
    told: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsumedFact:
    """A published fact of whatever plugin, read by name. Where nobody publishes it, it never fires.

    `fact` is the consumer's own dataclass with just the fields it reads.
    """

    name: str
    fact: type[Fact]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trait:
    """Something a plugin lets others know of a member; full name `<program slug>.<name>`.

    `default(config)` is what holds for a member of whom nothing was set (None: nothing does),
    `values(config)` all that it can be (None: anything): conditions that name another are refused.
    """

    name: str
    type: type[Any]
    description: str
    default: Callable[[Any], Any] | None = None
    values: Callable[[Any], Iterable[Any]] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundEvent:
    """One event in a delivery: the sender's own id (for dedupe) and the facts it stands for."""

    event_id: str
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbound:
    """An HTTP door `/in/<tenant>/<plugin>`: who may speak, and what is said.

    `verify(headers, raw, secrets)` answers whether the raw body is authentic (constant time).
    `facts(payload)` translates; a `ValueError` refuses the delivery as malformed.
    """

    verify: Callable[[Mapping[str, str], bytes, Mapping[str, str]], bool]
    facts: Callable[[Any], Sequence[InboundEvent]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Projection:
    """A reader of the committed journal, in order from a watermark, with tables of its own."""

    name: str
    apply: Callable[[Connection, Sequence[Any]], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityType:
    """A type of activity that a config defines. `faults(attributes)` says where attributes do not
    fit, as (path within them, what is wrong); `schema` is their JSON Schema."""

    type: str
    label: str
    schema: Mapping[str, Any]
    faults: Callable[[Mapping[str, Any]], Iterable[tuple[str, str]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphQLPart:
    """What a plugin adds to the schema: root fields, and fields on types of the platform."""

    query: type | None = None
    mutation: type | None = None
    fields: Mapping[type, tuple[Any, ...]] = field(default_factory=dict)
    types: tuple[type, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """Something that a plugin does with the outside world, in workers beside their duties.

    `due` is a query of an instant that answers the tenants that have something due. `run` is given
    what it may use (`jobs.errands.Outside`) and a tenant; what it does twice changes nothing more.
    `waiting` is a query that answers since when whatever has waited longest for a word from outside
    does so (null: nothing does): it is measured.
    """

    name: str
    due: str
    run: Callable[[Any, UUID], Awaitable[None]]
    waiting: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugin:
    """Everything a program kind contributes, on one screen.

    `counters(config)` names the counters that a config keeps, `activities(config)` the types of
    activities it defines. `idle(config)` names keys that promise what they do not do, and
    `fruitless(config, means)` those by which nothing is ever given with what a tenant has: a draft
    that has one is refused, a stored version is read. `unkept(config, before)` names keys that
    would not keep what an earlier version owes: no version that has one follows it.
    `explain(config, fact, view)` says of each rule that looks at a fact whether it fires and why
    not; it is pure, is shown the view rebuilt from the decision, and raises nothing for a rule that
    reads what is not kept (`explained.not_kept`). `owner_of` says whose account a member's unit is
    kept in. `secrets` are write-only config keys. `invariants` are queries by what they say: in
    each tenant they find none. `nets` answer rows of `what`, `amount` and `partner` (a tenant):
    over the tenants that stand in for one another each `what` adds up to nothing at any instant.
    `personal` says of each of its tables that a member appears in what is erased with them; fields
    of its facts say it by their metadata (`PERSONAL`). `impersonal` are its other tables, and why.
    `models` is the module of its Tortoise models. SQL files in the folder `migrations` of its
    package are found. `templates` is the package that holds program files to start from.
    """

    name: str
    config: type[Any]
    description: str = ""
    reactions: tuple[Reaction, ...] = ()
    facts: tuple[PublishedFact, ...] = ()
    consumes: tuple[ConsumedFact, ...] = ()
    traits: tuple[Trait, ...] = ()
    counters: Callable[[Any], Sequence[Counter]] | None = None
    explain: Callable[[Any, Fact, View], Iterable[Explained]] | None = None
    activities: Callable[[Any], Sequence[ActivityType]] | None = None
    idle: Callable[[Any], Iterable[IdleKey]] | None = None
    fruitless: Callable[[Any, Means], Iterable[IdleKey]] | None = None
    unkept: Callable[[Any, Any], Iterable[IdleKey]] | None = None
    needs: tuple[Loader, ...] = ()
    writers: tuple[Writer, ...] = ()
    jobs: tuple[Job, ...] = ()
    errands: tuple[Errand, ...] = ()
    inbound: Inbound | None = None
    projections: tuple[Projection, ...] = ()
    owner_of: OwnerResolver | None = None
    secrets: tuple[str, ...] = ()
    graphql: GraphQLPart = field(default_factory=GraphQLPart)
    invariants: Mapping[str, str] = field(default_factory=dict)
    nets: Mapping[str, str] = field(default_factory=dict)
    personal: tuple[PersonalRows, ...] = ()
    impersonal: Mapping[str, str] = field(default_factory=dict)
    models: str | None = None
    templates: str | None = None
