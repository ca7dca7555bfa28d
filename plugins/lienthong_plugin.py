"""Makes Liên Thông known to Airflow as a plugin. Its pages and views register here once there are any.

The package `lienthong` beside this file is imported, never executed as plugin modules: see `.airflowignore`.
"""

from __future__ import annotations

from airflow.plugins_manager import AirflowPlugin


class LienThongPlugin(AirflowPlugin):
    """Shown under Admin, Plugins."""

    name = "lienthong"
