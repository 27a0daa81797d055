"""The image of contrib/container, built for real and run as compose.yaml says; no engine is needed for it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from devinotify.sandbox import Sandbox
from tests.cli.servers import free_port
from tests.containers import base, together
from tests.containers.buildah import Store
from tests.postgres_server import binaries
from tests.waiting import LONGEST

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "contrib/container"
COMPOSE = FOLDER / "compose.yaml"
NUMBER = "+79161234567"
WITHHELD = ("not permitted", "permission denied", "not supported", "not implemented")
"""What is said where a container may not do what buildah does: mount, change the root, own files of other users."""

pytestmark = [
    pytest.mark.once,
    pytest.mark.untraced,
    pytest.mark.skipif(not FOLDER.is_dir(), reason="the tests run without their checkout"),
]
CAPABILITIES = (1 << 18) | (1 << 21)
"""CAP_SYS_CHROOT and CAP_SYS_ADMIN, of linux/capability.h: buildah changes the root, and mounts."""


def may_build() -> bool:
    """Whether this process may do what buildah does; a container can withhold it from root, too."""
    if sys.platform != "linux" or shutil.which("buildah") is None or os.geteuid() != 0:
        return False
    (held,) = re.findall(r"^CapEff:\s*([0-9a-f]+)$", Path("/proc/self/status").read_text("ascii"), re.MULTILINE)
    return int(held, 16) & CAPABILITIES == CAPABILITIES


with_buildah = pytest.mark.skipif(
    not may_build(), reason="buildah is not installed, or may not change the root and mount"
)


def services() -> dict[str, Any]:
    """Return the services of compose.yaml."""
    found: dict[str, Any] = yaml.safe_load(COMPOSE.read_text("utf-8"))["services"]
    return found


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Give a store with the image in it, built on a base of this machine's own packages."""
    folder = tmp_path / "images"
    folder.mkdir()
    found = Store(folder)
    try:
        (folder / "base").mkdir()
        base.write(folder / "base")
        made = found.build(folder / "base", "base", patience=120)
        if made.returncode and any(words in made.stderr.lower() for words in WITHHELD):
            pytest.skip("this container withholds what buildah needs")
        assert 0 == made.returncode, made.stderr
        given = ("--build-arg", "PYTHON=localhost/base", "--file", str(FOLDER / "Containerfile"))
        built = found.build(ROOT, "devinotify", *given, patience=400)
        assert 0 == built.returncode, (built.stdout + built.stderr)[-4000:]
        yield found
    finally:
        found.close()


def run(store: Store, container: str, *command: str, files: dict[str, Path] | None = None, **variables: str) -> str:
    """Run something in a container to its end, and return what it wrote."""
    done = subprocess.run(
        store.command(container, *command, variables=variables, files=files or {}),
        capture_output=True,
        text=True,
        check=False,
        timeout=LONGEST,
    )
    assert 0 == done.returncode, done.stderr
    return done.stdout


def is_nobody_with_a_folder(store: Store, container: str) -> None:
    """Its user has no rights but to the folder of its outbox, and no pip to install anything with."""
    told = "import importlib.util, os; print(os.getuid(), os.getcwd(), importlib.util.find_spec('pip'))"
    assert "10001 /var/lib/devinotify None\n" == run(store, container, "/opt/devinotify/bin/python", "-c", told)


def sends_with_a_secret(store: Store, container: str, tmp_path: Path, by: str) -> None:
    """The password is in the file that the platform mounts, named on the URL or by the variable."""
    secret = tmp_path / "devino_password"
    secret.write_text("k9-of-the-sandbox\n", "utf-8")
    files = {"/run/secrets/devino_password": secret}
    with Sandbox(password="k9-of-the-sandbox") as gateway:
        url = f"devino://demo@DEVINO?gateway={gateway.gateway}"
        variables = {"DEVINOTIFY_URL": url, "DEVINOTIFY_PASSWORD_FILE": "/run/secrets/devino_password"}
        if by == "password_file":
            variables = {"DEVINOTIFY_URL": f"{url}&password_file=/run/secrets/devino_password"}
        enqueue = (
            "import os; from devinotify import Notifier\n"
            f"with Notifier(os.environ['DEVINOTIFY_URL']) as notifier: notifier.enqueue('Hello', ['{NUMBER}'])"
        )
        run(store, container, "/opt/devinotify/bin/python", "-c", enqueue, files=files, **variables)
        run(store, container, "devinotify", "worker", "--once", files=files, **variables)
        assert [(NUMBER, "Hello")] == [(each.recipient, each.text) for each in gateway.messages()]


