"""Downloads against a real server: whole, checked, kept, and clear when they fail."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from remitstats.errors import RemitstatsError
from remitstats.sources.fetch import fetch
from remitstats.sources.files import FILES
from remitstats.sources.registry import choose, read_registry

CONTENT = b"cve_ent,cve_mun\n1,1001\n" * 5000
DIGEST = hashlib.sha256(CONTENT).hexdigest()


def one(entry, folder, **options):
    (outcome,) = fetch([entry], folder, **options)
    return outcome


def files_in(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_a_file_is_downloaded_and_its_sum_recorded(entry, tmp_path):
    assert one(entry(), tmp_path).state == "downloaded"
    assert (tmp_path / "folder/file.csv").read_bytes() == CONTENT
    assert (tmp_path / "SHA256SUMS").read_text() == f"{DIGEST}  folder/file.csv\n"
    assert files_in(tmp_path) == {"folder/file.csv", "SHA256SUMS"}


def test_a_file_that_is_there_is_not_downloaded_again(entry, tmp_path, publisher):
    one(entry(), tmp_path)
    assert one(entry(), tmp_path).state == "present"
    assert one(entry(sha256=DIGEST), tmp_path).state == "present"
    assert publisher.asked["/file.csv"] == 1


def test_a_file_that_was_changed_on_disk_is_downloaded_again(entry, tmp_path, publisher):
    one(entry(), tmp_path)
    (tmp_path / "folder/file.csv").write_bytes(b"damaged")
    assert one(entry(), tmp_path).state == "downloaded"
    assert (tmp_path / "folder/file.csv").read_bytes() == CONTENT
    assert publisher.asked["/file.csv"] == 2


def test_a_known_sum_lets_only_that_file_in(entry, tmp_path):
    assert one(entry(sha256=DIGEST), tmp_path).state == "downloaded"
    other = entry(sha256="0" * 64, path="other.csv")
    outcome = one(other, tmp_path)
    assert outcome.state == "failed"
    assert "not the file known" in outcome.message
    assert "0" * 64 in outcome.message
    assert not (tmp_path / "other.csv").exists()


def test_an_older_file_stays_when_the_download_fails(entry, tmp_path):
    one(entry(), tmp_path)
    assert one(entry(sha256="0" * 64), tmp_path).state == "failed"
    assert (tmp_path / "folder/file.csv").read_bytes() == CONTENT
    assert files_in(tmp_path) == {"folder/file.csv", "SHA256SUMS"}


def test_a_revised_file_is_kept_and_said_to_be_revised(entry, tmp_path):
    assert "revised" in one(entry(built_from="0" * 64), tmp_path / "a").message
    assert "the very file" in one(entry(built_from=DIGEST), tmp_path / "b").message


@pytest.mark.parametrize(
    ("status", "words"),
    [(404, "no longer has it there"), (403, "refuses downloads"), (500, "error 500")],
)
def test_a_refusal_is_explained_with_the_address_and_what_to_do(
    entry, publisher, tmp_path, status, words
):
    publisher.answers["/file.csv"] = (status, b"no", {})
    outcome = one(entry(), tmp_path, retries=0)
    assert outcome.state == "failed"
    assert words in outcome.message
    assert publisher.address in outcome.message
    assert "save it as folder/file.csv" in outcome.message
    assert files_in(tmp_path) == set()


def test_a_passing_error_is_tried_again(entry, publisher, tmp_path):
    publisher.answers["/file.csv"] = lambda asked: (
        (503, b"busy", {}) if asked < 3 else (200, CONTENT, {})
    )
    assert one(entry(), tmp_path, retries=2).state == "downloaded"
    assert publisher.asked["/file.csv"] == 3


def test_a_download_that_breaks_off_leaves_nothing(entry, publisher, tmp_path):
    publisher.answers["/file.csv"] = (200, CONTENT[:1000], {"Content-Length": str(len(CONTENT))})
    outcome = one(entry(), tmp_path, retries=0)
    assert outcome.state == "failed"
    assert "broke off" in outcome.message
    assert files_in(tmp_path) == set()


def test_a_web_page_in_place_of_the_file_is_refused(entry, publisher, tmp_path):
    publisher.answers["/file.csv"] = (200, b"\n<!DOCTYPE html><html>Sorry</html>", {})
    outcome = one(entry(), tmp_path)
    assert outcome.state == "failed"
    assert "web page" in outcome.message
    assert files_in(tmp_path) == set()


def test_being_offline_is_explained(entry, tmp_path):
    outcome = one(entry(url="http://127.0.0.1:9/file.csv"), tmp_path, retries=0)
    assert outcome.state == "failed"
    assert "you are offline" in outcome.message
    assert "http://127.0.0.1:9/file.csv" in outcome.message


def test_one_failure_does_not_keep_the_others(entry, tmp_path):
    entries = [entry("/gone.csv", path="gone.csv"), entry(), entry(url="", by_hand="By hand.")]
    states = [outcome.state for outcome in fetch(entries, tmp_path, retries=0)]
    assert states == ["failed", "downloaded", "by hand"]


def test_the_proxy_of_the_environment_is_used(entry, publisher, tmp_path, monkeypatch):
    monkeypatch.setenv("http_proxy", publisher.address)
    address = "http://data.publisher.test/file.csv"
    content = b"through the proxy"
    publisher.answers[address] = (200, content, {})
    known = hashlib.sha256(content).hexdigest()
    assert one(entry(url=address, sha256=known), tmp_path).state == "downloaded"
    assert publisher.asked[address] == 1


def test_a_dead_proxy_is_named_as_the_cause(entry, tmp_path, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    outcome = one(entry(url="http://data.publisher.test/file.csv"), tmp_path, retries=0)
    assert "the proxy can't be reached" in outcome.message


def test_a_folder_that_can_not_be_written_is_named(entry, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(RemitstatsError, match="Can't write into"):
        list(fetch([entry()], tmp_path / "file" / "folder"))


def test_an_unknown_key_is_refused_with_the_nearest_one(entry):
    assert choose([entry()], []) == [entry()]
    with pytest.raises(RemitstatsError, match=r"did you mean the-file\?"):
        choose([entry()], ["the-fiel"])


def test_progress_is_told_in_bytes(entry, tmp_path):
    class Bar:
        total = 0
        done = 0
        closed = False

        def update(self, amount):
            self.done += amount

        def reset(self):
            self.done = 0

        def close(self):
            self.closed = True

    bar = Bar()
    one(entry(), tmp_path, bars=lambda entry: bar)
    assert (bar.total, bar.done, bar.closed) == (len(CONTENT), len(CONTENT), True)


def test_the_shipped_list_covers_every_file_the_panel_is_built_from():
    entries = {entry.key: entry for entry in read_registry()}
    derived = {"geo-adjacency", "geo-parents"}
    assert set(FILES) - derived == set(entries)
    for key, entry in entries.items():
        assert FILES[key].path in (entry.path, entry.becomes)
        assert entry.url or entry.by_hand
        assert entry.by_hand or not entry.becomes


def test_the_shipped_list_points_to_publishers_only():
    hosts = {entry.url.split("/")[2] for entry in read_registry() if entry.url}
    domains = ("gob.mx", "inegi.org.mx", "coneval.org.mx", "banxico.org.mx")
    assert all(host.endswith(domains) for host in hosts)


@pytest.mark.parametrize(
    "text",
    [
        "not toml",
        "x = 1",
        '[[file]]\nkey = "a"\nwrong = 1',
        '[[file]]\nkey = "a"\npublisher = "p"\ntable = "t"',
        '[[file]]\nkey="a"\npublisher="p"\ntable="t"\nurl="https://x.mx/a"\npath="../a"',
        '[[file]]\nkey="a"\npublisher="p"\ntable="t"\nurl="ftp://x.mx/a"\npath="a"',
        '[[file]]\nkey="a"\npublisher="p"\ntable="t"\nurl="https://x.mx/a"\npath="."',
        '[[file]]\nkey="a"\npublisher="p"\ntable="t"\nurl="https://x.mx/a"\npath="b\\\\..\\\\a"',
        '[[file]]\nkey="a"\npublisher="p"\ntable="t"\nurl="https://[x/a"\npath="a"',
        '[[file]]\nkey="a"\npublisher="p"\ntable="t"\nurl=5\npath="a"',
        '[[file]]\nkey="a"\npublisher="p"\ntable="t\\u001b[2J"\nby_hand="b"',
    ],
)
def test_a_list_that_is_not_as_it_should_be_is_refused(tmp_path, text):
    (tmp_path / "list.toml").write_text(text)
    with pytest.raises(RemitstatsError, match=r"list\.toml"):
        read_registry(tmp_path / "list.toml")


HEAD = '[[file]]\nkey="a"\npublisher="p"\ntable="t"\npath="a.csv"\n'


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ('url="http://x.mx/a"', "Give one of https, or the file's sha256"),
        ('url="https://me:secret@x.mx/a"', "holds a user name or a password"),
        ('url="https://x.mx/a"\nsha256="abc"', "must be 64 digits"),
        ('by_hand="b"\n' + HEAD + 'by_hand="b"', "two entries with the key a"),
    ],
)
def test_an_address_that_is_not_safe_is_refused(tmp_path, lines, said):
    (tmp_path / "list.toml").write_text(HEAD + lines)
    with pytest.raises(RemitstatsError, match=said) as caught:
        read_registry(tmp_path / "list.toml")
    assert "secret" not in str(caught.value)


def test_plain_http_is_good_enough_for_a_file_whose_sum_is_known(tmp_path):
    (tmp_path / "list.toml").write_text(HEAD + f'url="http://x.mx/a"\nsha256="{DIGEST}"')
    assert [entry.key for entry in read_registry(tmp_path / "list.toml")] == ["a"]


def test_every_address_of_the_shipped_list_is_encrypted():
    addresses = [entry.url for entry in read_registry() if entry.url]
    assert addresses
    assert all(address.startswith("https://") for address in addresses)


def moved(publisher, place):
    publisher.answers["/moved"] = (302, b"", {"Location": place})
    return "/moved"


def test_a_redirect_on_this_machine_is_followed(entry, publisher, tmp_path):
    assert one(entry(moved(publisher, "/file.csv")), tmp_path).state == "downloaded"


def test_a_redirect_to_an_address_without_encryption_is_not_followed(entry, publisher, tmp_path):
    place = moved(publisher, "http://elsewhere.test/file.csv")
    outcome = one(entry(place), tmp_path, retries=0)
    assert outcome.state == "failed"
    assert "without encryption" in outcome.message
    assert files_in(tmp_path) == set()


def test_it_is_followed_to_a_file_whose_sum_is_known(entry, publisher, tmp_path, monkeypatch):
    monkeypatch.setenv("http_proxy", publisher.address)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    address = "http://elsewhere.test/file.csv"
    publisher.answers[address] = (200, CONTENT, {})
    outcome = one(entry(moved(publisher, address), sha256=DIGEST), tmp_path, retries=0)
    assert outcome.state == "downloaded"


@pytest.mark.parametrize("place", ["file:///etc/passwd", "ftp://elsewhere.test/a"])
def test_a_redirect_to_something_else_than_http_is_not_followed(entry, publisher, tmp_path, place):
    assert one(entry(moved(publisher, place)), tmp_path, retries=0).state == "failed"
    assert files_in(tmp_path) == set()


def test_a_server_whose_certificate_nobody_vouches_for_is_not_trusted(
    entry, tmp_path, own_certificate
):
    outcome = one(entry(url=own_certificate + "/file.csv"), tmp_path, retries=0)
    assert outcome.state == "failed"
    assert "certificate is not trusted" in outcome.message
    assert files_in(tmp_path) == set()


def test_a_download_without_end_is_stopped(entry, publisher, tmp_path, monkeypatch):
    monkeypatch.setattr("remitstats.sources.fetch.LARGEST", 100_000)
    outcome = one(entry(), tmp_path)  # its length is said
    assert "far more than the file" in outcome.message
    publisher.answers["/file.csv"] = (200, CONTENT * 10, {"Content-Length": ""})
    outcome = one(entry(), tmp_path)
    assert "the server sends more than" in outcome.message
    assert files_in(tmp_path) == set()
    assert publisher.asked["/file.csv"] == 2


def test_no_password_of_the_user_is_sent(entry, publisher, tmp_path, monkeypatch):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    assert one(entry(), tmp_path / "out").state == "downloaded"
    assert all("Authorization" not in headers for headers in publisher.headers)


def test_a_missing_list_is_named(tmp_path):
    with pytest.raises(RemitstatsError, match=r"Can't read .*list\.toml"):
        read_registry(tmp_path / "list.toml")


def test_the_list_is_plain_toml_and_reading_it_imports_nothing_heavy():
    path = Path(sys.modules["remitstats.sources.registry"].__file__).with_name("registry.toml")
    assert tomllib.loads(path.read_text(encoding="utf-8"))["file"]
    code = (
        "import sys; from remitstats.sources.registry import read_registry; read_registry(); "
        "sys.exit(any(name in sys.modules for name in ('requests', 'pooch', 'pandas')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
