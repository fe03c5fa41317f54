"""Rows as Vast sends them, with one thing changed by who asks for it."""

from __future__ import annotations

from typing import Any

MISSING = object()


def changed(row: dict[str, Any], **different: Any) -> dict[str, Any]:
    row |= different
    return {name: value for name, value in row.items() if value is not MISSING}


def ask_row(**different: Any) -> dict[str, Any]:
    row = {
        "id": 4711,
        "ask_contract_id": 4711,
        "machine_id": 31,
        "host_id": 7,
        "num_gpus": 1,
        "gpu_name": "RTX 4090",
        "gpu_ram": 24_564,
        "cuda_max_good": 12.8,
        "driver_version": "570.86.10",
        "disk_space": 250.5,
        "inet_up": 400.0,
        "inet_down": 900.5,
        "inet_up_cost": 0.01,
        "inet_down_cost": 0.005,
        "direct_port_count": 12,
        "geolocation": "Sachsen, DE",
        "dph_base": 0.3,
        "dph_total": 0.3055,
        "min_bid": 0.1504,
        "storage_cost": 0.1,
        "reliability2": 0.9954,
        "verification": "verified",
        "end_date": 1_800_000_000.0,
        "duration": 864_000.0,
        "dlperf": 84.0,
    }
    return changed(row, **different)


def instance_row(**different: Any) -> dict[str, Any]:
    row = {
        "id": 901,
        "machine_id": 31,
        "label": "jw|me|1|token123|x1700008000",
        "actual_status": "running",
        "intended_status": "running",
        "cur_state": "running",
        "next_state": "running",
        "status_msg": "success, running img/ssh\n",
        "dph_total": 0.3055,
        "start_date": 1_700_000_000.5,
        "public_ipaddr": "203.0.113.9\n",
        "ports": {"22/tcp": [{"HostIp": "0.0.0.0", "HostPort": "40022"}]},
        "ssh_host": "ssh5.vast.ai",
        "ssh_port": 10_022,
        "is_bid": False,
    }
    return changed(row, **different)


def charge_row(**different: Any) -> dict[str, Any]:
    row = {
        "source": "instance-901",
        "type": "instance",
        "amount": 0.037,
        "start": 1_700_000_000,
        "end": 1_700_005_400,
        "metadata": {"label": "jw|me|1|token123|x1700008000"},
        "items": [
            {"type": "gpu", "amount": 0.03},
            {"type": "disk", "amount": 0.005},
            {"type": "bwd", "amount": 0.0015},
            {"type": "bwu", "amount": 0.0005},
        ],
    }
    return changed(row, **different)
