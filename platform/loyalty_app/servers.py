"""The servers that the platform stands on: those it was given, embedded ones for the rest."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from loyalty_app.secrets_kept import secrets_in
from loyalty_app.settings import Settings


@contextmanager
def servers(settings: Settings) -> Iterator[Settings]:
    """Settings with the addresses of a PostgreSQL and a Redis, running while the block runs.

    :raises Problem: an embedded server does not start
    """
    secrets = secrets_in(settings.data_dir)
    with ExitStack() as started:
        found: dict[str, object] = {
            "operator_secret": settings.operator_secret or secrets["operator"]
        }
        if settings.database_url is None:
            found["database_url"] = started.enter_context(_postgres(settings, secrets))
        if settings.redis_url is None:
            found["redis_url"] = started.enter_context(_valkey(settings, secrets))
        yield settings.model_copy(update=found)


# Imported late: an installation with servers of its own has no embedded ones.
@contextmanager
def _postgres(settings: Settings, secrets: dict[str, str]) -> Iterator[str]:
    from loyalty_app.embedded.postgres import KEEP_SAFE, Postgres, postgres
    from loyalty_app.embedded.sizing import sized
    from loyalty_app.embedded.unprivileged import home

    folder = home(settings.data_dir)
    server = Postgres(
        folder,
        password=secrets["postgres"],
        port=settings.embedded_postgres_port,
        options={**KEEP_SAFE, **sized(folder)},
    )
    with postgres(server) as url:
        yield url


@contextmanager
def _valkey(settings: Settings, secrets: dict[str, str]) -> Iterator[str]:
    from loyalty_app.embedded.unprivileged import home
    from loyalty_app.embedded.valkey import Valkey, valkey

    server = Valkey(
        home(settings.data_dir), password=secrets["valkey"], port=settings.embedded_valkey_port
    )
    with valkey(server) as url:
        yield url
