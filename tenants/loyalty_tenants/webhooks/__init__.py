"""Webhooks: what happens in a tenant, told to the addresses that it names. README.md says how."""
