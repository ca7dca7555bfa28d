"""Schema: dossiers that a ministry sends itself."""

from alembic import op

from lienthong.warehouse.statements import read

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.get_bind().connection.cursor().execute(read("migrations/0017_sent_elsewhere"))


def downgrade() -> None:
    raise RuntimeError("Liên Thông's warehouse only migrates forward; restore a backup to go back.")
