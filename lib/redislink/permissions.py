"""The commands a user of the server needs, each with words that show what it is used on.

docs/reference/redis-keys.md lists the same names; a test holds the two together.
"""

from __future__ import annotations

from typing import Final

#: "KEY" stands for a key of the queue.
NEEDED: Final = (
    "EVALSHA 0000000000000000000000000000000000000000 1 KEY",
    "EVAL return 1 KEY",
    "MULTI",
    "EXEC",
    "PING",
    "INFO",
    "TIME",
    "GET KEY",
    "SET KEY value",
    "XREAD STREAMS KEY 0",
    "XRANGE KEY - +",
    "XREVRANGE KEY + -",
    "XADD KEY * field value",
    "XDEL KEY 0-1",
    "XACK KEY watchers 0-1",
    "XLEN KEY",
    "XCLAIM KEY watchers name 0 0-1",
    "XPENDING KEY watchers",
    "XREADGROUP GROUP watchers name STREAMS KEY >",
    "XGROUP CREATE KEY watchers 0",
    "XGROUP DELCONSUMER KEY watchers name",
    "XINFO GROUPS KEY",
    "XINFO CONSUMERS KEY watchers",
    "HGET KEY field",
    "HMGET KEY field",
    "HSET KEY field value",
    "HDEL KEY field",
    "HLEN KEY",
    "HEXISTS KEY field",
    "HINCRBY KEY field 1",
    "HGETALL KEY",
    "HSCAN KEY 0",
    "ZADD KEY 1 member",
    "ZREM KEY member",
    "ZCARD KEY",
    "ZCOUNT KEY 0 1",
    "ZRANGE KEY 0 1",
    "ZRANGEBYSCORE KEY 0 1",
    "ZREVRANGEBYSCORE KEY 1 0",
    "ZSCORE KEY member",
    "LRANGE KEY 0 1",
    "LTRIM KEY 0 1",
    "LLEN KEY",
    "RPUSH KEY value",
)

#: What `flush`, `reconcile` and `enqueue --durable` need beyond, and `doctor` to tell whether they may.
NEEDED_BY_UPKEEP: Final = (
    "UNLINK KEY",
    "EXISTS KEY",
    "TYPE KEY",
    "SCAN 0",
    "ZSCAN KEY 0",
    "COMMAND INFO waitaof",
    "WAITAOF 1 0 1",
)
