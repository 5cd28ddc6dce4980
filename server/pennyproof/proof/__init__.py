"""How a candidate is checked: gates, test selection, warm workers, sandbox."""
