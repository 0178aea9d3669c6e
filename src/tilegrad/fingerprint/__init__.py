"""What tells one run from another: its settings, the content of what it reads, and its meaning."""
