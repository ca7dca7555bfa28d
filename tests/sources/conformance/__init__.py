"""One suite that every source runs, whole way: a real system behind a tap, a real warehouse, and the truth.

`bench.py` says what is asked of a source, `registry.py` lists the benches, `rig.py` loads and compares. A new source
needs a bench: how to start its system, its contract, what is true, and how to make things happen in it. What it can't
do, or does otherwise, it declares with a reason (`habits`), and the suite asserts that. The run ends with a table of
sources and facts: `pytest tests/sources/conformance -q`, for one of them with `-k gplx`.
"""
