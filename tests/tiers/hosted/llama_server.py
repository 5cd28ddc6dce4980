"""``python -m tests.tiers.hosted.llama_server MODEL KEY GRAMMAR``: a real llama.cpp server, as a process of its own.

Prints its URL once it listens on loopback, and ends when its standard input ends.
"""

import sys

import xllamacpp


def main() -> None:
    """Serves until nobody needs it any more."""
    model, key, grammar = sys.argv[1:]
    params = xllamacpp.CommonParams()
    params.model.path = model
    params.api_keys = [key]
    params.n_ctx = 512
    params.n_parallel = 1
    params.n_gpu_layers = 0
    params.cpuparams.n_threads = 1
    params.cpuparams_batch.n_threads = 1
    params.warmup = False
    params.sampling.grammar = xllamacpp.CommonGrammar(
        xllamacpp.common_grammar_type.COMMON_GRAMMAR_TYPE_USER, grammar=grammar
    )
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
