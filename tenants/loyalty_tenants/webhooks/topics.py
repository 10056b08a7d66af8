"""The topics an endpoint may subscribe to: one for each kind of fact, with its JSON Schema.

A topic is called `<what>.<past participle>.v<version>`; what a plugin publishes as
`stamps.card_filled/1` is `stamps.card_filled.v1`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from loyalty.facts import Fact
from loyalty.personal import personal_paths
from loyalty.plugin_set import PluginSet
from loyalty_tenants.webhooks import data, told
from loyalty_tenants.webhooks.told import Tell, plain

EVERYTHING = "*"  # what an endpoint subscribes to that wants every topic, later ones too
PING = "webhook.ping.v1"


@dataclass(frozen=True, kw_only=True)
class Topic:
    """Its schema is made when it is asked for: a process that starts has no use for any."""

    name: str
    description: str
    shape: Callable[[], dict[str, Any]]

    @cached_property
    def schema(self) -> Mapping[str, Any]:
        """The whole payload, as JSON Schema 2020-12."""
        shape = self.shape()
        definitions = shape.pop("$defs", {})
        schema: dict[str, Any] = {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$id": f"urn:loyalty:webhook:{self.name}",
            "title": self.name,
            "description": self.description,
            "type": "object",
            "properties": {
                "type": {"const": self.name, "description": "The topic."},
                "timestamp": {
                    "type": "string",
                    "format": "date-time",
                    "description": "When it happened.",
                },
                "data": shape,
            },
            "required": ["type", "timestamp", "data"],
        }
        if definitions:
            schema["$defs"] = definitions
        return schema


# What a recorded fact of the kernel is told as.
FACTS: Mapping[str, tuple[str, type[data.FactData], Tell]] = {
    "MemberEnrolled": ("member.enrolled", data.MemberEnrolled, plain(data.MemberEnrolled)),
    "MemberClosed": ("member.closed", data.MemberClosed, plain(data.MemberClosed, "reason")),
    "MemberErased": ("member.erased", data.MemberErased, plain(data.MemberErased)),
    "MemberFrozen": ("member.frozen", data.MemberFrozen, plain(data.MemberFrozen, "reason")),
    "MemberUnfrozen": (
        "member.unfrozen", data.MemberUnfrozen, plain(data.MemberUnfrozen, "reason")
    ),
    "PurchaseRecorded": ("purchase.recorded", data.PurchaseRecorded, told.purchase),
    "PurchaseReversed": ("purchase.returned", data.PurchaseReturned, told.returned),
    "ReturnParked": (
        "return.parked",
        data.ReturnParked,
        plain(data.ReturnParked, "source", "return_id", "purchase_external_id"),
    ),
    "ActivityRecorded": (
        "activity.recorded",
        data.ActivityRecorded,
        plain(data.ActivityRecorded, "source", "external_id", activity="type"),
    ),
    "LotsDue": ("lots.ended", data.LotsEnded, told.lots_ended),
    "FactReversed": (
        "consequence.reversed",
        data.ConsequenceReversed,
        plain(data.ConsequenceReversed, "part"),
    ),
    "Redeem": ("redemption.created", data.RedemptionCreated, told.created),
    "CaptureRedemption": ("redemption.captured", data.RedemptionCaptured, told.captured),
    "ReleaseRedemption": ("redemption.released", data.Redemption, told.given_back("RELEASED")),
    "ReverseRedemption": ("redemption.reversed", data.RedemptionReversed, told.reversed_),
    "HoldLapsed": ("redemption.lapsed", data.Redemption, told.given_back("LAPSED")),
    "AdjustBalance": ("balance.adjusted", data.BalanceAdjusted, told.adjusted),
}  # fmt: skip

# What the kernel tells of value that moved: by the kind of the posting.
VALUES: Mapping[str, tuple[str, type[data.ValueMoved], str]] = {
    "GRANT": ("value.granted", data.ValueMoved, "A member was granted value."),
    "BURN": ("value.burned", data.ValueBurned, "A member spent value."),
    "EXPIRE": ("value.expired", data.ValueMoved, "A member's value reached its term."),
    "TAKE_BACK": ("value.taken_back", data.ValueMoved, "A grant was taken back, in part or whole."),
}
UNTOLD = frozenset({"TraitChanged"})  # of the kernel: what sets it off is told, and what it does
_TEXTS = {
    "redemption.released": "Reserved points were given back: they were released.",
    "redemption.lapsed": "Reserved points were given back: their time was over.",
}


class Topics:
    """Those of the kernel and of the plugins that are installed.

    :raises ValueError: a plugin publishes a fact by the name of another topic
    """

    def __init__(self, plugins: PluginSet) -> None:
        told = {
            name: fact for name, fact in plugins.published.items() if name not in plugins.untold
        }
        self._told = told
        self._published = {name: name_of(name) for name in told}
        self._untold = UNTOLD | plugins.untold
        self.by_name: dict[str, Topic] = {}
        for name, kind, _ in FACTS.values():
            self._add(f"{name}.v1", _TEXTS.get(name) or _doc(kind), partial(_shape, kind))
        for name, kind, text in VALUES.values():
            self._add(f"{name}.v1", text, partial(_shape, kind))
        for name, fact in told.items():
            self._add(self._published[name], _doc(fact), partial(_published_shape, fact))
        self.ping = Topic(name=PING, description=_doc(data.Ping), shape=partial(_shape, data.Ping))

    @cached_property
    def values(self) -> Mapping[str, str]:
        """The topics of value that moved, by the kind of the posting."""
        return {kind: f"{name}.v1" for kind, (name, *_) in VALUES.items()}

    @cached_property
    def personal(self) -> Mapping[str, Sequence[str]]:
        """Where a payload says something about a person, beside the member's name, by topic."""
        told: dict[str, Sequence[str]] = {
            f"{name}.v1": ("data.reason",)
            for name, kind, _ in FACTS.values()
            if "reason" in kind.model_fields
        }
        for name, fact in self._told.items():
            told[name_of(name)] = tuple(f"data.fact.{path}" for path in personal_paths(fact))
        return told

    def teller(self, kind: str) -> tuple[str, Tell] | None:
        """The topic of a recorded or published fact, and what puts it into words."""
        if (known := FACTS.get(kind)) is not None:
            return f"{known[0]}.v1", known[2]
        if (topic := self._published.get(kind)) is not None:
            return topic, told.published
        return None

    def leaves(self, kind: str) -> bool:
        """Whether a fact of this kind is told at all, or only what it moved."""
        return kind not in self._untold

    def _add(self, name: str, description: str, shape: Callable[[], dict[str, Any]]) -> None:
        if name in self.by_name:
            raise ValueError(f"two topics are called {name}")
        self.by_name[name] = Topic(name=name, description=description, shape=shape)


