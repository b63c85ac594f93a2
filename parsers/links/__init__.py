"""The parsers of the chain, one module each: a sentence and a policy in, a verdict or None out."""
