from __future__ import annotations

import os
import subprocess
import sys

import pytest

from kpay.domain.enums import Device
from kpay.ml import device


def test_auto_means_the_cpu_without_asking_the_machine() -> None:
    def never(_: str) -> str:
        raise AssertionError("auto must not probe")

    found = device.choose(Device.AUTO, 20_000, probe=never)
    assert (found.asked, found.used, found.threads) == ("auto", "cpu", 1)
    assert "20000 rows" in found.why


def test_threads_follow_the_rows_unless_they_are_given() -> None:
    assert device.choose(Device.CPU, 100).threads == 1
    assert device.choose(Device.CPU, 100, threads=3).threads == 3
    assert 1 <= device.choose(Device.CPU, 10**6).threads <= device.MOST_THREADS


def test_a_device_asked_by_name_is_used_only_after_a_sound_trial() -> None:
    assert device.choose(Device.GPU, 100, probe=lambda _: None).used == "gpu"
    with pytest.raises(device.DeviceRefused, match=r"--device cuda does not work here: no card"):
        device.choose(Device.CUDA, 100, probe=lambda _: "no card")


def test_this_wheel_has_no_cuda_and_says_so_from_the_child_process() -> None:
    reason = device.probe_device("cuda")
    assert reason is not None
    assert "CUDA" in reason


def test_a_trial_that_hangs_is_given_up() -> None:
    assert "did not end" in str(device.probe_device("cpu", limit_s=0.01))


@pytest.mark.parametrize(
    ("status", "out", "err", "reason"),
    [
        (0, "PROBE ok\n[LightGBM] [Info] Using GPU Device: Some Card, Vendor: X", "", None),
        (0, "PROBE ok\n[Info] Using GPU Device: pthread-cpu, Vendor: P", "", "runs on the CPU"),
        (0, "PROBE wrong", "", "came out wrong"),
        (-11, "", "", "ended with -11"),
        (1, "", "lightgbm.basic.LightGBMError: No OpenCL device found", "No OpenCL device found"),
    ],
)
def test_a_trial_is_judged_by_its_end_its_result_and_its_card(
    status: int, out: str, err: str, reason: str | None
) -> None:
    found = device.judge_probe(status, out, err)
    assert (found is None) if reason is None else (reason in str(found))


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
        "import kpay.services.training\n"
    )
    said = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env=environment,
        check=True,
    )
    assert said.stdout.splitlines() == ["PASSIVE 1"]
