"""One workspace folder: its trust, its warm workers, and what can be asked of it."""
