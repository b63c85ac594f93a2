"""The way of the data: extract, profile, normalize, check, emit."""
