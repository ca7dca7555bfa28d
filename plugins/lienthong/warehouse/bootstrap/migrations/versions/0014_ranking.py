"""Schema: what sources can tell, and idle units."""

from alembic import op

from lienthong.warehouse.statements import read

revision = "0014"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.get_bind().connection.cursor().execute(read("migrations/0014_ranking"))


def downgrade() -> None:
    raise RuntimeError("Liên Thông's warehouse only migrates forward; restore a backup to go back.")
