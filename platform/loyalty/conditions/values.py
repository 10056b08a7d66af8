"""What conditions read of one fact: worked out when the first of them asks, then kept."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from loyalty.conditions.name import Vocabulary
from loyalty.conditions.scene import Scene
from loyalty.conditions.vocabularies import ACTIVITY, PURCHASE, STANDING
from loyalty.facts import ActivityRecorded, PurchaseRecorded
from loyalty.view import View

TRAITS = "member.traits"
ATTRIBUTES = "member.attributes"
BY_KEY = (TRAITS, ATTRIBUTES)


class Values:
    """Made once per fact and program, and shared by all their conditions."""

    __slots__ = ("_known", "_scene", "_scopes", "vocabulary")

    def __init__(self, vocabulary: Vocabulary, scene: Scene) -> None:
        self.vocabulary = vocabulary
        self._scene = scene
        self._known: dict[str, Any] = {}
        self._scopes: dict[tuple[str, ...], Any] = {}

    def __getitem__(self, name: str) -> Any:
        if (found := self._known.get(name, self)) is self:
            found = self._known[name] = self.vocabulary.by_name[name].read(self._scene)
        return found

    def given(self, names: Iterable[str], keys: Mapping[str, tuple[str, ...]]) -> dict[str, Any]:
        """The values of some names. Of those in `keys` only these keys are looked at, so that a
        decision keeps no trait and no attribute that no condition named."""
        known, given = self._known, dict[str, Any]()
        for name in names:
            given[name] = known[name] if name in known else self[name]
        for name, asked in keys.items():
            given[name] = self._traits(asked) if name == TRAITS else self._attributes(asked)
        return given

    def scoped(
        self, names: tuple[str, ...], keys: Mapping[str, tuple[str, ...]],
        scope: Callable[[dict[str, Any]], Any],
    ) -> Any:  # fmt: skip
        """What `scope` makes of these values: once for all conditions that read the same names,
        for handing values over costs as much as to judge by them."""
        if keys:
            return scope(self.given(names, keys))
        if (found := self._scopes.get(names)) is None:
            found = self._scopes[names] = scope(self.given(names, keys))
        return found

    def _traits(self, asked: Iterable[str]) -> dict[str, Any]:
        traits = self._scene.view.traits
        return {key: trait.value for key in asked if (trait := traits.get(key))}

    def _attributes(self, asked: Iterable[str]) -> dict[str, Any]:
        member = self._scene.view.member
        if member is None:
            return {}
        return {key: member.attributes[key] for key in asked if key in member.attributes}

    @property
    def currency(self) -> str | None:
        """What amounts are in."""
        return getattr(self._scene.fact, "currency", None)


def purchase_values(fact: PurchaseRecorded, view: View) -> Values:
    """For conditions on a purchase."""
    return Values(PURCHASE, Scene(at=fact.occurred_at, view=view, fact=fact))


def activity_values(fact: ActivityRecorded, view: View) -> Values:
    """For conditions on an activity."""
    return Values(ACTIVITY, Scene(at=fact.occurred_at, view=view, fact=fact))


def standing_values(at: datetime, view: View) -> Values:
    """For conditions on the member alone, at an instant: who may have a reward, whose lots live."""
    return Values(STANDING, Scene(at=at, view=view))
