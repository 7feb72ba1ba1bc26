"""The manifest keeps identity, content and environment apart, and is whole or refused."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import pytest
from runs_samples import CONTENT, ENVIRONMENT, IDENTITY, SCENARIO, files_in

from billing_sim.errors import RunError
from billing_sim.events import SCHEMA_VERSION
from billing_sim.runs.manifest import (
    FINISHED,
    INTERRUPTED,
    MANIFEST_FILE,
    RUNNING,
    Manifest,
    holds_run,
    read_manifest,
    write_manifest,
)

SEGMENT = {"path": "truth/part-00.parquet", "rows": 4, "bytes": 900, "sha256": "ef" * 32}
CONTENT_KEPT = replace(CONTENT, log="1/16", facts={"invoices": 8}, segments=(SEGMENT,))
MANIFEST = Manifest(FINISHED, IDENTITY, ENVIRONMENT, SCENARIO, CONTENT_KEPT)


@pytest.mark.parametrize("manifest", [MANIFEST, replace(MANIFEST, state=RUNNING, content=None)], ids=lambda m: m.state)
def test_what_is_written_is_read_back(tmp_path, manifest):
    """Nothing is lost or changed on the way."""
    write_manifest(tmp_path, manifest)
    assert read_manifest(tmp_path) == manifest
    assert files_in(tmp_path) == [MANIFEST_FILE]


def test_the_file_says_that_nobody_is_real_and_keeps_three_parts_apart(tmp_path):
    """A person who opens the file finds the marks and the three parts by name."""
    write_manifest(tmp_path, MANIFEST)
    body = json.loads((tmp_path / MANIFEST_FILE).read_text())
    assert body["synthetic"] is True
    assert body["schema_version"] == SCHEMA_VERSION
    assert body["identity"]["digest"] == IDENTITY.digest
    assert {"driver", "workers", "versions", "seconds"} <= body["environment"].keys()
    assert not {"driver", "workers", "versions", "seconds"} & (body["identity"].keys() | body["content"].keys())


OTHERS = {
    "scenario": "other", "world_digest": "0" * 64, "seed": 8, "members": 1001, "start": "2025-01-02",
    "end": "2025-07-02", "rules_digest": "0" * 64, "schema_version": 0,
}  # fmt: skip


@pytest.mark.parametrize("name", OTHERS)
def test_every_part_of_the_identity_counts(name):
    """Another scenario, world, seed, size, span, set of rules or schema is another identity."""
    assert replace(IDENTITY, **{name: OTHERS[name]}).digest != IDENTITY.digest


def test_the_identity_has_the_same_digest_everywhere():
    """It is the SHA-256 of canonical JSON, so other programs can compute it."""
    body = (
        f'{{"end":"2025-07-01","members":1000,"rules_digest":"{"cd" * 32}","scenario":"first_month",'
        f'"schema_version":1,"seed":7,"start":"2025-01-01","world_digest":"{"ab" * 32}"}}'
    )
    assert hashlib.sha256(body.encode()).hexdigest() == IDENTITY.digest


def test_a_newer_run_is_refused_in_one_sentence(tmp_path):
    """A log of a later schema is named as such, not misread."""
    write_manifest(tmp_path, replace(MANIFEST, identity=replace(IDENTITY, schema_version=SCHEMA_VERSION + 1)))
    with pytest.raises(RunError) as caught:
        read_manifest(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path} was written with log schema 2, and this version of billing_sim reads up to 1: "
        "upgrade billing_sim to open it."
    )
    assert holds_run(tmp_path)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.6, 0.9, 0.999])
def test_a_half_written_manifest_is_refused(tmp_path, share):
    """Cut anywhere, it is damaged, and the folder no longer counts as a run that may be replaced."""
    write_manifest(tmp_path, MANIFEST)
    file = tmp_path / MANIFEST_FILE
    content = file.read_bytes().rstrip()
    file.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(RunError, match=r"manifest\.json is damaged \(it is not whole JSON\): remove that folder"):
        read_manifest(tmp_path)
    assert not holds_run(tmp_path)


@pytest.mark.parametrize(
    ("old", "new"),
    [('"rows": 4', '"rows": 5'), ('"seed": 7', '"seed": 6'), ("first_month", "first_nonth"), ('"NO"', '"NP"')],
)
def test_a_manifest_that_was_altered_is_refused(tmp_path, old, new):
    """It carries a checksum of itself: a changed digit or letter anywhere is noticed."""
    write_manifest(tmp_path, MANIFEST)
    file = tmp_path / MANIFEST_FILE
    file.write_text(file.read_text().replace(old, new, 1))
    with pytest.raises(RunError, match=r"damaged \(its checksum does not fit\)"):
        read_manifest(tmp_path)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"state": "sleeping"}, "state 'sleeping'"),
        ({"content": None}, "no content"),
        ({"identity": {}}, "identity lacks end"),
        ({"vocabularies": 3}, "AttributeError|TypeError"),
    ],
)
def test_a_manifest_that_lacks_something_says_what(tmp_path, change, reason):
    """Even with a fitting checksum, a manifest must say everything."""
    write_manifest(tmp_path, MANIFEST)
    file = tmp_path / MANIFEST_FILE
    body = {**json.loads(file.read_text()), **change}
    del body["checksum"]
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    file.write_text(json.dumps({**body, "checksum": hashlib.sha256(canonical.encode()).hexdigest()}))
    with pytest.raises(RunError, match=reason):
        read_manifest(tmp_path)


def test_a_folder_without_a_manifest_is_no_run(tmp_path):
    """The message names the folder and what was looked for."""
    with pytest.raises(RunError, match=r"is not a run: it holds no manifest\.json"):
        read_manifest(tmp_path)
    with pytest.raises(RunError, match="is not a run"):
        read_manifest(tmp_path / "nowhere")


@pytest.mark.parametrize("content", ["{}", "[]", "3", '{"format": "other", "synthetic": true}', "[" * 100_000])
def test_somebody_elses_manifest_is_no_run(tmp_path, content):
    """Other tools write files of that name too."""
    (tmp_path / MANIFEST_FILE).write_text(content)
    with pytest.raises(RunError):
        read_manifest(tmp_path)
    assert not holds_run(tmp_path)


def test_an_interrupted_run_has_no_result(tmp_path):
    """Asking an incomplete run for its content says what to do."""
    with pytest.raises(RunError, match="incomplete"):
        _ = replace(MANIFEST, state=INTERRUPTED, content=None).result
