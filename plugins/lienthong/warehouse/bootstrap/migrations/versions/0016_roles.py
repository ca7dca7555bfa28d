"""Schema: a role per step, partitions found in the catalogue, keys that start with the tenant."""

from alembic import op

from lienthong.warehouse.statements import read

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.get_bind().connection.cursor().execute(read("migrations/0016_roles"))


def downgrade() -> None:
    raise RuntimeError("Liên Thông's warehouse only migrates forward; restore a backup to go back.")
