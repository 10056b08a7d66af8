"""Conditions: which names there are, and whether a text is one. For editors of configs."""

from enum import Enum

import strawberry

from loyalty import conditions
from loyalty.conditions import Condition, ConditionFault, Vocabulary, compiled, drafts
from loyalty_graphql.access import allow, reached
from loyalty_graphql.admin.programs import SETTERS
from loyalty_graphql.enums import exposed


class ConditionSubject(Enum):
    PURCHASE = "purchase"
    ACTIVITY = "activity"
    MEMBER = "member"


exposed(
    ConditionSubject,
    description="What a condition is about.",
    values={
        ConditionSubject.PURCHASE: "A purchase, and the member who made it.",
        ConditionSubject.ACTIVITY: "An activity, and the member who did it.",
        ConditionSubject.MEMBER: "A member at an instant.",
    },
)
VOCABULARIES = {
    ConditionSubject.PURCHASE: conditions.PURCHASE,
    ConditionSubject.ACTIVITY: conditions.ACTIVITY,
    ConditionSubject.MEMBER: conditions.STANDING,
}


@strawberry.type
@reached
class ConditionName:
    """A name that conditions may use."""

    name: str
    """As it is written in a condition."""
    type: str
    """Its CEL type. Amounts are whole minor units: compare them with amount("25.00")."""
    description: str
    """What it stands for."""


@strawberry.type
@reached
class ConditionVocabulary:
    """What conditions about one subject may use."""

    on: ConditionSubject
    """What they are about."""
    names: list[ConditionName]
    """Their names."""


@strawberry.type
@reached
class ConditionProblem:
    """Why a text is no condition."""

    message: str
    """What is wrong, and what to do."""
    line: int
    """The line at fault, from 1."""
    column: int
    """The place in that line, from 1, in characters."""
    excerpt: str
    """The line at fault, or the part of it around the place, with a caret in a line beneath."""


@strawberry.type
@reached
class ConditionCheck:
    """Whether a text is a condition."""

    ok: bool
    """Whether a config may hold it."""
    fault: ConditionProblem | None
    """What is wrong; null where nothing is."""
    parts: list[str]
    """What it is cut in to say which part failed; all of them must hold."""
    reads: list[str]
    """The names that it reads."""


@strawberry.type
class ConditionQuery:
    @strawberry.field
    @allow(*SETTERS, scope="programs:read")
    def condition_names(self, on: ConditionSubject | None = None) -> list[ConditionVocabulary]:
        """The names that conditions in configs may use, with their types.

        :param on: only those for conditions about this
        """
        return [
            ConditionVocabulary(on=subject, names=_names(vocabulary))
            for subject, vocabulary in VOCABULARIES.items()
            if on in (None, subject)
        ]

    @strawberry.field
    @allow(*SETTERS, scope="programs:read")
    def check_condition(
        self, source: str, on: ConditionSubject, currency: str | None = None
    ) -> ConditionCheck:
        """Whether a text could stand as a condition in a config. Nothing is stored.

        :param source: the condition, in CEL
        :param on: what it is about
        :param currency: ISO 4217 code in which amount("25.00") is read
        """
        try:
            with drafts():
                return _good(compiled(source, VOCABULARIES[on], currency=currency))
        except ConditionFault as fault:
            return _bad(fault)


def _names(vocabulary: Vocabulary) -> list[ConditionName]:
    return [
        ConditionName(name=name.name, type=name.type.value, description=name.description)
        for name in vocabulary.names
    ]


def _good(condition: Condition) -> ConditionCheck:
    return ConditionCheck(
        ok=True, fault=None, parts=list(condition.parts), reads=sorted(condition.reads)
    )


def _bad(fault: ConditionFault) -> ConditionCheck:
    problem = ConditionProblem(
        message=fault.message, line=fault.line, column=fault.column, excerpt=fault.excerpt
    )
    return ConditionCheck(ok=False, fault=problem, parts=[], reads=[])
