"""Networks stated by their parameters: layers, widths, heads, experts, and a phase."""
