"""Backups that were tried: dumped, restored into another server, and looked at there."""
