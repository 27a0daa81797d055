"""Settings from the environment: CA files and proxies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from devinotify.exceptions import DevinotifyError, InvalidURL, NotSent, OutcomeUnknown, Verdict
from tests.faults import acts, proxy
from tests.faults.certificates import GATEWAY_ADDRESS, GATEWAY_NAME
from tests.faults.harness import NUMBER, TEXT, everything_about, logs, secrets_of, watch
from tests.faults.proxy import Proxy, tunnel
from tests.faults.server import LOGIN, PASSWORD, FaultServer
from tests.tables import table

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.faults.certificates import Certificates
    from tests.faults.conftest import Anew, ClientMaker

ELSEWHERE = f"https://{GATEWAY_NAME}/rest"
CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
PROXY_VARIABLES = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")


@pytest.mark.parametrize("variable", CA_VARIABLES)
def test_a_ca_file_in_the_environment_is_trusted(
    tls_server: FaultServer,
    make_client: ClientMaker,
    certificates: Certificates,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
) -> None:
    """The variables that requests and OpenSSL read are read here."""
    monkeypatch.setenv(variable, str(certificates.ca))
    receipt = make_client(tls_server, ca=None).sms.send(NUMBER, TEXT)
    assert 1 == len(receipt.message_ids)


def test_without_a_ca_an_unknown_one_is_not_trusted(tls_server: FaultServer, make_client: ClientMaker) -> None:
    """A private CA that nobody named is refused, once, and nothing is sent."""
    with pytest.raises(NotSent) as caught:
        make_client(tls_server, ca=None).sms.send(NUMBER, TEXT)
    assert (False, 1, []) == (caught.value.retryable, tls_server.connections, tls_server.requests)


def test_the_ca_of_the_settings_beats_the_environment(
    tls_server: FaultServer, make_client: ClientMaker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A CA named for the client is used whatever the environment says."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "missing.pem"))
    assert 1 == len(make_client(tls_server).sms.send(NUMBER, TEXT).message_ids)


def test_a_missing_ca_file_is_named(tls_server: FaultServer, make_client: ClientMaker, tmp_path: Path) -> None:
    """A CA file that is not there is an error at construction."""
    with pytest.raises(InvalidURL, match="ca"):
        make_client(tls_server, ca=str(tmp_path / "missing.pem"))


@table("variable", ["HTTP_PROXY", "http_proxy", *PROXY_VARIABLES])
def test_a_loopback_gateway_passes_proxies_by(anew: Anew, variable: str) -> None:
    """A gateway on this machine is reached directly, whatever proxy the environment names."""
    with (
        anew() as (server, make_client),
        Proxy(server, tunnel) as between,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv(variable, between.url)
        receipt = make_client(server).sms.send(NUMBER, TEXT)
    assert (1, []) == (len(receipt.message_ids), between.asked)


@table("variable", PROXY_VARIABLES)
def test_a_proxy_in_the_environment_is_used(anew_over_tls: Anew, variable: str) -> None:
    """A gateway elsewhere is reached through the proxy, by a tunnel to its name."""
    with (
        anew_over_tls() as (tls_server, make_client),
        Proxy(tls_server, tunnel) as between,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv(variable, between.url)
        receipt = make_client(tls_server, gateway=ELSEWHERE).sms.send(NUMBER, TEXT)
    assert (1, [f"CONNECT {GATEWAY_NAME}:443"]) == (
        len(receipt.message_ids),
        [head.partition(" HTTP/1.")[0] for head in between.asked],
    )


def test_a_proxy_needs_no_scheme(
    tls_server: FaultServer, make_client: ClientMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Host and port are enough, as curl takes them."""
    with Proxy(tls_server, tunnel) as between:
        monkeypatch.setenv("HTTPS_PROXY", between.url.removeprefix("http://"))
        receipt = make_client(tls_server, gateway=ELSEWHERE).sms.send(NUMBER, TEXT)
    assert (1, 1) == (len(receipt.message_ids), len(between.asked))


