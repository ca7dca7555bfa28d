"""Schema: speed."""

from alembic import op

from lienthong.warehouse.statements import read

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.get_bind().connection.cursor().execute(read("migrations/0007_speed"))


def downgrade() -> None:
    raise RuntimeError("Liên Thông's warehouse only migrates forward; restore a backup to go back.")
