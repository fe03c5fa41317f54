"""The ledger's tables as they are now (docs/reference/ledger.md), for Alembic to compare a database with.

The migrations make them; what they hold is asked for in `ledger.sql`.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata: Final = MetaData()


def _row_number() -> Column[Any]:
    # Integer, not BigInteger, on SQLite: only that is its own row number
    return Column(
        "number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True
    )


def _key(name: str) -> Column[Any]:
    return Column(name, BigInteger, primary_key=True, autoincrement=False)


def _token() -> Column[Any]:
    return Column("token", Text, ForeignKey("machines.token"), primary_key=True)


def _needed(kind: Any, *names: str) -> list[Column[Any]]:
    return [Column(name, kind, nullable=False) for name in names]


Table("leader_epochs", metadata, _key("number"), *_needed(Text, "owner"), *_needed(Double, "began_at"))

_STILL_PAID = text("closed_at IS NULL")
Table(
    "machines",
    metadata,
    _row_number(),
    Column("token", Text, nullable=False, unique=True),
    *_needed(Text, "provider", "offer_id", "machine_id", "host_id", "gpu", "label", "batch", "why", "state"),
    *_needed(Text, "reason"),
    *_needed(BigInteger, "intent_epoch", "planned_hourly_micros", "hourly_micros", "fee_micros", "version"),
    *_needed(BigInteger, "epoch"),
    *_needed(Double, "created_at", "expires_at", "since"),
    *_needed(Boolean, "interruptible"),
    Column("instance", Text),
    Column("closed_at", Double),
    Index("machines_open", "number", sqlite_where=_STILL_PAID, postgresql_where=_STILL_PAID),
    Index("machines_batch", "batch"),
)

Table(
    "machine_events",
    metadata,
    _token(),
    _key("version"),
    *_needed(Double, "at"),
    *_needed(BigInteger, "epoch"),
    *_needed(Text, "event", "state", "reason"),
)

Table(
    "machine_charges",
    metadata,
    _token(),
    Column("category", Text, primary_key=True),
    _key("hour"),
    *_needed(BigInteger, "micros"),
    Index("machine_charges_hour", "hour", "micros"),
)

_NOTED: Final = ("provider", "machine_id", "host_id", "reason", "token")
Table(
    "machine_hosts",
    metadata,
    _row_number(),
    *_needed(Text, *_NOTED),
    *_needed(Boolean, "ok"),
    *_needed(Double, "at"),
    UniqueConstraint("at", *_NOTED, "ok", name="machine_hosts_once"),
)

Table("machine_keys", metadata, _token(), *_needed(Text, "private", "host_key"))

Table(
    "machine_work",
    metadata,
    _token(),
    Column("request_id", Text, primary_key=True),
    _key("lease_no"),
    *_needed(Text, "batch"),
    *_needed(Double, "at"),
    *_needed(BigInteger, "work_ms", "audio_ms"),
)
