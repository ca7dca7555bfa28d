"""The portal: client, payloads, what is owed, how it is delivered, what its catalogue says."""
