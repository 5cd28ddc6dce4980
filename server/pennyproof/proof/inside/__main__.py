"""Makes a package of this folder, under a name that nothing else has, and runs its zygote (or ``confine``, ``once``).

The folder itself is taken off ``sys.path`` first: its ``run`` or ``trace`` would shadow modules of the project.
"""

import importlib
import importlib.machinery
import importlib.util
import os
import sys

if __name__ == "__main__":
    folder = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry) != folder]
    spec = importlib.util.spec_from_file_location(
        "_pennyproof_inside", os.path.join(folder, "__init__.py"), submodule_search_locations=[folder]
    )
    assert spec is not None and spec.loader is not None  # noqa: S101, PT018 - the file is there
    package = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = package
    spec.loader.exec_module(package)
    if sys.argv[1:] == ["once"]:
        importlib.import_module(spec.name + ".once").main()
    elif len(sys.argv) > 1:
        importlib.import_module(spec.name + ".confine").main(sys.argv[1:])
    else:
        importlib.import_module(spec.name + ".zygote").main()
