"""OpenCPS v2, the one-stop system of many provinces (portal-exchange §6.1), read from its database."""
