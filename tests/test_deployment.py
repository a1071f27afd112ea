"""The examples in orchestrate/ and the Dockerfile: their own checkers, and that they fit the project."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from pipelines import BIN, ROOT

if TYPE_CHECKING:
    from pathlib import Path

DOCKERFILE = ROOT / "Dockerfile"
CRONJOB = ROOT / "orchestrate" / "kubernetes" / "cronjob.yaml"
UNITS = [ROOT / "orchestrate" / f"stampli-to-infor.{kind}" for kind in ("service", "timer")]
SECRET_SETTINGS = re.compile(r"PASSWORD|PASSPHRASE|PRIVATE_KEY|IONAPI(?!_PATH)|STAMPLI_INFOR_KEY")


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(each) for each in command], cwd=ROOT, capture_output=True, text=True, check=False
    )


def manifests() -> dict[str, Any]:
    return {each["kind"]: each for each in yaml.safe_load_all(CRONJOB.read_text("utf-8"))}


def pod() -> dict[str, Any]:
    template: dict[str, Any] = manifests()["CronJob"]["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    return template


def test_hadolint_is_content_with_the_dockerfile(tmp_path: Path) -> None:
    assert run(BIN / "hadolint", DOCKERFILE).stdout == ""
    wrong = tmp_path / "Dockerfile"
    wrong.write_text(DOCKERFILE.read_text("utf-8").replace("python:3.11-slim-bookworm", "python"), "utf-8")
    assert "DL3006" in run(BIN / "hadolint", wrong).stdout


def test_the_image_is_nobody_s_root_and_holds_no_secret() -> None:
    text = DOCKERFILE.read_text("utf-8")
    final = text[text.rindex("\nFROM ") :]
    uid = pod()["securityContext"]["runAsUser"]
    assert f"--uid {uid} " in final
    assert re.findall(r"^USER (.*)$", final, re.MULTILINE) == [f"{uid}:{uid}"]
    declared = re.findall(r"([A-Z][A-Z_]+)=", text)
    assert declared
    assert not [name for name in declared if SECRET_SETTINGS.search(name)]
    ignored = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    assert {".env", ".env.*", "*.ionapi", ".git", "ledger", "output"} <= set(ignored)


def test_the_image_is_built_by_a_make_target_that_exists() -> None:
    (target,) = re.findall(r"^RUN make ([a-z-]+)", DOCKERFILE.read_text("utf-8"), re.MULTILINE)
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)


def test_kubernetes_schemas_accept_the_cronjob(tmp_path: Path) -> None:
    checked = run(BIN / "kubernetes-validate", "--strict", CRONJOB)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    wrong = tmp_path / "cronjob.yaml"
    wrong.write_text(CRONJOB.read_text("utf-8").replace("concurrencyPolicy", "concurrency"), "utf-8")
    assert run(BIN / "kubernetes-validate", "--strict", wrong).returncode != 0


def test_the_cronjob_runs_one_at_a_time_and_does_not_hide_a_failure_behind_a_retry() -> None:
    spec = manifests()["CronJob"]["spec"]
    assert spec["concurrencyPolicy"] == "Forbid"
    assert spec["jobTemplate"]["spec"]["backoffLimit"] == 0
    assert pod()["restartPolicy"] == "Never"
    assert manifests()["PersistentVolumeClaim"]["spec"]["accessModes"] == ["ReadWriteOncePod"]


def test_the_pod_is_restricted_as_pod_security_standards_ask() -> None:
    security = pod()["securityContext"]
    assert security["runAsNonRoot"] is True
    assert security["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod()["automountServiceAccountToken"] is False
    (container,) = pod()["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["resources"]["limits"]["memory"]


def test_secrets_come_by_reference_and_settings_exist() -> None:
    (container,) = pod()["containers"]
    assert container["envFrom"] == [{"secretRef": {"name": "stampli-infor"}}]
    known = set(
        re.findall(r"^#?([A-Z][A-Z0-9_]+)=", (ROOT / ".env.example").read_text("utf-8"), re.MULTILINE)
    )
    for variable in container["env"]:
        assert variable["name"] in known
        assert not SECRET_SETTINGS.search(variable["name"])
    assert {volume["name"] for volume in pod()["volumes"]} == {
        mount["name"] for mount in container["volumeMounts"]
    }


def test_what_the_pod_may_write_is_what_a_run_writes() -> None:
    (container,) = pod()["containers"]
    writable = {each["mountPath"] for each in container["volumeMounts"] if not each.get("readOnly")}
    project = re.findall(r"^WORKDIR (.*)$", DOCKERFILE.read_text("utf-8"), re.MULTILINE)[-1]
    assert writable == {
        "/var/lib/stampli-infor",
        f"{project}/.meltano/run",
        f"{project}/.meltano/logs",
        "/tmp",  # noqa: S108 - in the pod
    }


@pytest.mark.parametrize("job", ["args", "CMD", "ExecStart"])
def test_everything_scheduled_runs_a_job_that_exists(job: str) -> None:
    said = {
        "args": " ".join(pod()["containers"][0]["args"]),
        "CMD": re.findall(r'^CMD \["run", "(.*)"\]$', DOCKERFILE.read_text("utf-8"), re.MULTILINE)[0],
        "ExecStart": re.findall(r"^ExecStart=(.*)$", UNITS[0].read_text("utf-8"), re.MULTILINE)[0],
    }
    jobs = {each["name"] for each in yaml.safe_load((ROOT / "meltano.yml").read_text("utf-8"))["jobs"]}
    assert said[job].rpartition(" ")[2] in jobs


def test_systemd_accepts_the_units_and_finds_them_well_confined(tmp_path: Path) -> None:
    for unit in UNITS:
        text = re.sub(r"/srv/\S+/meltano\b", "/bin/true", unit.read_text("utf-8"))
        (tmp_path / unit.name).write_text(text, "utf-8")
    units = [tmp_path / unit.name for unit in UNITS]
    checked = run("systemd-analyze", "verify", "--man=no", *units)
    assert (checked.returncode, checked.stderr) == (0, "")
    exposed = run("systemd-analyze", "security", "--offline=true", "--threshold=30", units[0])
    assert exposed.returncode == 0, exposed.stdout


def test_yamllint_is_content() -> None:
    checked = run(BIN / "yamllint", "--strict", "orchestrate", "hub", "mkdocs.yml", ".yamllint.yml")
    assert checked.returncode == 0, checked.stdout
