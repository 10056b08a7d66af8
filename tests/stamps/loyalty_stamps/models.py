"""The plugin's tables as Tortoise models, where a read is not hot."""

from tortoise import fields
from tortoise.models import Model


class Buddy(Model):
    member_id = fields.UUIDField(primary_key=True)
    tenant_id = fields.UUIDField()
    buddy_id = fields.UUIDField()

    class Meta:
        schema = "loyalty"
        table = "stamps_buddy"
