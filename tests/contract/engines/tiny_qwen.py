"""Checkpoints of Qwen3-TTS in small: the package's own classes and files, with random weights of a megabyte.

What they say is noise; how long a text becomes is chance, some sixteen frames of sixteen codes and one end.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

_CODES: Final = 16  # of one codebook: each token ends the text with a chance of one in seventeen or so
_CODEBOOKS: Final = 16
_WIDTH: Final = 32
_SIZES: Final = {"0.6B": "0b6", "1.7B": "1b7"}
_LANGUAGES: Final = (
    *("chinese", "english", "french", "german", "italian", "japanese", "korean", "portuguese", "russian"),
    *("spanish", "beijing_dialect", "sichuan_dialect"),
)
_DIALECTS: Final = {"dylan": "beijing_dialect", "eric": "sichuan_dialect"}
_SPEAKERS: Final = (*("aiden", "dylan", "eric", "ono_anna", "ryan", "serena", "sohee", "uncle_fu", "vivian"),)
_SIGNS: Final = ("<|im_start|>", "<|im_end|>", "<tts_pad>", "<tts_text_bos>", "<tts_text_eod>")


def make_checkpoint(folder: Path, size: str, kind: str, seed: int = 0, codes: int = _CODES) -> Path:
    """The checkpoint `Qwen3-TTS-12Hz-SIZE-KIND` in `folder`; each seed has other weights.

    With more `codes` a text becomes longer: about one frame, a twelfth of a second, for each.
    """
    import torch
    from qwen_tts.core.models import Qwen3TTSForConditionalGeneration

    made = folder / f"Qwen3-TTS-12Hz-{size}-{kind}"
    made.mkdir(parents=True)
    ids, words = _tokenizer(made)
    torch.manual_seed(seed)
    Qwen3TTSForConditionalGeneration(_config(size, kind, ids, words, codes)).save_pretrained(made)
    _forget(made / "config.json", "speaker_encoder_config", "model_type")
    usual = {"do_sample": True, "temperature": 0.9, "top_k": 50, "max_new_tokens": 8192}
    (made / "generation_config.json").write_text(json.dumps(usual))
    _speech_tokenizer(made / "speech_tokenizer", codes)
    return made


def _tokenizer(folder: Path) -> tuple[dict[str, int], int]:
    """Bytes, the words of the prompt, and the signs around them; returns the signs' numbers and how many."""
    from tokenizers import pre_tokenizers
    from transformers import Qwen2TokenizerFast

    vocabulary = {byte: number for number, byte in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    merges = []
    for first in range(1, len("assistant")):
        merges.append(f"{'assistant'[:first]} {'assistant'[first]}")
        vocabulary.setdefault("assistant"[: first + 1], len(vocabulary))
    (folder / "vocab.json").write_text(json.dumps(vocabulary))
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *merges, ""]))
    tokenizer = Qwen2TokenizerFast(
        vocab_file=str(folder / "vocab.json"),
        merges_file=str(folder / "merges.txt"),
        additional_special_tokens=list(_SIGNS),
    )
    tokenizer.save_pretrained(folder)
    return {sign: tokenizer.convert_tokens_to_ids(sign) for sign in _SIGNS}, len(tokenizer)


def _config(size: str, kind: str, ids: dict[str, int], words: int, codes: int) -> Any:
    from qwen_tts.core.models import Qwen3TTSConfig

    layers = {
        "hidden_size": _WIDTH,
        "intermediate_size": 2 * _WIDTH,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "head_dim": 16,
        "num_code_groups": _CODEBOOKS,
    }
    built_in = _SPEAKERS if kind == "CustomVoice" else ()
    # Behind the codes lie 1024 tokens that are never drawn, but for the one that ends a text.
    names = ("eos", "think", "nothink", "think_bos", "think_eos", "pad", "bos")
    signs = {f"codec_{name}{'_token' if name == 'eos' else ''}_id": codes + n for n, name in enumerate(names)}
    talker = {
        **layers,
        **signs,
        "num_hidden_layers": 2,
        "vocab_size": codes + 1024,
        "text_hidden_size": _WIDTH,
        "text_vocab_size": words,
        "rope_scaling": {"interleaved": True, "mrope_section": [4, 2, 2], "rope_type": "default"},
        "spk_id": {name: codes + 100 + n for n, name in enumerate(built_in)},
        "spk_is_dialect": {name: _DIALECTS.get(name, False) for name in built_in},
        "codec_language_id": {name: codes + 200 + n for n, name in enumerate(_LANGUAGES)},
        "code_predictor_config": {**layers, "num_hidden_layers": 1, "vocab_size": codes},
    }
    encoder = {"enc_dim": _WIDTH, "enc_channels": [16, 16, 16, 16, 48], "enc_res2net_scale": 4}
    encoder |= {"enc_attention_channels": 8, "enc_se_channels": 8}
    return Qwen3TTSConfig(
        talker_config=talker,
        speaker_encoder_config=encoder,
        tokenizer_type="qwen3_tts_tokenizer_12hz",
        tts_model_size=_SIZES[size],
        tts_model_type={"CustomVoice": "custom_voice", "Base": "base", "VoiceDesign": "voice_design"}[kind],
        im_start_token_id=ids["<|im_start|>"],
        im_end_token_id=ids["<|im_end|>"],
        tts_pad_token_id=ids["<tts_pad>"],
        tts_bos_token_id=ids["<tts_text_bos>"],
        tts_eos_token_id=ids["<tts_text_eod>"],
    )


def _speech_tokenizer(folder: Path, codes: int) -> None:
    import torch
    from qwen_tts.core import Qwen3TTSTokenizerV2Config, Qwen3TTSTokenizerV2Model
    from transformers import EncodecFeatureExtractor

    heads = {"num_attention_heads": 2, "num_key_value_heads": 2, "num_hidden_layers": 1}
    books = {"codebook_size": 1 << (codes - 1).bit_length(), "num_quantizers": _CODEBOOKS}
    encoder = {
        "hidden_size": 16,
        "num_filters": 4,
        "intermediate_size": 32,
        "head_dim": 8,
        "upsample_groups": 16,
        "codebook_dim": 8,
        "vector_quantization_hidden_dimension": 8,
    }
    decoder = {"hidden_size": 32, "latent_dim": 32, "head_dim": 16, "intermediate_size": 64}
    decoder |= {"decoder_dim": 64, "codebook_dim": 16}
    model = Qwen3TTSTokenizerV2Model(
        Qwen3TTSTokenizerV2Config(
            encoder_config={**encoder, **heads, **books}, decoder_config={**decoder, **heads, **books}
        )
    )
    with torch.no_grad():  # its codebooks are made of zeros, which are silence
        for name, tensor in [*model.decoder.named_parameters(), *model.decoder.named_buffers()]:
            if "embedding_sum" in name:
                tensor.normal_()
            elif "cluster_usage" in name:
                tensor.fill_(1.0)
        last = model.decoder.decoder[-1].conv.weight
        last.copy_(last.mean(dim=-1, keepdim=True) * 2e7)  # else it is white noise, a millionth of full scale
    model.save_pretrained(folder)
    EncodecFeatureExtractor(feature_size=1, sampling_rate=24_000).save_pretrained(folder)


def _forget(path: Path, section: str, key: str) -> None:
    """Drop what the package writes into its configuration and cannot read back."""
    data = json.loads(path.read_text())
    data[section].pop(key, None)
    path.write_text(json.dumps(data))