def name_of(published: str) -> str:
    """The topic of a fact that a plugin publishes by this name."""
    name, _, version = published.partition("/")
    return f"{name}.v{version}"


def _shape(kind: type[data.Shape]) -> dict[str, Any]:
    return kind.model_json_schema(by_alias=True, mode="serialization", schema_generator=_Untitled)


class _Untitled(GenerateJsonSchema):
    """Fields are told by their names and descriptions, and not once more by a title."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def _published_shape(fact: type[Fact]) -> dict[str, Any]:
    """The common fields, and the plugin's own as its dataclass declares them."""
    shape = _shape(data.PublishedFact)
    own = TypeAdapter(fact).json_schema(mode="serialization", schema_generator=_Untitled)
    for common in ("member", "occurred_at"):
        own["properties"].pop(common, None)
    own["required"] = [name for name in own.get("required", ()) if name in own["properties"]]
    definitions = own.pop("$defs", {})
    definitions.pop("MemberRef", None)
    shape["properties"]["fact"] = own
    shape.setdefault("$defs", {}).update(definitions)
    return shape


def _doc(kind: type[Any]) -> str:
    text = (kind.__doc__ or "").strip()
    if not text:
        raise ValueError(f"{kind.__name__} says nothing of itself: a topic needs its docstring")
    return " ".join(text.split())
