"""Settings: one order of places, checked values, sources kept, secrets hidden."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.errors import BadConfiguration
from lib.settings import load_settings, table
from lib.settings.dotenv import parse_dotenv
from tests.unit.settings.loading import Load, refusal, sentence_of


class TestTheOrderOfPlaces:
    def test_each_place_beats_the_ones_after_it(self, load: Load, tmp_path: Path) -> None:
        assert load().max_machines == 4

        (tmp_path / "job-runner.toml").write_text("max_machines = 5\n")
        assert load().max_machines == 5

        (tmp_path / ".env").write_text("MAX_MACHINES=6\n")
        assert load().max_machines == 6

        assert load({"MAX_MACHINES": "7"}).max_machines == 7
        assert load({"MAX_MACHINES": "7"}, MAX_MACHINES="8").max_machines == 8

    def test_each_value_says_where_it_came_from(self, load: Load, tmp_path: Path) -> None:
        (tmp_path / "job-runner.toml").write_text("max_machines = 5\n")
        (tmp_path / ".env").write_text("VOICE_ENGINE=kokoro\n")

        sources = load({"JOBS_PREFIX": "a:b"}, DB_SCHEMA="mine").sources

        assert sources["MAX_MACHINES"] == str(tmp_path / "job-runner.toml")
        assert sources["VOICE_ENGINE"] == str(tmp_path / ".env")
        assert (sources["JOBS_PREFIX"], sources["DB_SCHEMA"]) == ("environment", "flag")
        assert sources["LEASE_SECONDS"] == "default"

    def test_an_empty_value_counts_as_not_set(self, load: Load, tmp_path: Path) -> None:
        (tmp_path / ".env").write_text("MAX_MACHINES=6\n")

        settings = load({"REDIS_URL": "", "MAX_MACHINES": ""}, JOBS_PREFIX="")

        assert settings.redis_url is None
        assert settings.max_machines == 6
        assert settings.jobs_prefix == "pab:jobs"

    @pytest.mark.parametrize("empty", ["", "  "])
    @pytest.mark.parametrize("name", ["DATABASE_URL", "DATABASE_URL_FILE"])
    @pytest.mark.parametrize("place", ["environment", ".env", "job-runner.toml"])
    def test_an_empty_database_address_is_refused_and_not_taken_for_the_file(
        self, load: Load, tmp_path: Path, place: str, name: str, empty: str
    ) -> None:
        (tmp_path / ".env").write_text(f"{name}='{empty}'" if place == ".env" else "")
        (tmp_path / "job-runner.toml").write_text(f'{name.lower()} = "{empty}"' if "toml" in place else "")

        said = refusal(load, {name: empty} if place == "environment" else {})

        assert said.startswith(f"{name} is empty (")
        assert f"{place}) but must be a" in said

    def test_an_empty_database_address_is_refused_as_a_flag_and_behind_which_others_stand(
        self, load: Load, tmp_path: Path
    ) -> None:
        (tmp_path / ".env").write_text("DATABASE_URL=postgresql://me@db.example/shop\n")

        with pytest.raises(BadConfiguration, match=r"DATABASE_URL is empty \(flag\)"):
            load(DATABASE_URL="")
        with pytest.raises(
            BadConfiguration, match=r"DATABASE_URL is empty \(environment\) .* for the default"
        ):
            load({"DATABASE_URL": ""})
        assert load({"DATABASE_URL": ""}, DATABASE_URL="sqlite:///a.db").database_url == "sqlite:///a.db"

    def test_a_flag_that_is_no_setting_is_our_own_mistake(self, load: Load) -> None:
        with pytest.raises(KeyError, match="NO_SUCH"):
            load(NO_SUCH="1")

    def test_an_alias_works_and_is_named_as_the_source(self, load: Load) -> None:
        settings = load({"ORCHEX_DAG": "shop.stages:dag"})
        assert settings.job_pipeline_dag == "shop.stages:dag"
        assert settings.sources["JOB_PIPELINE_DAG"] == "environment, ORCHEX_DAG"

    def test_the_name_beats_its_alias(self, load: Load) -> None:
        assert load({"ORCHEX_DAG": "a:b", "JOB_PIPELINE_DAG": "c:d"}).job_pipeline_dag == "c:d"


class TestTheTomlFile:
    def test_is_the_one_that_jobs_config_names(self, load: Load, tmp_path: Path) -> None:
        (tmp_path / "job-runner.toml").write_text("max_machines = 5\n")
        (tmp_path / "other.toml").write_text("max_machines = 9\n")
        assert load({"JOBS_CONFIG": "other.toml"}).max_machines == 9

    def test_else_the_users_own(self, load: Load, tmp_path: Path) -> None:
        own = tmp_path / "home" / ".config" / "job-runner"
        own.mkdir(parents=True)
        (own / "config.toml").write_text("max_machines = 3\n")
        assert load().max_machines == 3
        assert load({"XDG_CONFIG_HOME": str(tmp_path / "empty")}).max_machines == 4

    def test_that_is_named_and_missing_is_an_error(self, load: Load, tmp_path: Path) -> None:
        assert str(tmp_path / "gone.toml") in refusal(load, {"JOBS_CONFIG": "gone.toml"})

    def test_with_an_unknown_key_names_file_and_nearest_key(self, load: Load, tmp_path: Path) -> None:
        (tmp_path / "job-runner.toml").write_text("max_machine = 5\n")
        words = refusal(load, {})
        assert str(tmp_path / "job-runner.toml") in words
        assert "'max_machine'" in words
        assert "did you mean 'max_machines'?" in words

    @pytest.mark.parametrize(
        "line", ["max_machines = true", "max_machines = 1979-05-27", "[max_machines]\na = 1"]
    )
    def test_of_a_wrong_type_is_an_error(self, load: Load, tmp_path: Path, line: str) -> None:
        (tmp_path / "job-runner.toml").write_text(line)
        assert "max_machines must be a text, a number or a list of texts" in refusal(load, {})

    def test_that_is_no_toml_or_no_text_is_an_error(self, load: Load, tmp_path: Path) -> None:
        (tmp_path / "job-runner.toml").write_text("max_machines 5")
        assert "is not valid TOML" in refusal(load, {})
        (tmp_path / "job-runner.toml").write_bytes(b"\xff\xfe")
        assert "is not UTF-8" in refusal(load, {})

    def test_cannot_set_one_setting_twice(self, load: Load, tmp_path: Path) -> None:
        (tmp_path / "job-runner.toml").write_text("max_machines = 5\nMAX_MACHINES = 6")
        assert "sets MAX_MACHINES twice" in refusal(load, {})

    def test_takes_numbers_texts_and_lists(self, load: Load, tmp_path: Path) -> None:
        (tmp_path / "job-runner.toml").write_text(
            'spend_cap_day = 7.5\njobs_result_ttl = "12h"\nssh_machines = ["me@a:22", "me@b"]\n'
        )
        settings = load()
        assert settings.spend_cap_day == Decimal("7.5")
        assert settings.jobs_result_ttl == 12 * 3600
        assert settings.ssh_machines == ("me@a:22", "me@b")


class TestTheDotenvFile:
    @pytest.mark.parametrize(
        ("line", "value"),
        [
            ("LLM_MODEL=small", "small"),
            ("export LLM_MODEL = small  # why", "small"),
            ("LLM_MODEL='a # b'", "a # b"),
            ('LLM_MODEL="a \\"b\\" \\$c"  # why', 'a "b" $c'),
            ("LLM_MODEL=a#b", "a#b"),
            ("\ufeffLLM_MODEL=bom", "bom"),
            ("LLM_MODEL=first\nLLM_MODEL=last", "last"),
            ("# a comment\n\nUNKNOWN=1\nLLM_MODEL=x", "x"),
            ("LLM_MODEL=crlf\r\nUNKNOWN=1\r", "crlf"),
        ],
    )
    def test_reads_lines_as_shells_do(self, load: Load, tmp_path: Path, line: str, value: str) -> None:
        (tmp_path / ".env").write_text(line, newline="")
        assert load().llm_model == value

    @pytest.mark.parametrize(
        "line", ["VAST_API_KEY", "VAST_API_KEY='hush", 'VAST_API_KEY="hush" tail', "1A=hush"]
    )
    def test_names_the_line_that_is_wrong_but_not_its_text(
        self, load: Load, tmp_path: Path, line: str
    ) -> None:
        (tmp_path / ".env").write_text(f"A=1\n{line}\n")
        words = refusal(load, {})
        assert f"{tmp_path / '.env'}, line 2" in words
        assert "hush" not in words

    @given(st.text())
    def test_any_text_gives_values_or_a_sentence(self, content: str) -> None:
        words = sentence_of(lambda: parse_dotenv(content, name=".env"))
        assert words is None or words.startswith(".env, line ")


WRONG = [
    ("MAX_MACHINES", "many"),
    ("MAX_MACHINES", "-1"),
    ("MAX_MACHINES", "1.5"),
    ("MAX_MACHINES", "\u0663"),
    ("WATCHER_LEASE_IDLE_MS", "99"),
    ("JOBS_RESULT_TTL", "30 weeks"),
    ("JOBS_RESULT_TTL", "1s"),
    ("MAX_DPH", "NaN"),
    ("MAX_DPH", "-1"),
    ("MAX_DPH", "1e99"),
    ("CLAIM_POLL_INTERVAL", "nan"),
    ("CLAIM_POLL_INTERVAL", "inf"),
    ("PROVIDER", "Vast"),
    ("REDIS_URL", "http://127.0.0.1"),
    ("REDIS_URL", "redis://"),
    ("STORAGE_URL", "relative/folder"),
    ("SSH_MACHINES", "gpu.example"),
    ("SSH_MACHINES", "me@gpu -oProxyCommand=x"),
    ("JOBS_PREFIX", "pab:*"),
    ("JOBS_PREFIX", "pab:"),
    ("DB_SCHEMA", 'x"; drop'),
    ("JOB_PIPELINE_DAG", "stages"),
    ("VOICE_ENGINE", "../hibari"),
    ("VOICE_PAUSES", "0.2,0.45"),
    ("VOICE_PAUSES", "0.5,0.45,0.9"),
    ("VOICE_PAUSES", "0.2,nan,0.9"),
    ("VAST_API_KEY", "two\nlines"),
    ("LLM_MODEL", "a\x1b[31m"),
    ("VAST_IMAGE", "registry.example/voice-synth:latest"),
    ("VAST_DISK_GB", "0"),
    ("VAST_GPUS", ","),
    ("VAST_GPUS", "RTX_4090;rm"),
    ("VAST_REGIONS", "Germany"),
]


class TestValues:
    def test_that_are_lists_are_separated_by_commas_or_blanks(self, load: Load) -> None:
        settings = load({"VAST_GPUS": "RTX_4090, A100", "VAST_REGIONS": "DE EU"})
        assert (settings.vast_gpus, settings.vast_regions) == (("RTX_4090", "A100"), ("DE", "EU"))

    @pytest.mark.parametrize(("name", "text"), WRONG)
    def test_out_of_bound_name_setting_source_and_bound(self, load: Load, name: str, text: str) -> None:
        words = refusal(load, {name: text})
        bound = next(info.kind.bound for info in table() if info.name == name)
        assert words.startswith(f"{name} is ")
        assert "(environment)" in words
        assert words.endswith(f"must be {bound}")
        assert "\n" not in words

    def test_that_do_not_fit_together_are_refused(self, load: Load) -> None:
        words = refusal(load, {"DB_POOL_MIN": "20"})
        assert words == (
            "DB_POOL_MIN is 20 (environment) but must not be above DB_POOL_MAX, which is 10 (default)"
        )

    def test_are_what_the_contract_says_when_nothing_is_set(self, load: Load) -> None:
        settings = load()
        assert settings.redis_url is None
        assert settings.jobs_prefix == "pab:jobs"
        assert settings.watcher_lease_idle_ms == 180_000
        assert settings.jobs_result_ttl == 30 * 86400
        assert (settings.jobs_history_max, settings.jobs_max_depth) == (100_000, 1_000_000)
        assert (settings.max_machines, settings.max_dph) == (4, Decimal("1.00"))
        assert (settings.spend_cap_day, settings.spend_cap_batch) == (Decimal(10), None)
        assert (settings.voice_engine, settings.provider) == ("hibari", "local")

    def test_cannot_be_changed(self, load: Load) -> None:
        with pytest.raises(AttributeError):
            load().max_machines = 5  # type: ignore[misc]  # the refusal is what is tested

    @given(name=st.sampled_from([info.name for info in table()]), text=st.text(min_size=1))
    def test_any_text_becomes_a_value_or_a_sentence(self, name: str, text: str) -> None:
        words = sentence_of(lambda: load_settings({}, {"HOME": "/nowhere", name: text}, Path("/nowhere")))
        assert words is None or name in words


class TestTheDataFolder:
    def test_is_found_as_systemd_and_xdg_say(self, load: Load, tmp_path: Path) -> None:
        home = tmp_path / "home"
        assert load().jobs_data_dir == home / ".local/share/job-runner"
        assert load({"XDG_DATA_HOME": "/x"}).jobs_data_dir == Path("/x/job-runner")
        assert load({"XDG_DATA_HOME": "relative"}).jobs_data_dir == home / ".local/share/job-runner"
        assert load({"STATE_DIRECTORY": "/s/one:/s/two", "XDG_DATA_HOME": "/x"}).jobs_data_dir == Path(
            "/s/one"
        )
        assert load({"JOBS_DATA_DIR": "/d", "STATE_DIRECTORY": "/s"}).jobs_data_dir == Path("/d")
        assert load({"STATE_DIRECTORY": "/s"}).sources["JOBS_DATA_DIR"] == "STATE_DIRECTORY"

    def test_is_absolute_and_knows_home(self, load: Load, tmp_path: Path) -> None:
        assert load({"JOBS_DATA_DIR": "data"}).jobs_data_dir == tmp_path / "data"
        assert load({"JOBS_DATA_DIR": "~/data"}).jobs_data_dir == tmp_path / "home" / "data"

    def test_holds_what_hangs_on_it(self, load: Load) -> None:
        settings = load({"JOBS_DATA_DIR": "/d ir"})
        assert settings.voices_dir == Path("/d ir/voices")
        assert settings.storage_url == "file:///d%20ir/storage"
        assert settings.database_url == "sqlite:////d ir/pipeline.db"
        assert load({"JOBS_DATA_DIR": "/d", "VOICES_DIR": "/v"}).voices_dir == Path("/v")

    def test_nothing_is_created_by_loading(self, load: Load, tmp_path: Path) -> None:
        load({"JOBS_DATA_DIR": "data"})
        assert list(tmp_path.iterdir()) == []
