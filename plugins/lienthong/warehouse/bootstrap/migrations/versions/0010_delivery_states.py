"""Schema: deliveries that are set aside, and doubtful steps with a way out."""

from alembic import op

from lienthong.warehouse.statements import read

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.get_bind().connection.cursor().execute(read("migrations/0010_delivery_states"))


def downgrade() -> None:
    raise RuntimeError("Liên Thông's warehouse only migrates forward; restore a backup to go back.")
