"""What a benchmark can say when it can't go on."""


class BenchmarkError(RuntimeError):
    """A run could not be prepared or a phase failed; the message says which, in the phase's own words."""