def serves_another_container_as_its_gateway(store: Store, container: str) -> None:
    """By compose.yaml's own command and health check; what it prints is a URL that works from elsewhere as it is."""
    service, port = services()["sandbox"], free_port()
    token = "t" * 24
    command = ["devinotify", *service["command"], "--json", "--port", str(port)]
    process = subprocess.Popen(
        store.command(container, *command, variables={"DEVINOTIFY_SANDBOX_TOKEN": token}, files={}),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    try:
        urls = json.loads(process.stdout.readline())
        assert "insecure=yes" in urls["url"] or "127.0.0.1" in urls["gateway"]
        _, *check = [part.replace("8026", str(port)) for part in service["healthcheck"]["test"]]
        run(store, container, *check)
        other = store.container("devinotify")
        run(store, other, "devinotify", "send", "Hello", NUMBER, DEVINOTIFY_URL=urls["url"])
        asked = urllib.request.Request(
            f"http://127.0.0.1:{port}/sandbox/messages", headers={"Authorization": f"Bearer {token}"}
        )
        with urllib.request.urlopen(asked, timeout=LONGEST) as reply:  # noqa: S310 - our own server
            assert ["Hello"] == [each["text"] for each in json.load(reply)["messages"]]
    finally:
        os.killpg(process.pid, 15)
        process.communicate(timeout=LONGEST)


def takes_what_the_script_makes(store: Store, container: str, tmp_path: Path) -> None:
    """The configuration of secrets.sh is one that it understands; only the outbox is another."""
    shutil.copy(FOLDER / "secrets.sh", tmp_path)
    subprocess.run([tmp_path / "secrets.sh"], check=True, capture_output=True, timeout=LONGEST)
    url = (tmp_path / "secrets/url").read_text("utf-8").partition("&outbox=")[0]
    (tmp_path / "secrets/url").write_text(url, "utf-8")
    secrets = {f"/run/secrets/{name}": tmp_path / "secrets" / name for name in services()["webhook"]["secrets"]}
    command = ["devinotify", *services()["webhook"]["command"], "--check"]
    run(store, container, *command, files=secrets, DEVINOTIFY_URL_FILE="/run/secrets/url")


@pytest.mark.long
@with_buildah
def test_the_image(store: Store, tmp_path: Path, subtests: pytest.Subtests) -> None:
    """It is built once, for that takes a minute or two, and each thing that it does is tried in a new container."""
    with subtests.test("user"):
        is_nobody_with_a_folder(store, store.container("devinotify"))
    for by in ("password_file", "DEVINOTIFY_PASSWORD_FILE"):
        with subtests.test(by):
            sends_with_a_secret(store, store.container("devinotify"), tmp_path, by)
    with subtests.test("sandbox"):
        serves_another_container_as_its_gateway(store, store.container("devinotify"))
    with subtests.test("webhook"):
        takes_what_the_script_makes(store, store.container("devinotify"), tmp_path)
    with subtests.test("together"):
        if binaries() is None:
            pytest.skip("PostgreSQL's server is not installed")
        together.alerts_go_from_the_webhook_to_the_sandbox(
            store, services(), FOLDER / "secrets.sh", tmp_path / "together"
        )


def test_secrets_are_made_once(tmp_path: Path) -> None:
    """What is there stays, the passwords agree, and nobody else gets into the folder."""
    shutil.copy(FOLDER / "secrets.sh", tmp_path)
    found = []
    for _ in range(2):
        subprocess.run([tmp_path / "secrets.sh"], check=True, capture_output=True, timeout=LONGEST)
        files = [*(tmp_path / "secrets").iterdir(), tmp_path / ".env"]
        found.append({path.name: path.read_text("utf-8") for path in files})
    assert found[0] == found[1]
    assert f"%3A{found[0]['database_password']}%40database" in found[0]["url"]
    assert (0o700, 0o600) == tuple((tmp_path / name).stat().st_mode & 0o777 for name in ("secrets", ".env"))


def test_secrets_are_not_committed() -> None:
    """git is told to leave out what the script makes."""
    ignored = (ROOT / ".gitignore").read_text("utf-8").splitlines()
    assert {"contrib/container/secrets/", "contrib/container/.env"} <= set(ignored)


@pytest.mark.skipif(shutil.which("docker-compose") is None, reason="docker-compose is not installed")
def test_compose_understands_its_file(tmp_path: Path) -> None:
    """Each service with what it stands for, and none without the token that the script makes."""
    said = {}
    for token in ("t" * 24, ""):
        said[token] = subprocess.run(
            ["docker-compose", "-f", COMPOSE, "config", "-q"],
            env={**os.environ, "DEVINOTIFY_SANDBOX_TOKEN": token, "PYTHONWARNINGS": ""},
            capture_output=True,
            text=True,
            check=False,
            timeout=LONGEST,
        )
    assert (0, "") == (said["t" * 24].returncode, said["t" * 24].stderr)
    assert "is made by secrets.sh" in said[""].stderr


def test_services_are_guarded_alike() -> None:
    """Those of ours write nothing but their volume, have no capability, and get none."""
    ours = {name: each for name, each in services().items() if each["image"] == "devinotify"}
    assert {"migrate", "worker", "webhook", "sandbox"} == set(ours)
    assert all(each["read_only"] and each["cap_drop"] == ["ALL"] for each in ours.values())
