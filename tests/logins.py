"""Passwords of the warehouse's logins on the tests' server: every role has its own."""

from __future__ import annotations

from lienthong.connections import Role

PASSWORDS = {role: f"{role.value}-alone" for role in Role}
