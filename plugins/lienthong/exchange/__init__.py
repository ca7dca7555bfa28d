"""The portal: client, payloads, what is owed, how it is delivered, and the national catalogue."""
