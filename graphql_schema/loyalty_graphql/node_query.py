"""Anything by its id."""

import strawberry

from loyalty.facts import MemberRef as Ref
from loyalty_graphql.access import allow
from loyalty_graphql.activities import visible_activity
from loyalty_graphql.admin.programs import visible_program
from loyalty_graphql.context import RequestInfo
from loyalty_graphql.ids import read_node_id
from loyalty_graphql.members import visible_member
from loyalty_graphql.nodes import Node
from loyalty_graphql.purchases import visible_purchase
from loyalty_graphql.redemptions import visible_redemption
from loyalty_tenants.principal import Role

# Which scope opens which type. Members see their own with self:read.
SCOPES = {
    "Activity": "activities:read",
    "Member": "members:read",
    "Program": "programs:read",
    "Purchase": "purchases:read",
    "Redemption": "redemptions:read",
}
OWN = SCOPES.keys() - {"Program"}


@strawberry.type
class NodeQuery:
    @strawberry.field
    @allow(Role.ADMIN, Role.SERVICE, Role.MEMBER, Role.OPERATOR)
    async def node(self, info: RequestInfo, id: strawberry.ID) -> Node | None:
        """Something by its id; null where there is no such thing, or it is not yours.

        :param id: of an activity, a member, a program, a purchase or a redemption
        """
        context, found = info.context, read_node_id(id)
        if found is None or found[0] not in SCOPES:
            return None
        kind, ident = found
        own = context.is_member and kind in OWN
        if not context.who.may("self:read" if own else SCOPES[kind]):
            return None
        match kind:
            case "Activity":
                return await visible_activity(info, await context.loaders.fact.load(ident))
            case "Member":
                return await visible_member(context, Ref(id=ident))
            case "Program":
                return await visible_program(context, ident)
            case "Purchase":
                return await visible_purchase(info, await context.loaders.fact.load(ident))
            case _:
                return await visible_redemption(context, ident)
