"""Schema: freshness."""

from alembic import op

from lienthong.warehouse.statements import read

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.get_bind().connection.cursor().execute(read("migrations/0005_freshness"))


def downgrade() -> None:
    raise RuntimeError("Liên Thông's warehouse only migrates forward; restore a backup to go back.")
