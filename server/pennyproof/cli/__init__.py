"""The command line, thin over assist."""
