"""Words that people write for our fields, because other tools call them so or because they sound right.

Looked up before spelling is compared: `id` is spelled like `kind`, and means something else.
"""

from __future__ import annotations

from typing import Final

#: Under each field the words that mean it. A word may stand under several, the likeliest first.
_MEANT: Final[dict[str, str]] = {
    "id": "beat_id beat name key slug",
    "output_name": "id name title file filename file_name path out outfile output_file output_path target "
    "slug audio audio_file destination dest beat beat_id",
    "request_id": "id job_id job uid uuid key",
    "text": "narration script content say speech body line words sentence transcript txt input ssml message",
    "narration": "text script content say speech",
    "text_file": "script_file narration_file input_file source src txt_file from_file",
    "voice": "voice_id voice_name narrator reader actor who",
    "language": "lang locale language_code lang_code",
    "profile": "quality preset",
    "variants": "takes take n count copies versions alternatives num_takes",
    "select_best": "best pick_best choose_best",
    "chunk": "split chunks chunking chunked",
    "speed": "rate tempo pace wpm speaking_rate speech_rate",
    "loudness": "volume gain level lufs db volume_db",
    "sample_rate": "samplerate sampling_rate sr hz frequency",
    "format": "codec audio_format extension ext container type file_format output_format encoding",
    "gap_after": "pause gap silence pause_after break delay_after silence_after",
    "pronounce": "pronunciation pronunciations phonemes say_as respell ipa",
    "lexicon": "dictionary dict glossary pronunciation_file",
    "max_attempts": "retries max_retries attempts tries retry",
    "timeout_s": "timeout time_limit timeout_seconds deadline",
    "not_before": "when start start_at run_at delay schedule scheduled_at start_time after eta",
    "callback_data": "callback callback_url webhook metadata meta tags notes note data comment payload",
    "seed": "random_seed rng_seed",
    "priority": "prio importance urgency",
    "batch": "group",
    "jobs": "job items tasks lines narrations list entries",
    "defaults": "default settings common options config shared",
    "topic": "title name folder chapter episode subject",
    "beats": "scenes lines items segments beat sections paragraphs list",
}


def _by_word() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for field, words in _MEANT.items():
        for word in words.split():
            found[word] = (*found.get(word, ()), field)
    return found


#: The fields that a word may mean, the likeliest first.
MEANINGS: Final = _by_word()
