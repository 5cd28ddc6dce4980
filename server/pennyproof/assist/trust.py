"""Trust: asked once for each workspace, and remembered."""
