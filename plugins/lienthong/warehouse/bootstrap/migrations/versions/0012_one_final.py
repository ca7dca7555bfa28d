"""Schema: a month has one final score."""

from alembic import op

from lienthong.warehouse.statements import read

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.get_bind().connection.cursor().execute(read("migrations/0012_one_final"))


def downgrade() -> None:
    raise RuntimeError("Liên Thông's warehouse only migrates forward; restore a backup to go back.")
