"""One-shot mapping by mixed-integer programming on given hardware, after CoSA."""
