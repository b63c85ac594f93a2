"""Benchmarks: ratios measured inside one run, never compared across machines."""
