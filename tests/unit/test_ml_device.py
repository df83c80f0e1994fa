"""Which device and how many threads training gets; no test needs a graphics card."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kpay.domain.enums import Device
from kpay.ml import device
from kpay.ml.device import Lap, Size
from kpay.services import devices, machine
from kpay.services.devices import Memory

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LARGE = (1_000_000, 60)
SOUND = "KPAY TRIAL [1.0, 0.8123, true, 0.5, 0.8121, true]"
CARD = "[LightGBM] [Info] Using GPU Device: Some Card, Vendor: X"


def never(card: Device, size: Size) -> str:
    raise AssertionError("no card may be tried")


def answering(**laps: Lap | str) -> device.Trial:
    """Cards that answer alike in a tiny trial and in the race; all others are not there."""
    return lambda card, size: laps.get(card.value, "no such card")


def test_auto_means_the_cpu_without_asking_the_machine_below_the_size_that_pays() -> None:
    for rows, columns in ((20_000, 40), (60_000, 120), (499_999, 50)):
        found = device.choose(Device.AUTO, rows, columns, 1, never)
        assert (found.asked, found.used) == ("auto", "cpu")
        assert f"{rows:,} rows of {columns} columns" in found.why


def test_auto_races_a_card_on_a_large_job_and_takes_it_only_when_clearly_faster() -> None:
    fast = device.choose(Device.AUTO, *LARGE, 4, answering(gpu=Lap(2.6, 2.0)))
    assert fast.used == "gpu"
    assert "2.00 s for what the CPU did in 2.60 s" in fast.why
    close = device.choose(Device.AUTO, *LARGE, 4, answering(gpu=Lap(2.5, 2.0)))
    assert close.used == "cpu"
    assert "cuda: no such card" in close.why
    assert device.choose(Device.AUTO, *LARGE, 4, answering(gpu="it hangs")).used == "cpu"


def test_the_race_has_the_columns_of_the_job() -> None:
    sizes = []

    def trial(card: Device, size: Size) -> Lap | str:
        sizes.append(size)
        return Lap(1.0, 1.0)

    device.choose(Device.AUTO, *LARGE, 4, trial)
    assert [(size.rows, size.columns) for size in sizes[:2]] == [(2_000, 6), (50_000, 60)]


def test_a_device_asked_by_name_is_used_only_after_a_sound_trial() -> None:
    assert device.choose(Device.CPU, *LARGE, 1, never).used == "cpu"
    assert device.choose(Device.GPU, 100, 5, 1, answering(gpu=Lap(1.0, 9.0))).used == "gpu"
    with pytest.raises(device.DeviceRefused, match=r"--device cuda does not work here: no such"):
        device.choose(Device.CUDA, 100, 5, 1, answering())


def test_this_wheel_has_no_cuda_and_says_so_from_the_child_process(tmp_path: Path) -> None:
    with pytest.raises(device.DeviceRefused, match="CUDA"):
        devices.choose(Device.CUDA, 100, 5, None, cache=tmp_path, now=NOON)


def test_a_trial_on_the_cpu_itself_comes_out_right_and_one_that_hangs_is_given_up() -> None:
    settings = json.dumps({"objective": "binary", "num_threads": 1, "verbosity": -1})
    assert isinstance(devices.run_trial(["cpu", "2000", "6", "5", settings], 60.0), Lap)
    assert "did not end" in str(devices.run_trial(["cpu", "2000", "6", "5", settings], 0.01))


@pytest.mark.parametrize(
    ("status", "out", "err", "found"),
    [
        (0, f"{CARD}\n{SOUND}", "", Lap(1.0, 0.5)),
        (0, SOUND, CARD.replace("Some Card", "pthread-cpu"), "runs on the CPU"),
        (0, SOUND, CARD.replace("Some Card", "PoCL basic"), "runs on the CPU"),
        (0, SOUND.replace("0.8121", "0.8091"), CARD, "ranks otherwise"),
        (0, SOUND.replace("0.8121, true", "0.8121, false"), CARD, "came out wrong"),
        (0, SOUND.replace("0.8121", "0.4"), CARD, "came out wrong"),
        (0, "", "", "ended with 0"),
        (-11, "", "", "ended with -11"),
        (1, "", "lightgbm.basic.LightGBMError: No OpenCL device found", "No OpenCL device found"),
    ],
)
def test_a_trial_is_judged_by_its_end_its_result_and_its_card(
    status: int, out: str, err: str, found: Lap | str
) -> None:
    judged = device.judge(status, out, err)
    assert judged == found if isinstance(found, Lap) else found in str(judged)


class Runs:
    """A card whose trials end as told, one after the other."""

    def __init__(self, *ends: Lap | str) -> None:
        self.ends = list(ends)

    def __call__(self, words: list[str], limit_s: float) -> Lap | str:
        return self.ends.pop(0)


def test_what_came_of_a_trial_is_remembered_for_a_week_by_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "cards.json"
    runs = Runs(Lap(2.0, 1.0), "gone")
    first = Memory(path, NOON, runs).trial(Device.GPU, device.TINY, 1, is_by_name=True)
    later = Memory(path, NOON + timedelta(days=6), runs)
    assert later.trial(Device.GPU, device.TINY, 1, is_by_name=True) == first == Lap(2.0, 1.0)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    expired = Memory(path, NOON + timedelta(days=7), runs)
    assert expired.trial(Device.GPU, device.TINY, 1, is_by_name=True) == "gone"


def test_a_failed_card_is_tried_again_when_it_is_asked_for_by_name(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "cards.json", NOON, Runs("no driver", Lap(2.0, 1.0)))
    assert memory.trial(Device.GPU, device.TINY, 1, is_by_name=False) == "no driver"
    assert memory.trial(Device.GPU, device.TINY, 1, is_by_name=False) == "no driver"
    assert memory.trial(Device.GPU, device.TINY, 1, is_by_name=True) == Lap(2.0, 1.0)


@pytest.mark.parametrize("text", ["", "[]", '{"a": 1}', "[" * 100_000, "\x00"])
def test_a_memory_that_cannot_be_read_is_as_good_as_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "cards.json"
    path.write_text(text)
    memory = Memory(path, NOON, Runs(Lap(2.0, 1.0)))
    assert memory.trial(Device.GPU, device.TINY, 1, is_by_name=False) == Lap(2.0, 1.0)
    assert memory.trial(Device.GPU, device.TINY, 1, is_by_name=False) == Lap(2.0, 1.0)


def test_a_memory_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    memory = Memory(tmp_path / "file" / "cards.json", NOON, Runs(Lap(2.0, 1.0)))
    assert memory.trial(Device.GPU, device.TINY, 1, is_by_name=False) == Lap(2.0, 1.0)


def test_small_jobs_get_one_thread_and_large_ones_the_free_cores() -> None:
    assert device.default_threads(49_999, 16) == 1
    assert device.default_threads(50_000, 4) == 4
    assert device.default_threads(10**6, 64) == device.MOST_THREADS


def test_threads_are_physical_cores_within_what_a_container_may_use(tmp_path: Path) -> None:
    allowed = sorted(os.sched_getaffinity(0))
    for processor in allowed:
        folder = tmp_path / f"sys/devices/system/cpu/cpu{processor}/topology"
        folder.mkdir(parents=True)
        (folder / "thread_siblings_list").write_text("0,1\n")  # all of them are one core
    assert machine.free_cores(tmp_path) == 1
    group = tmp_path / "sys/fs/cgroup"
    group.mkdir(parents=True)
    for processor in allowed:
        path = tmp_path / f"sys/devices/system/cpu/cpu{processor}/topology/thread_siblings_list"
        path.write_text(f"{processor}\n")
    (group / "cpu.max").write_text("max 100000\n")
    assert machine.free_cores(tmp_path) == len(allowed)
    (group / "cpu.max").write_text("150000 100000\n")
    assert machine.free_cores(tmp_path) == 1
    assert machine.free_cores(tmp_path / "nothing") == len(allowed)


def test_a_new_driver_makes_another_machine_of_it(tmp_path: Path) -> None:
    before = machine.card_fingerprint(tmp_path)
    vendors = tmp_path / "etc/OpenCL/vendors"
    vendors.mkdir(parents=True)
    (vendors / "card.icd").write_text("libcard.so")
    assert machine.card_fingerprint(tmp_path) != before
    assert machine.card_fingerprint(tmp_path) == machine.card_fingerprint(tmp_path)


def test_number_libraries_are_told_to_be_quiet_before_training_can_load_one() -> None:
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("OMP", "OPENBLAS"))
    }
    program = (
        "import sys; from importlib import abc\n"
        "class Watch(abc.MetaPathFinder):\n"
        "    def find_spec(self, name, path, target=None):\n"
        "        import os\n"
        "        if name == 'numpy':\n"
        "            print(os.environ.get('OMP_WAIT_POLICY'), os.environ.get('OPENBLAS_NUM_THREADS'))\n"
        "sys.meta_path.insert(0, Watch())\n"
        "import {}\n"
    )
    for module in ("kpay.services.training", "kpay.ml.tree_child"):
        said = subprocess.run(
            [sys.executable, "-c", program.format(module)],
            capture_output=True,
            text=True,
            env=environment,
            check=True,
        )
        assert said.stdout.splitlines() == ["PASSIVE 1"]
