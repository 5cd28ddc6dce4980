"""Source edits by template, formatting and comments kept."""
