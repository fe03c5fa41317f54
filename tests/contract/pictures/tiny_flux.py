"""A pipeline of the class that FLUX is: half a megabyte of random weights, as `save_pretrained` writes it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def write_tiny_flux(folder: Path) -> None:
    """Make one. Needs torch, diffusers, transformers and tokenizers; asks nobody for anything."""
    import torch
    from diffusers import FluxPipeline

    torch.manual_seed(0)
    parts = folder / "parts"
    pipeline: Any = FluxPipeline(
        scheduler=_scheduler(),
        vae=_vae(),
        text_encoder=_clip(),
        tokenizer=_clip_tokenizer(parts),
        text_encoder_2=_t5(),
        tokenizer_2=_t5_tokenizer(),
        transformer=_transformer(),
    )
    pipeline.save_pretrained(str(folder), safe_serialization=True)


def _scheduler() -> Any:
    from diffusers import FlowMatchEulerDiscreteScheduler

    return FlowMatchEulerDiscreteScheduler(shift=1.0)


def _vae() -> Any:
    from diffusers import AutoencoderKL

    return AutoencoderKL(
        sample_size=32,
        in_channels=3,
        out_channels=3,
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(4, 4, 4, 4),
        layers_per_block=1,
        latent_channels=1,
        norm_num_groups=1,
        use_quant_conv=False,
        use_post_quant_conv=False,
        shift_factor=0.0609,
        scaling_factor=1.5035,
    )


def _transformer() -> Any:
    from diffusers import FluxTransformer2DModel

    return FluxTransformer2DModel(
        patch_size=1,
        in_channels=4,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=32,
        pooled_projection_dim=32,
        axes_dims_rope=(4, 4, 8),
        guidance_embeds=False,  # as that of schnell
    )


def _clip() -> Any:
    from transformers import CLIPTextConfig, CLIPTextModel

    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=300,
            hidden_size=32,
            intermediate_size=37,
            num_hidden_layers=2,
            num_attention_heads=4,
            projection_dim=32,
            bos_token_id=257,
            eos_token_id=258,
        )
    )


def _clip_tokenizer(folder: Path) -> Any:
    from transformers import CLIPTokenizer
    from transformers.models.clip.tokenization_clip import bytes_to_unicode

    folder.mkdir(parents=True)
    letters = list(bytes_to_unicode().values())
    words = [*letters, "!</w>", "<|startoftext|>", "<|endoftext|>"]
    (folder / "vocab.json").write_text(json.dumps({word: at for at, word in enumerate(words)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    return CLIPTokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"), model_max_length=77)


def _t5() -> Any:
    from transformers import T5Config, T5EncoderModel

    return T5EncoderModel(
        T5Config(vocab_size=128, d_model=32, d_kv=8, d_ff=37, num_layers=2, num_heads=4, num_decoder_layers=2)
    )


def _t5_tokenizer() -> Any:
    from tokenizers import Tokenizer
    from tokenizers.models import Unigram
    from transformers import T5TokenizerFast

    letters = [chr(at) for at in range(32, 127)]
    words = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), *((letter, -5.0) for letter in letters)]
    return T5TokenizerFast(tokenizer_object=Tokenizer(Unigram(words, unk_id=2)), extra_ids=0)
