"""One module for each command: ``Params``, its one argument, and ``run``, which returns its JSON result."""
