"""Who calls, and in which tenant."""

from uuid import UUID

from loyalty.errors import Code, Refused
from loyalty_tenants.principal import Principal


def caller(principal: Principal | None) -> Principal:
    """The principal; the guards let nobody in without.

    :raises Refused: UNAUTHENTICATED
    """
    if principal is None:
        raise Refused(Code.UNAUTHENTICATED, "send an access token or API key that is valid")
    return principal


def tenant_of(principal: Principal | None) -> UUID:
    """The tenant of the caller.

    :raises Refused: UNAUTHENTICATED; FORBIDDEN for an operator whose token names no tenant
    """
    tenant_id = caller(principal).tenant_id
    if tenant_id is None:
        raise Refused(Code.FORBIDDEN, "name a tenant: use a token with a `tenant` claim")
    return tenant_id
