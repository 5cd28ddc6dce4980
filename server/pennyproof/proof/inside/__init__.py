"""What runs inside the user's project, under the project's own interpreter: standard library only, Python 3.8+."""
