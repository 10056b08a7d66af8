"""What applying a program file would change, found out without changing anything."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from loyalty_app.problem import Problem
from loyalty_app.programs import documents
from loyalty_app.programs.asking import Asking, refusals
from loyalty_app.programs.program_file import ProgramFile
from loyalty_tenants.config_diff import Change, ChangeKind, changes


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A file against the program it is about; `current` None: the tenant has none of the slug."""

    file: ProgramFile
    current: Mapping[str, Any] | None
    units: Sequence[Mapping[str, Any]]
    changes: Sequence[Change]
    filled: Mapping[str, Any] | None
    """The file's config with its defaults; None where a unit that it names is to be created."""

    @property
    def empty(self) -> bool:
        return self.current is not None and not self.units and not self.changes

    def follows(self, at: datetime) -> Mapping[str, Any] | None:
        """The version that was published before for the nearest instant after this one."""
        versions = self.current["versions"] if self.current else []
        return min((one for one in versions if begins(one) > at), key=begins, default=None)

    def unpublished(self, since: datetime | None) -> bool:
        """Whether the file says something else than the newest published version, or than the one
        that is in force at an instant as things stand."""
        versions = self.current["versions"] if self.current else []
        if since is not None:
            begun = [one for one in versions if begins(one) <= since]
            versions = sorted(begun, key=lambda one: (begins(one), one["number"]), reverse=True)
        if self.filled is None or not versions:
            return True
        return bool(changes(versions[0]["config"], self.filled))


def begins(version: Mapping[str, Any]) -> datetime:
    """From when on a version is in force."""
    return datetime.fromisoformat(version["effectiveFrom"])


async def plan(asking: Asking, file: ProgramFile) -> Plan:
    """:raises Problem: the file could not be applied; it says each line at fault"""
    data = await asking.ask(documents.PROGRAMS)
    current = next((one for one in data["programs"] if one["slug"] == file.slug), None)
    if current is not None and current["kind"] != file.kind:
        raise Problem(
            f"{file.place('kind')}: kind: the program {file.slug!r} is of kind {current['kind']!r}",
            "Give a program of another kind a slug of its own",
        )
    there = {unit["code"] for unit in data["units"]}
    missing = [unit for unit in file.units if unit["code"] not in there]
    filled = await _checked(asking, file, {unit["code"] for unit in missing})
    return Plan(
        file=file,
        current=current,
        units=missing,
        changes=_changes(current, file),
        filled=filled,
    )


def _changes(current: Mapping[str, Any] | None, file: ProgramFile) -> list[Change]:
    if current is None:
        return [Change(path=file.slug, kind=ChangeKind.ADDED, after=file.name)]
    found = changes({"name": current["name"]}, {"name": file.name}, file.slug)
    if file.position is not None:
        found += changes({"position": current["position"]}, {"position": file.position}, file.slug)
    return found + changes(current["config"], file.config, f"{file.slug}.config")


async def _checked(
    asking: Asking, file: ProgramFile, to_come: set[str]
) -> Mapping[str, Any] | None:
    """The config with its defaults; None where a unit that it names is still to be created."""
    data = await asking.ask(documents.CHECK, kind=file.kind, config=file.config)
    wrong = [
        one
        for one in refusals(data["checkConfig"])
        if not any(f"no unit {code!r}" in one["message"] for code in to_come)
    ]
    if wrong:
        lines = (f"{file.place(one['field'])}: {one['field']}: {one['message']}" for one in wrong)
        raise Problem("\n".join(lines), "Nothing was changed: correct it and try again")
    filled: Mapping[str, Any] | None = data["checkConfig"]["config"]
    return filled
