"""Schema: readings in order, disputed codes, precedence, vanished records."""

from alembic import op

from lienthong.warehouse.statements import read

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.get_bind().connection.cursor().execute(read("migrations/0011_loading"))


def downgrade() -> None:
    raise RuntimeError("Liên Thông's warehouse only migrates forward; restore a backup to go back.")
