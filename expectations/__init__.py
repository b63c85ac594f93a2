"""Great Expectations suites, one JSON file per state of the tables."""
