"""Schema changes, run by alembic from kpay.store.upgrade; the creator never sees alembic itself."""
