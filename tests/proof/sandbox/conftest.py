"""The yard, in each sandbox that confines."""

from collections.abc import Iterator

import pytest

from tests.proof.sandbox.yard import KEY, Yard, yard_of


@pytest.fixture(scope="module", params=["bubblewrap", "landlock"])
def yard(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Yard]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PENNYPROOF_API_KEY", KEY)
        with yard_of(request.param, tmp_path_factory.mktemp(request.param)) as made:
            yield made
