"""Bringing a new source in: look at it, write its first contract, rehearse a load. Nothing is loaded here."""
