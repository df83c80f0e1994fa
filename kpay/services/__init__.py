"""Use cases: the only callers of a write transaction."""
