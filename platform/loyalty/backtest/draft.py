"""A tenant's setup with one program's config replaced: as if that had been in force all along."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from loyalty.ids import new_id
from loyalty.setup import EVER, Program, ProgramVersion, Setup


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """The config under test. A `slug` that no program has yet is a program that comes last."""

    slug: str
    kind: str
    config: Any


def with_draft(setup: Setup, draft: Draft) -> Setup:
    """The setup in which `draft` stands in place of every version of its program.

    Luck is drawn with the secret of the version that was in force, so that both sides of a
    comparison are dealt the same hand.
    """
    published = setup.program(draft.slug)
    others = tuple(program for program in setup.programs if program.slug != draft.slug)
    return replace(setup, programs=(*others, _program(setup, draft, published)))


def _program(setup: Setup, draft: Draft, published: Program | None) -> Program:
    if published is None:
        position = max((program.position for program in setup.programs), default=0) + 1
        return Program(
            id=new_id(), slug=draft.slug, kind=draft.kind, name=draft.slug, position=position,
            versions=(_version(draft, number=1, since=EVER, secret=b""),),
        )  # fmt: skip
    judged = [version for version in published.versions if not version.backfilling]
    first = judged[0].draw_secret if judged else b""
    versions = [
        _version(draft, number=version.number, since=version.effective_from,
                 secret=version.draw_secret)
        for version in judged
    ]  # fmt: skip
    before = _version(draft, number=0, since=EVER, secret=first)
    return replace(published, versions=(before, *versions), archived_at=None)


def _version(draft: Draft, *, number: int, since: datetime, secret: bytes) -> ProgramVersion:
    return ProgramVersion(
        id=new_id(), number=number, effective_from=since, config=draft.config, draw_secret=secret
    )
