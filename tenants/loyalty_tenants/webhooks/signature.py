"""Signatures by the Standard Webhooks specification, version v1 (HMAC with SHA-256)."""

import hmac
import secrets
from base64 import b64encode
from collections.abc import Mapping, Sequence
from hashlib import sha256

PREFIX = "whsec_"
SECRET_BYTES = 32  # the specification asks for 24 to 64


def new_secret() -> bytes:
    return secrets.token_bytes(SECRET_BYTES)


def shown(secret: bytes) -> str:
    """The secret as the receiver's library takes it."""
    return PREFIX + b64encode(secret).decode()


def headers(
    message_id: str, timestamp: int, body: bytes, keys: Sequence[bytes]
) -> Mapping[str, str]:
    """What tells the receiver that we sent these bytes now; signed with each of the secrets."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    signatures = (b64encode(hmac.digest(key, signed, sha256)).decode() for key in keys)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }
