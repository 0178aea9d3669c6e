"""Hardware outside, mappings inside: searches that choose sizes first and then map every layer."""
