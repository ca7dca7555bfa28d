"""One package per vendor: mapping and habits over the kit. `profiles.PROFILES` says which kinds each reads."""
