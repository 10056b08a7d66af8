"""A plan carried out: units that are missing, then the draft, then, if asked for, a version."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from loyalty_app.problem import Problem
from loyalty_app.programs import documents
from loyalty_app.programs.asking import Asking, refusals
from loyalty_app.programs.plan import Plan, begins


async def apply(
    asking: Asking, plan: Plan, *, publish: bool, effective_from: datetime | None
) -> list[str]:
    """Carry a plan out; answers what was done, a line each.

    :raises Problem: something was refused, also where the program changed since the plan was made
    """
    done: list[str] = []
    for unit in plan.units:
        given = {"name": unit["code"], **unit}
        await _done(asking, plan, documents.CREATE_UNIT, "createUnit", given)
        done.append(f"created the unit {unit['code']}")
    program = plan.current
    if program is None or plan.changes:
        program = await _saved(asking, plan)
        done.append("created the draft" if plan.current is None else "changed the draft")
    if publish and (plan.changes or plan.unpublished(effective_from)):
        given = {"id": program["id"], "expectedVersion": program["version"]}
        if effective_from is not None:
            given["effectiveFrom"] = effective_from.isoformat()
        payload = await _done(asking, plan, documents.PUBLISH, "publishProgram", given)
        done += _published(plan, payload)
    return done


def _published(plan: Plan, payload: Mapping[str, Any]) -> Iterator[str]:
    if (approval := payload["approval"]) is not None:
        yield f"waits until {approval['expiresAt']} for a second person to approve it"
        return
    version = payload["version"]
    told = f"published version {version['number']}, from {version['effectiveFrom']} on"
    if version["state"] == "BACKFILLING":
        told += ", once what it counts is filled from history: it judges nothing before that"
    yield told
    if (other := plan.follows(begins(version))) is not None:
        at = other["effectiveFrom"]
        told = f"but version {other['number']} takes its place at {at}"
        yield f"{told}: --from {at} puts it there, too"


async def _saved(asking: Asking, plan: Plan) -> Mapping[str, Any]:
    file = plan.file
    given: dict[str, Any] = {"name": file.name, "config": file.config}
    if file.position is not None:
        given["position"] = file.position
    if plan.current is None:
        given |= {"slug": file.slug, "kind": file.kind}
        payload = await _done(asking, plan, documents.CREATE, "createProgram", given)
    else:
        given |= {"id": plan.current["id"], "expectedVersion": plan.current["version"]}
        payload = await _done(asking, plan, documents.UPDATE, "updateProgram", given)
    program: Mapping[str, Any] = payload["program"]
    return program


async def _done(
    asking: Asking, plan: Plan, document: str, name: str, given: Mapping[str, Any]
) -> Mapping[str, Any]:
    payload: Mapping[str, Any] = (await asking.ask(document, input=given))[name]
    if wrong := refusals(payload):
        lines = (
            f"{plan.file.place(one['field'])}: {one['field']}: {one['message']}" for one in wrong
        )
        raise Problem("\n".join(lines), "Correct it and try again")
    return payload
