"""Plugins registered late, whose hooks are called in the order they would have, registered in time."""

from __future__ import annotations

from typing import Any, Collection, Dict, List, Tuple


def registered(manager: Any) -> Dict[str, Any]:
    """The plugins by their names, in the order in which they were registered."""
    return {name: plugin for name, plugin in manager.list_name_plugin() if plugin is not None}


def register(manager: Any, plugin: Any, after: Any) -> None:
    """Register a plugin as if it had come right after another."""
    earlier = registered(manager)
    names = list(earlier)
    position = next(index for index, other in enumerate(earlier.values()) if other is after)
    manager.register(plugin)
    move_before(manager, plugin, frozenset(names[position + 1 :]))


def move_before(manager: Any, plugin: Any, later: Collection[str]) -> None:
    """Put the hooks of a plugin that was registered last before those of the plugins with these names."""
    for caller in manager.get_hookcallers(plugin) or ():
        # pluggy has no other way; where its list is not called so, this ends what was begun in advance.
        hooks: List[Any] = caller._hookimpls  # noqa: SLF001
        place = next(index for index, hook in enumerate(hooks) if hook.plugin is plugin)
        while place and hooks[place - 1].plugin_name in later and _kind(hooks[place - 1]) == _kind(hooks[place]):
            hooks[place - 1], hooks[place] = hooks[place], hooks[place - 1]
            place -= 1


def _kind(hook: Any) -> Tuple[bool, bool, bool]:
    """Hooks are ordered by time among those of their kind only."""
    return bool(hook.hookwrapper or getattr(hook, "wrapper", False)), bool(hook.tryfirst), bool(hook.trylast)
