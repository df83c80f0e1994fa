"""When a piece was archived, so that what was on sale on a past day can be told.

Revision: 0010, after 0009.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the moment; of what is archived already nobody knows it."""
    op.add_column("content", sa.Column("archived_at", sa.Text(), nullable=True))
