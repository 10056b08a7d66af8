"""Members as they are read and renamed. Enrolling and closing are facts: the recorder does them."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from asyncpg import UniqueViolationError

from loyalty.errors import Code, Refused
from loyalty.facts import MemberRef
from loyalty.plugin import Connection
from loyalty.view import MemberView

COLUMNS = "m.id, m.external_id, m.status, m.enrolled_at, m.attributes"
BY_ID = f"select {COLUMNS} from loyalty.member m where m.id = $1"
BY_EXTERNAL_ID = f"select {COLUMNS} from loyalty.member m where m.external_id = $1"
BY_EXTERNAL_IDS = f"select {COLUMNS} from loyalty.member m where m.external_id = any($1)"
BY_IDENTIFIERS = f"""
select i.value as mark, {COLUMNS} from loyalty.member_identifier i
  join loyalty.member m on (m.tenant_id, m.id) = (i.tenant_id, i.member_id)
 where i.value = any($1)
"""
BY_IDENTIFIER = f"""
select {COLUMNS} from loyalty.member_identifier i
  join loyalty.member m on (m.tenant_id, m.id) = (i.tenant_id, i.member_id) where i.value = $1
"""


async def find(connection: Connection, ref: MemberRef) -> MemberView | None:
    """The member that a reference names; None where the tenant has none by it."""
    # One statement each: a union of them all would be planned anew for every look.
    if ref.id is not None:
        row = await connection.fetchrow(BY_ID, ref.id)
    elif ref.external_id is not None:
        row = await connection.fetchrow(BY_EXTERNAL_ID, ref.external_id)
    else:
        row = await connection.fetchrow(BY_IDENTIFIER, ref.identifier)
    return None if row is None else MemberView(**dict(row))


async def found(
    connection: Connection, refs: Sequence[MemberRef]
) -> Mapping[MemberRef, MemberView]:
    """The members that references name, in a statement for each kind of reference."""
    if len(refs) == 1:
        one = await find(connection, refs[0])
        return {} if one is None else {refs[0]: one}
    ids = [ref.id for ref in refs if ref.id is not None]
    names = [ref.external_id for ref in refs if ref.external_id is not None]
    marks = [ref.identifier for ref in refs if ref.identifier is not None]
    rows: dict[MemberRef, MemberView] = {}
    if ids:
        rows |= {MemberRef(id=k): one for k, one in (await by_ids(connection, ids)).items()}
    if names:
        for row in await connection.fetch(BY_EXTERNAL_IDS, names):
            rows[MemberRef(external_id=row["external_id"])] = MemberView(**dict(row))
    if marks:
        for row in await connection.fetch(BY_IDENTIFIERS, marks):
            view = dict(row)
            ref = MemberRef(identifier=view.pop("mark"))
            rows[ref] = MemberView(**view)
    return rows


async def by_ids(connection: Connection, ids: Sequence[UUID]) -> Mapping[UUID, MemberView]:
    rows = await connection.fetch(
        f"select {COLUMNS} from loyalty.member m where m.id = any($1)", list(ids)
    )
    return {row["id"]: MemberView(**dict(row)) for row in rows}


async def page(
    connection: Connection, *, beyond: UUID | None, count: int, backward: bool = False
) -> Sequence[MemberView]:
    """Members in the order they were enrolled, `count` of them beyond a member's id."""
    side, order = ("<", "desc") if backward else (">", "asc")
    rows = await connection.fetch(
        f"""select {COLUMNS} from loyalty.member m
             where $1::uuid is null or m.id {side} $1 order by m.id {order} limit $2""",
        beyond,
        count,
    )
    return [MemberView(**dict(row)) for row in rows]


async def identifiers_of(
    connection: Connection, ids: Sequence[UUID]
) -> Mapping[UUID, Sequence[str]]:
    """The identifiers (cards, phone numbers) of members, in their alphabet's order."""
    rows = await connection.fetch(
        """select member_id, array_agg(value order by value) as values
             from loyalty.member_identifier where member_id = any($1) group by 1""",
        list(ids),
    )
    return {row["member_id"]: list(row["values"]) for row in rows}


async def update(
    connection: Connection,
    member_id: UUID,
    *,
    external_id: str | None = None,
    attributes: Mapping[str, Any] | None = None,
    add_identifiers: Sequence[str] = (),
    remove_identifiers: Sequence[str] = (),
) -> MemberView:
    """Change what is given; attributes are replaced as a whole.

    :raises Refused: MEMBER_EXISTS or ALREADY_EXISTS where another member has that name
    """
    try:
        row = await connection.fetchrow(
            """update loyalty.member m set external_id = coalesce($2, m.external_id),
                 attributes = coalesce($3, m.attributes), version = m.version + 1
               where m.id = $1 returning """
            + COLUMNS,
            member_id,
            external_id,
            attributes,
        )
    except UniqueViolationError:
        raise Refused(
            Code.MEMBER_EXISTS, "another member has this external id", field="externalId"
        ) from None
    if row is None:
        raise Refused(Code.MEMBER_NOT_FOUND, "there is no such member", field="member")
    await _change_identifiers(connection, member_id, add_identifiers, remove_identifiers)
    return MemberView(**dict(row))


async def _change_identifiers(
    connection: Connection, member_id: UUID, add: Sequence[str], remove: Sequence[str]
) -> None:
    if remove:
        await connection.execute(
            "delete from loyalty.member_identifier where member_id = $1 and value = any($2)",
            member_id,
            list(remove),
        )
    if add:
        added = await connection.fetch(
            """insert into loyalty.member_identifier (tenant_id, value, member_id)
               select loyalty.tenant(), v, $1 from unnest($2::text[]) v order by v
               on conflict do nothing returning value""",
            member_id,
            sorted(set(add)),
        )
        taken = await connection.fetch(
            "select value from loyalty.member_identifier where value = any($1) and member_id <> $2",
            list(add),
            member_id,
        )
        if taken and len(added) < len(set(add)):
            raise Refused(
                Code.ALREADY_EXISTS, "another member has this identifier", field="addIdentifiers"
            )
