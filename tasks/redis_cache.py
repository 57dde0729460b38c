"""Django's cache in Redis, for a Redis that may go away: until it is back, another of the caches takes its place.

Values are stored as JSON: who can write to Redis cannot have this service run code, as it could with pickles.
"""

from __future__ import annotations

import json
from typing import Any

from django.core.cache import caches
from django.core.cache.backends import redis
from django.core.cache.backends.base import DEFAULT_TIMEOUT

from tasks.redis_link import OPTIONS, link


class JsonSerializer:
    """Integers stay as they are, so that Redis can count."""

    def dumps(self, value: Any) -> int | bytes:
        return value if type(value) is int else json.dumps(value).encode()

    def loads(self, data: bytes) -> Any:
        return json.loads(data)


def either(name: str) -> Any:
    """The cache's method of that name, which asks Redis or else the other cache."""

    def method(self: RedisCache, *args: Any, **options: Any) -> Any:
        ask = getattr(redis.RedisCache, name)
        return link.ask(lambda: ask(self, *args, **options), lambda: getattr(caches[self.instead], name)(*args, **options))

    return method


class RedisCache(redis.RedisCache):
    """OPTIONS: `instead`, the alias of the cache to use while Redis is away; `longest`, the seconds after which every value is forgotten."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        options = dict(params.get("OPTIONS", {}))
        self.instead: str = options.pop("instead")
        self._longest: int | None = options.pop("longest", None)
        super().__init__(server, {**params, "OPTIONS": {"serializer": JsonSerializer, **OPTIONS, **options}})

    def get_backend_timeout(self, timeout: Any = DEFAULT_TIMEOUT) -> Any:
        seconds = super().get_backend_timeout(timeout)
        return seconds if self._longest is None else min(self._longest, seconds if seconds is not None else self._longest)

    add = either("add")
    get = either("get")
    set = either("set")
    touch = either("touch")
    delete = either("delete")
    get_many = either("get_many")
    has_key = either("has_key")
    incr = either("incr")
    set_many = either("set_many")
    delete_many = either("delete_many")
    clear = either("clear")
