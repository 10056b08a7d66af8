"""The tables of this floor as Tortoise models, for reads that are not hot.

The real keys are (tenant_id, id) and row security adds the tenant to every query; Tortoise knows no
composite keys, so each model names the column that is unique within a tenant. Migrations are SQL.
"""

from typing import Any

from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.models import Model, ModelMeta


class Json(fields.JSONField[Any]):
    """jsonb as the connection's own codec reads and writes it; Tortoise's would encode twice."""

    def to_db_value(self, value: Any, instance: Any) -> Any:
        return value

    def to_python_value(self, value: Any) -> Any:
        return value


class _Uncommented(ModelMeta):
    """Tortoise would read the source of each class for comments on columns: SQL has those."""

    def __new__(cls, name: str, bases: tuple[type, ...], attrs: dict[str, Any]) -> ModelMeta:
        return super().__new__(cls, name, bases, {**attrs, "_no_comments": True})


class Table(Model, metaclass=_Uncommented):
    class Meta:
        abstract = True


class Unit(Table):
    code = fields.CharField(max_length=32, primary_key=True)
    tenant_id = fields.UUIDField()
    name = fields.TextField()
    places = fields.SmallIntField()
    kind = fields.TextField()
    created_at = fields.DatetimeField()

    class Meta:
        schema = "loyalty"
        table = "unit"


class Program(Table):
    id = fields.UUIDField(primary_key=True)
    tenant_id = fields.UUIDField()
    slug = fields.TextField()
    kind = fields.TextField()
    name = fields.TextField()
    position = fields.IntField()
    status = fields.TextField()
    draft = Json()
    version = fields.IntField()
    created_at = fields.DatetimeField()
    archived_at = fields.DatetimeField(null=True)

    class Meta:
        schema = "loyalty"
        table = "program"


class ProgramVersion(Table):
    id = fields.UUIDField(primary_key=True)
    tenant_id = fields.UUIDField()
    program_id = fields.UUIDField()
    number = fields.IntField()
    config = Json()
    effective_from = fields.DatetimeField()
    published_at = fields.DatetimeField()
    published_by = fields.TextField()
    draw_secret = fields.BinaryField()
    state = fields.TextField()
    activated_at = fields.DatetimeField(null=True)

    class Meta:
        schema = "loyalty"
        table = "program_version"


class ProgramSecret(Table):
    name = fields.CharField(max_length=60, primary_key=True)  # unique within its program
    tenant_id = fields.UUIDField()
    program_id = fields.UUIDField()
    value = fields.TextField()
    updated_at = fields.DatetimeField()

    class Meta:
        schema = "loyalty"
        table = "program_secret"


class ApiKey(Table):
    id = fields.UUIDField(primary_key=True)
    tenant_id = fields.UUIDField()
    prefix = fields.TextField()
    hash = fields.BinaryField()
    role = fields.TextField()
    scopes = ArrayField("text")
    client = fields.TextField()
    label = fields.TextField()
    created_at = fields.DatetimeField()
    expires_at = fields.DatetimeField(null=True)
    revoked_at = fields.DatetimeField(null=True)
    last_used_at = fields.DatetimeField(null=True)

    class Meta:
        schema = "loyalty"
        table = "api_key"


class TenantSecret(Table):
    id = fields.UUIDField(primary_key=True)
    tenant_id = fields.UUIDField()
    secret = fields.BinaryField()
    created_at = fields.DatetimeField()
    retires_at = fields.DatetimeField(null=True)

    class Meta:
        schema = "loyalty"
        table = "tenant_secret"


class TenantIssuer(Table):
    issuer = fields.CharField(max_length=500, primary_key=True)
    tenant_id = fields.UUIDField()
    jwks_url = fields.TextField()
    algorithms = ArrayField("text")
    audience = fields.TextField()
    created_at = fields.DatetimeField()

    class Meta:
        schema = "loyalty"
        table = "tenant_issuer"


class AuditEntry(Table):
    id = fields.UUIDField(primary_key=True)
    tenant_id = fields.UUIDField()
    at = fields.DatetimeField()
    actor = fields.TextField()
    role = fields.TextField()
    action = fields.TextField()
    subject = fields.TextField()
    details = Json()
    request_id = fields.TextField(null=True)

    class Meta:
        schema = "loyalty"
        table = "audit_entry"


class WebhookEndpoint(Table):
    id = fields.UUIDField(primary_key=True)
    tenant_id = fields.UUIDField()
    url = fields.TextField()
    topics = ArrayField("text")
    description = fields.TextField()
    status = fields.TextField()
    reason = fields.TextField(null=True)
    failures = fields.IntField()
    rest_until = fields.DatetimeField(null=True)
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()

    class Meta:
        schema = "loyalty"
        table = "webhook_endpoint"


class WebhookSecret(Table):
    id = fields.UUIDField(primary_key=True)
    tenant_id = fields.UUIDField()
    endpoint_id = fields.UUIDField()
    secret = fields.BinaryField()
    created_at = fields.DatetimeField()
    retires_at = fields.DatetimeField(null=True)

    class Meta:
        schema = "loyalty"
        table = "webhook_secret"


class WebhookEvent(Table):
    id = fields.UUIDField(primary_key=True)
    tenant_id = fields.UUIDField()
    topic = fields.TextField()
    body = fields.TextField()
    created_at = fields.DatetimeField()

    class Meta:
        schema = "loyalty"
        table = "webhook_event"


class WebhookDelivery(Table):
    id = fields.UUIDField(primary_key=True)
    tenant_id = fields.UUIDField()
    endpoint_id = fields.UUIDField()
    event_id = fields.UUIDField()
    line = fields.UUIDField()
    seq = fields.BigIntField()
    topic = fields.TextField()
    state = fields.TextField()
    attempts = fields.SmallIntField()
    tried_at = fields.DatetimeField(null=True)
    answered = fields.SmallIntField(null=True)
    problem = fields.TextField(null=True)
    created_at = fields.DatetimeField()
    finished_at = fields.DatetimeField(null=True)

    class Meta:
        schema = "loyalty"
        table = "webhook_delivery"


class WebhookLine(Table):
    line = fields.UUIDField(primary_key=True)  # unique within its endpoint
    tenant_id = fields.UUIDField()
    endpoint_id = fields.UUIDField()
    state = fields.TextField()
    ready_at = fields.DatetimeField()
    lease_until = fields.DatetimeField(null=True)
    lease_token = fields.UUIDField(null=True)

    class Meta:
        schema = "loyalty"
        table = "webhook_line"
