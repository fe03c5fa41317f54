"""Secrets: never shown, from credentials too."""

from __future__ import annotations

import copy
import os
import pickle
from pathlib import Path

import pytest

from lib.settings import table
from tests.unit.settings.loading import Load, refusal

SECRETS = [info.name for info in table() if info.kind.secret]


class TestSecrets:
    @pytest.mark.parametrize("name", SECRETS)
    def test_never_show(self, load: Load, name: str) -> None:
        settings = load({name: "hush-hush"})
        value = getattr(settings, name.lower())
        assert value.reveal() == "hush-hush"
        shown = [
            repr(settings),
            str(settings.shown()),
            str(value),
            f"{value}",
            repr([value]),
            str(settings.sources),
        ]
        assert not [text for text in shown if "hush" in text]
        assert settings.shown()[name] == "(hidden)"

    @pytest.mark.parametrize("name", SECRETS)
    def test_never_show_in_errors(self, load: Load, name: str) -> None:
        assert "hush" not in refusal(load, {name: "hush\x00hush"})

    def test_are_not_pickled_but_compare(self, load: Load) -> None:
        value = load({"VAST_API_KEY": "hush"}).vast_api_key
        assert value == load({"VAST_API_KEY": "hush"}).vast_api_key
        for attempt in (pickle.dumps, copy.copy):
            with pytest.raises(TypeError, match="not written"):
                attempt(value)

    def test_may_stand_in_a_file(self, load: Load, tmp_path: Path) -> None:
        (tmp_path / "key").write_text("hush\n")
        settings = load({"VAST_API_KEY_FILE": "key"})
        assert settings.vast_api_key is not None
        assert settings.vast_api_key.reveal() == "hush"
        assert settings.sources["VAST_API_KEY"] == f"environment, VAST_API_KEY_FILE {tmp_path / 'key'}"

    def test_as_value_and_file_at_once_are_refused(self, load: Load) -> None:
        words = refusal(load, {"VAST_API_KEY": "hush", "VAST_API_KEY_FILE": "/key"})
        assert "VAST_API_KEY and VAST_API_KEY_FILE are both set" in words

    def test_in_a_file_that_is_missing_empty_or_no_file_are_one_sentence(
        self, load: Load, tmp_path: Path
    ) -> None:
        (tmp_path / "empty").write_text("\n")
        os.mkfifo(tmp_path / "pipe")
        (tmp_path / "huge").write_bytes(b"x" * (1024 * 1024 + 1))
        for file, reason in [
            ("gone", "cannot be read: No such file or directory"),
            ("empty", "is empty"),
            ("pipe", "is not a file"),
            (".", "is not a file"),
            ("huge", "is over 1 MiB"),
        ]:
            assert reason in refusal(load, {"VAST_API_KEY_FILE": file})

    def test_only_secrets_and_urls_have_files(self, load: Load, tmp_path: Path) -> None:
        (tmp_path / "url").write_text("redis://:hush@127.0.0.1:6379/0\n")
        (tmp_path / "number").write_text("9")
        settings = load({"REDIS_URL_FILE": "url", "MAX_MACHINES_FILE": "number"})
        assert settings.redis_url == "redis://:hush@127.0.0.1:6379/0"
        assert settings.max_machines == 4

    @pytest.mark.parametrize(
        ("url", "shown"),
        [
            ("redis://me:hush@127.0.0.1:6379/0", "redis://***@127.0.0.1:6379/0"),
            ("redis://:hu@sh/hush@127.0.0.1/0", "redis://***"),
            ("redis://127.0.0.1:6379/0?password=hush&db=1", "redis://127.0.0.1:6379/0?password=***&db=1"),
            ("s3://bucket/p?endpoint=https://s3.example", "s3://bucket/p?endpoint=https://s3.example"),
            ("sqlite:////var/lib/x.db", "sqlite:////var/lib/x.db"),
        ],
    )
    def test_inside_urls_are_masked(self, url: str, shown: str) -> None:
        assert table()[0].kind.show(url) == shown

    @pytest.mark.parametrize("url", ["redis://h:notaport/0", "redis://h:99999", "redis://:hush@h:port"])
    def test_a_url_whose_port_is_none_is_told_so_and_not_to_begin_otherwise(
        self, load: Load, url: str
    ) -> None:
        said = refusal(load, {"REDIS_URL": url})
        assert "port is a number" in said
        assert "%23 stands for #" in said
        assert "begins with" not in said
        assert "hush" not in said

    @pytest.mark.parametrize("url", ["redis+cluster://a:1,b:2", "redis+sentinel://:pw@a:1,b,c:2/name"])
    def test_a_url_may_name_several_hosts(self, load: Load, url: str) -> None:
        assert load({"REDIS_URL": url}).redis_url == url

    def test_inside_urls_show_nowhere(self, load: Load) -> None:
        settings = load({"REDIS_URL": "redis://me:hush@127.0.0.1:6379/0"})
        assert "hush" not in repr(settings)
        assert "hush" not in refusal(load, {"REDIS_URL": "http://me:hush@127.0.0.1"})
