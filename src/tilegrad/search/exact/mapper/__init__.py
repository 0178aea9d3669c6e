"""The optimal mapping of one layer on fixed hardware, by partial mappings built level by level."""
