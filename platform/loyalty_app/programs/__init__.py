"""Programs as files: read, compared with what a tenant runs, applied and written back."""
