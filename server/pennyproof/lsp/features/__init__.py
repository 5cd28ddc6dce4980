"""One module for each method, and what runs and searches found, which they share."""
