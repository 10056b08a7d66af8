"""`loyalty serve` that fetches keys by plain http from this machine, and often: for tests alone."""

import sys
from functools import partial

from loyalty_app import cli, services
from loyalty_tenants import jwks
from loyalty_tenants.jwks_fetch import JwksFetcher

COOLDOWN_SECONDS = 2.0  # in place of half a minute: each trouble is to be met

if __name__ == "__main__":
    services.JwksFetcher = partial(JwksFetcher, insecure=True)  # type: ignore[attr-defined, assignment]
    jwks.COOLDOWN = COOLDOWN_SECONDS
    sys.argv[0] = "loyalty"
    cli.main()
