"""Settings by environment, prefix `LOYALTY_`, and secrets by files that the environment names.

What the environment leaves open is taken from the platform that runs in the data folder, so that
`loyalty key create` in a second terminal finds the servers that `loyalty up` started in the first.
"""

from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from loyalty_app import running
from loyalty_app.log_format import LogFormat
from loyalty_app.problem import Problem
from loyalty_app.secret_files import SecretFiles, secret_settings, variable_of_file
from loyalty_app.urls import POSTGRES, REDIS, mistake_in


class Settings(BaseSettings):
    """Where the servers are and where to listen. Addresses may hold passwords: never printed."""

    model_config = SettingsConfigDict(
        env_prefix="LOYALTY_", frozen=True, env_ignore_empty=True, hide_input_in_errors=True
    )

    # Without repr: secrets. Each may be in a file that LOYALTY_<NAME>_FILE names.
    # A login that may create roles and migrate: used by `up`, `migrate` and `doctor` only.
    database_url: str | None = Field(default=None, repr=False)
    app_database_url: str | None = Field(default=None, repr=False)
    worker_database_url: str | None = Field(default=None, repr=False)
    audit_database_url: str | None = Field(default=None, repr=False)
    redis_url: str | None = Field(default=None, repr=False)
    operator_secret: str | None = Field(default=None, repr=False)
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)
    # Where a worker answers whoever supervises it; 0: nowhere.
    probe_port: int = Field(default=0, ge=0, le=65535)
    # What one caller may have of an API process; 0 lifts the limit. See the guide on operating.
    tenant_rate: int = Field(default=4_000, ge=0)
    member_rate: int = Field(default=500, ge=0)
    tenant_in_flight: int = Field(default=8, ge=0)
    # Whether operations run as compiled functions; the file of documents that are known by an id.
    compiled: bool = True
    trusted_documents: Path | None = None
    # For those who watch: 0 answers no metrics. Logs are lines of JSON, or text for people.
    metrics_port: int = Field(default=0, ge=0, le=65535)
    log_format: LogFormat = LogFormat.TEXT
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "WARNING"
    # How often a worker audits each tenant's ledger; 0: never.
    audit_hours: float = Field(default=24, ge=0)
    # How long what passes is kept, in days: `audit_trail=400,inbound=30`; the rest as shipped.
    retention: str | None = None
    data_dir: Path = Path(".loyalty")
    # A process whose event loop does not come round for so long is ended; 0: never.
    watchdog_seconds: float = Field(default=10, ge=0)
    # Ports of the embedded servers; 0 takes a free one at every start.
    embedded_postgres_port: int = Field(default=0, ge=0, le=65535)
    embedded_valkey_port: int = Field(default=0, ge=0, le=65535)
    # Where webhooks may go beside public https addresses, and how patient they are.
    webhook_ports: str = "443,8443"
    webhook_trusted_hosts: str | None = None
    webhook_ca_file: Path | None = None
    webhook_seconds: float = Field(default=15.0, gt=0, le=25)
    webhook_pace: float = Field(default=1.0, gt=0)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What is given in code, the environment, and the files that it names; nothing else."""
        return init_settings, env_settings, SecretFiles(settings_cls)

    @field_validator(
        "database_url", "app_database_url", "worker_database_url", "audit_database_url"
    )
    @classmethod
    def _postgres(cls, url: str | None) -> str | None:
        return _sound(url, POSTGRES)

    @field_validator("redis_url")
    @classmethod
    def _redis(cls, url: str | None) -> str | None:
        return _sound(url, REDIS)

    @classmethod
    def load(cls) -> "Settings":
        """The environment first, then what is running in the data folder."""
        settings = cls()
        found = running.read(settings.data_dir)
        missing = {name: value for name, value in found.items() if getattr(settings, name) is None}
        return settings.model_copy(update=missing)

    def need(self, name: str) -> str:
        """A setting that a command cannot do without.

        :raises Problem: it is not set
        """
        value = getattr(self, name)
        if not value:
            variable = f"LOYALTY_{name.upper()}"
            raise Problem(
                f"{variable} is not set", f"Set {variable}, or start everything with `loyalty up`"
            )
        return str(value)

    def unrationed(self) -> "Settings":
        """The same without rates: for a process that one caller has to itself."""
        lifted = {"tenant_rate": 0, "member_rate": 0, "tenant_in_flight": 0}
        return self.model_copy(update=lifted)

    def environment(self) -> dict[str, str]:
        """These settings for a serving process, which gets no right to migrate."""
        given = {
            f"LOYALTY_{name.upper()}": str(value)
            for name, value in self.model_dump(exclude={"database_url"}).items()
            if value is not None
        }
        # They are read already: beside the values, the files would be a second opinion.
        return given | dict.fromkeys(map(variable_of_file, secret_settings(type(self))), "")


def _sound(url: str | None, schemes: tuple[str, ...]) -> str | None:
    if url and (mistake := mistake_in(url, schemes)):  # an empty one: there is none
        raise ValueError(mistake)
    return url
