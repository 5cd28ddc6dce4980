"""``python -m pennyproof`` is the ``pennyproof`` command."""

import sys

from pennyproof.cli import main

if __name__ == "__main__":
    sys.exit(main())
