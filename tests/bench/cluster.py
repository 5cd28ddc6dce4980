"""Workers of a dask cluster for benchmarks: processes of this machine, or those that the command line names."""

import contextlib
import logging
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from unittest import mock

from tests.bench import Options, corpus, product

WORKERS = 2
_VARIABLE = "PENNYPROOF_PROOF_EXECUTOR"


@contextlib.contextmanager
def workers(variables: Mapping[str, str]) -> Iterator[str]:
    """HOST:PORT of a scheduler whose workers, of one thread each, are processes of this machine.

    Args:
        variables: Their environment.

    Raises:
        Unavailable: The extra for that is not installed.
    """
    try:
        from distributed import LocalCluster  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        raise corpus.Unavailable(f"{error.name} is not installed") from error
    with LocalCluster(
        n_workers=WORKERS,
        threads_per_worker=1,
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
        worker_dashboard_address="127.0.0.1:0",
        local_directory=str(Path(variables["HOME"], "dask")),
        silence_logs=logging.CRITICAL,
        # As the README advises: a worker's profiler looks at all of its threads a hundred times a second.
        env={**variables, "DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED": "False"},
    ) as cluster:
        yield cluster.scheduler_address.removeprefix("tcp://")


def pids(address: str) -> list[int]:
    """The processes of the workers."""
    from distributed import Client  # noqa: PLC0415 - as above

    with Client(address, set_as_default=False) as client:
        return list(client.run(os.getpid).values())


@contextlib.contextmanager
def executor(options: Options, python: Path) -> Iterator[None]:
    """Have the product prove by the executor that was asked for.

    Args:
        options: ``executor`` is ``local``, ``dask`` for workers that are started here, or ``dask://HOST:PORT``.
        python: The interpreter that runs the tests.
    """
    with contextlib.ExitStack() as stack:
        name = options.executor
        if name == "dask":
            variables = stack.enter_context(product.environment(python))
            name = f"dask://{stack.enter_context(workers(variables))}"
        stack.enter_context(mock.patch.dict(os.environ, {_VARIABLE: name}))
        yield