@pytest.mark.parametrize("scheme", ["http://", ""])
def test_a_proxy_may_have_an_ipv6_address(
    tls_server: FaultServer, make_client: ClientMaker, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    """A proxy is reached at an address in brackets, with a scheme before it or without."""
    with Proxy(tls_server, tunnel, host="::1") as between:
        monkeypatch.setenv("HTTPS_PROXY", scheme + between.url.removeprefix("http://"))
        receipt = make_client(tls_server, gateway=ELSEWHERE).sms.send(NUMBER, TEXT)
    assert (1, 1) == (len(receipt.message_ids), len(between.asked))


def test_a_gateway_with_an_ipv6_address_is_asked_for_in_brackets(
    tls_server: FaultServer, make_client: ClientMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tunnel's name has brackets, the certificate's has none."""
    with Proxy(tls_server, tunnel) as between:
        monkeypatch.setenv("HTTPS_PROXY", between.url)
        receipt = make_client(tls_server, gateway=f"https://[{GATEWAY_ADDRESS}]/rest").sms.send(NUMBER, TEXT)
    name = f"[{GATEWAY_ADDRESS}]:443"
    assert (1, [f"CONNECT {name} HTTP/1.1", f"Host: {name}"]) == (
        len(receipt.message_ids),
        between.asked[0].split("\r\n")[:2],
    )


@pytest.mark.parametrize(("kept", "verdict"), [(True, Verdict.UNKNOWN), (False, Verdict.NOT_SENT)])
def test_a_proxy_that_closes_midway(
    tls_server: FaultServer, make_client: ClientMaker, monkeypatch: pytest.MonkeyPatch, kept: bool, verdict: Verdict
) -> None:
    """Within the request a closing tunnel leaves its outcome open; within the handshake nothing was sent."""
    with Proxy(tls_server, proxy.tunnel_until(10**6 if kept else 100)) as between:
        monkeypatch.setenv("HTTPS_PROXY", between.url)
        client = make_client(tls_server, gateway=ELSEWHERE)
        if kept:
            client.user.balance()
            between.overheard += bytes(10**6)
        report = watch(client, tls_server)
    assert (verdict, []) == (report.verdict, tls_server.received("sms/send"))


def test_a_proxy_sees_nothing_of_the_requests(
    tls_server: FaultServer, make_client: ClientMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What passes through the tunnel is encrypted, and its opening holds no secret."""
    with Proxy(tls_server, tunnel) as between:
        monkeypatch.setenv("HTTPS_PROXY", between.url)
        make_client(tls_server, gateway=ELSEWHERE).sms.send(NUMBER, TEXT)
    seen = between.overheard + "".join(between.asked).encode()
    leaked = [secret for secret in secrets_of(tls_server) if secret.encode() in seen]
    assert leaked == []


def test_a_proxy_behind_tls_is_used(
    tls_server: FaultServer, make_client: ClientMaker, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy may itself be reached by TLS."""
    with Proxy(tls_server, tunnel, certificates.good) as between:
        monkeypatch.setenv("HTTPS_PROXY", between.url)
        client = make_client(tls_server, gateway=ELSEWHERE)
        for _ in range(3):
            client.sms.send(NUMBER, TEXT)
    assert (1, 3) == (len(between.asked), len(tls_server.received("sms/send")))


def test_no_proxy_names_hosts_that_need_none(
    tls_server: FaultServer, make_client: ClientMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A host in NO_PROXY is not looked for through the proxy."""
    with Proxy(tls_server, tunnel) as between:
        monkeypatch.setenv("HTTPS_PROXY", between.url)
        monkeypatch.setenv("NO_PROXY", "gateway.invalid")
        with pytest.raises(NotSent):
            make_client(tls_server, gateway="https://gateway.invalid/rest").sms.send(NUMBER, TEXT)
    assert between.asked == []


def test_the_environment_is_read_once(
    tls_server: FaultServer, make_client: ClientMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client keeps the proxy that it was made with."""
    with Proxy(tls_server, tunnel) as between:
        monkeypatch.setenv("HTTPS_PROXY", between.url)
        client = make_client(tls_server, gateway=ELSEWHERE)
        monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
        receipt = client.sms.send(NUMBER, TEXT)
    assert 1 == len(receipt.message_ids)


def test_proxy_credentials_are_sent_and_not_shown(
    tls_server: FaultServer, make_client: ClientMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The proxy's own password goes to the proxy, and into no log, error or repr."""
    with Proxy(tls_server, proxy.refuse(502)) as between:
        monkeypatch.setenv("HTTPS_PROXY", between.url.replace("//", "//agent:hunter2%3D@"))
        client = make_client(tls_server, gateway=ELSEWHERE)
        with logs() as lines, pytest.raises(NotSent) as caught:
            client.sms.send(NUMBER, TEXT)
    shown = everything_about(caught.value) + "\n".join(lines) + repr(client)
    leaked = [secret for secret in ("hunter2", "YWdlbnQ6aHVudGVyMj0=") if secret in shown]
    assert (True, []) == ("Proxy-Authorization: Basic YWdlbnQ6aHVudGVyMj0=" in _titled(between.asked[0]), leaked)


def _titled(head: str) -> str:
    """Return a head whose header names are written in one way."""
    lines = (line.partition(":") for line in head.split("\r\n")[1:])
    return "\n".join(f"{name.title()}:{value}" for name, _, value in lines)


WAYS_TO_FAIL: dict[str, proxy.Manner] = {
    "407": proxy.refuse(407, 'Proxy-Authenticate: Basic realm="proxy"\r\n'),
    "502": proxy.refuse(502),
    "503": proxy.refuse(503),
    "403": proxy.refuse(403),
    "302": proxy.refuse(302, "Location: https://login.example/\r\n"),
    "closed": proxy.say(b""),
    "half a reply": proxy.say(b"HTTP/1.1 20"),
    "garbage": proxy.say(b"\x00\xff\x17 garbage\r\n\r\n"),
    "200 and then closed": proxy.say(b"HTTP/1.1 200 OK\r\n\r\n"),
    "200 and then garbage": proxy.say(b"HTTP/1.1 200 OK\r\n\r\n" + b"\x00\xff" * 50),
    "silence": proxy.silent,
    "a drip": proxy.dripping,
}


@table("way", WAYS_TO_FAIL)
def test_a_proxy_that_fails_means_not_sent_and_does_no_harm(
    certificates: Certificates, kind: Callable[..., Any], way: str
) -> None:
    """Before the tunnel is open and the handshake done, nothing was sent.

    It takes four attempts of 0.3 s each, and not the time that the proxy would like to take. Nothing of the message or
    the account stands in the error of a proxy, or in a log.
    """
    with (
        pytest.MonkeyPatch.context() as patch,
        FaultServer(certificates.good) as server,
        Proxy(server, WAYS_TO_FAIL[way]) as between,
    ):
        patch.setenv("HTTPS_PROXY", between.url)
        with kind(
            login=LOGIN, password=PASSWORD, sender="A", gateway=ELSEWHERE, ca=str(certificates.ca), timeout=0.3
        ) as client:
            report = watch(client, server)
    assert (Verdict.NOT_SENT, NotSent, []) == (report.verdict, report.error, server.requests), report.shown
    assert report.seconds < 4 * 0.3 + 5.0
    assert [] == [secret for secret in report.secrets if secret in report.shown]


def test_a_slow_proxy_and_a_slow_handshake_share_one_deadline(
    tls_server: FaultServer, make_client: ClientMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tunnel and the handshake through it take no longer than the timeout together."""
    tls_server.doors = [acts.door_silent]
    with Proxy(tls_server, proxy.tunnel_after(0.7)) as between:
        monkeypatch.setenv("HTTPS_PROXY", between.url)
        report = watch(make_client(tls_server, gateway=ELSEWHERE, timeout=0.8), tls_server)
    assert report.seconds < 4 * (0.7 + 0.8)


def test_a_proxy_that_is_away_means_not_sent(
    tls_server: FaultServer, make_client: ClientMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy that refuses connections lets nothing out."""
    with Proxy(tls_server, tunnel) as between:
        pass
    monkeypatch.setenv("HTTPS_PROXY", between.url)
    with pytest.raises(NotSent) as caught:
        make_client(tls_server, gateway=ELSEWHERE).sms.send(NUMBER, TEXT)
    assert (Verdict.NOT_SENT, []) == (caught.value.verdict, tls_server.requests)


def test_a_request_lost_behind_the_proxy_is_unknown(
    tls_server: FaultServer, make_client: ClientMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once the request has gone through the tunnel, a proxy changes nothing: unknown, and sent once."""
    tls_server.play("sms/send", acts.unanswered(acts.reset))
    with Proxy(tls_server, tunnel) as between:
        monkeypatch.setenv("HTTPS_PROXY", between.url)
        with pytest.raises(OutcomeUnknown):
            make_client(tls_server, gateway=ELSEWHERE).sms.send(NUMBER, TEXT)
    assert 1 == len(tls_server.received("sms/send"))


def test_a_wrong_certificate_behind_the_proxy_is_tried_once(
    tls_server: FaultServer, make_client: ClientMaker, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The host name that the certificate must hold is the gateway's, and no retry makes it right."""
    tls_server.tls = certificates.misnamed
    with Proxy(tls_server, tunnel) as between:
        monkeypatch.setenv("HTTPS_PROXY", between.url)
        with pytest.raises(NotSent) as caught:
            make_client(tls_server, gateway=ELSEWHERE).sms.send(NUMBER, TEXT)
    assert (False, 1, 1) == (caught.value.retryable, len(between.asked), tls_server.connections)


@table("url", ["socks5://127.0.0.1:1", "http://", "::", "http://127.0.0.1:port"])
def test_a_proxy_that_cannot_be_used_is_an_error_of_ours(
    certificates: Certificates, monkeypatch: pytest.MonkeyPatch, kind: Callable[..., Any], url: str
) -> None:
    """A proxy setting that makes no sense is an InvalidURL at construction or a NotSent, and nothing else."""
    monkeypatch.setenv("HTTPS_PROXY", url)
    with (
        pytest.raises((InvalidURL, NotSent)) as caught,
        kind(
            login=LOGIN, password=PASSWORD, sender="Acme", gateway=ELSEWHERE, ca=str(certificates.ca), timeout=0.3
        ) as client,
    ):
        client.sms.send(NUMBER, TEXT)
    assert isinstance(caught.value, DevinotifyError)
