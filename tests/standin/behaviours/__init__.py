"""Everything the API and its alternates were seen to do, by name.

Behaviours are told to fit streams; where none was asked for, their pieces are thirds of the JSON instead of events.
"""

from collections.abc import Awaitable, Callable, Mapping

from tests.standin.behaviours import answers, connections, encodings, errors, other_servers
from tests.standin.exchange import Exchange

Behaviour = Callable[[Exchange], Awaitable[None]]

BEHAVIOURS: Mapping[str, Behaviour] = {
    behaviour.__name__: behaviour
    for behaviour in (
        answers.success,
        answers.slow_success,
        answers.queued,
        answers.queued_in_vain,
        answers.reasoning_success,
        answers.reasoning_eats_budget,
        answers.tool_call_success,
        answers.max_tokens,
        answers.empty,
        answers.empty_body,
        answers.usage_on_last,
        answers.usage_trailing_chunk,
        answers.unknown_finish_reason,
        answers.dsml_leak,
        connections.silence,
        connections.stall,
        connections.connection_reset,
        connections.stream_disconnect,
        connections.partial_disconnect,
        connections.half_closed,
        connections.stream_eof,
        connections.partial_eof,
        connections.finish_without_done,
        encodings.malformed_json,
        encodings.malformed_event,
        encodings.other_fields,
        encodings.wrong_content_type,
        encodings.utf8_split,
        encodings.crlf,
        encodings.no_space,
        errors.rate_limit,
        errors.balance_429,
        errors.quota_exceeded,
        errors.server_error,
        errors.service_unavailable,
        errors.auth_error,
        errors.invalid_request,
        errors.context_overflow,
        errors.error_as_bytes,
        errors.error_as_text,
        other_servers.openrouter_midstream_error,
        other_servers.vllm_midstream_error,
        other_servers.vllm_suffix_400,
        other_servers.sglang_suffix_ignored,
        other_servers.ollama_zero_usage,
    )
}
