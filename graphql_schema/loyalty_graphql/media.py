"""Media types of GraphQL over HTTP: what may be sent, and what is answered."""

from email.message import Message
from functools import lru_cache

from starlette.datastructures import Headers

from loyalty_graphql.edge_code import EdgeCode
from loyalty_graphql.rejection import Rejected

JSON = "application/json"
GRAPHQL = "application/graphql-response+json"
ACCEPT_LENGTH_MAX = 1_000

_USUAL = frozenset({JSON, f"{JSON}; charset=utf-8", f"{JSON};charset=utf-8"})
# Of those asked for with equal weight the first is answered.
_OFFERED = (GRAPHQL, JSON)


def check_content_type(headers: Headers) -> None:
    """JSON in UTF-8 only: a browser sends neither to a foreign site without asking it first.

    :raises Rejected: 415
    """
    given = headers.get("content-type", "")
    if given in _USUAL:
        return
    message = Message()
    message["content-type"] = given
    # `Message` takes an empty or broken header for text/plain.
    if message.get_content_type() != JSON:
        raise _unsupported(f"send the body as {JSON}")
    if (message.get_content_charset() or "utf-8") not in ("utf-8", "utf8"):
        raise _unsupported("send the body in UTF-8")


def negotiate(headers: Headers) -> str:
    """The media type to answer with; JSON where the client does not say or takes anything.

    :raises Rejected: 406 where it takes neither
    """
    return _negotiated(",".join(headers.getlist("accept"))[:ACCEPT_LENGTH_MAX])


@lru_cache(maxsize=128)  # clients of a kind send the same
def _negotiated(accept: str) -> str:
    if not accept.strip():
        return JSON
    weights: dict[str, float] = {}
    for part in accept.split(","):
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        weights[name] = max(_weight(parameters), weights.get(name, 0.0))
    anything = max(weights.get("application/*", 0.0), weights.get("*/*", 0.0))
    offered = {name: weights.get(name, 0.0) for name in _OFFERED}
    best = max(offered, key=lambda name: offered[name])
    if offered[best] > 0:
        return best
    if anything > 0 and weights.get(JSON) != 0:
        return JSON
    raise Rejected(
        406, EdgeCode.NOT_ACCEPTABLE, f"accept {GRAPHQL} or {JSON}", {"accept": ", ".join(_OFFERED)}
    )


def _weight(parameters: list[str]) -> float:
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                return float(parameter[2:])
            except ValueError:
                return 0.0
        if parameter.startswith("charset=") and parameter[8:].strip('"') not in ("utf-8", "utf8"):
            return 0.0
    return 1.0


def _unsupported(message: str) -> Rejected:
    return Rejected(415, EdgeCode.UNSUPPORTED_MEDIA_TYPE, message, {"accept": JSON})
