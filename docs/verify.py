"""Verifies an exported journal without mdevfleet: python3 verify.py EXPORT [PUBLIC_KEY.pem [CHECKPOINT]]

EXPORT has one record a line, packed with gzip or not. A record's `prev` is the SHA-256 of the line before it,
without its end. Checkpoints in it are signed notes of the record before them (Ed25519, checked by openssl).
With a public key, the host's checkpoints must be signed with it; with a CHECKPOINT that was kept elsewhere, that
record must be in the journal. Ends with 0 when everything fits, else with 1, and names the first record that does not.
"""
import base64, gzip, hashlib, json, re, subprocess, sys, tempfile

NOTE = re.compile(
    r"mdevfleet journal head v1\nhost (\S+)\njournal (\S+)\nrecord ([1-9]\d*)\nhash ([0-9a-f]{64})\ntime (\S+)\n"
    r"\n\u2014 (\S+) ([A-Za-z0-9+/=]+)\n")
SPKI = bytes.fromhex("302a300506032b6570032100")  # what stands before the 32 bytes of a public key of Ed25519

def fail(seq, why):
    print(f"damaged: record {seq} is the first that does not fit: {why}")
    sys.exit(1)

def lines(path):
    with open(path, "rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    with (gzip.open if packed else open)(path, "rb") as file:
        for line in file:
            yield line.removesuffix(b"\n")

def key_in(pem):
    return base64.b64decode("".join(open(pem).read().split("\n")[1:-2]))[-32:]

def signed(note, key):
    """True when the note is signed with the key, in its host's name."""
    text, name, blob = note[0][: note[0].index("\n\n") + 1], note[6], base64.b64decode(note[7])
    key_id = hashlib.sha256(name.encode() + b"\n\x01" + key).digest()[:4]
    if name != note[1] or blob[:4] != key_id:
        return False
    with tempfile.TemporaryDirectory() as folder:
        files = {"text": text.encode(), "sig": blob[4:], "key": SPKI + key}
        for file, content in files.items():
            open(f"{folder}/{file}", "wb").write(content)
        command = ["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", f"{folder}/key"]
        command += ["-rawin", "-in", f"{folder}/text", "-sigfile", f"{folder}/sig"]
        return subprocess.run(command, capture_output=True).returncode == 0

def main(path, pem=None, kept=None):
    trusted = key_in(pem) if pem else None
    known = NOTE.fullmatch(open(kept, encoding="utf-8").read()) if kept else None
    if kept and not (known and (trusted is None or signed(known, trusted))):
        sys.exit(f"{kept} is no checkpoint that is signed with that key")
    seq, prev, broken, vouched, journal = 0, "0" * 64, None, 0, None
    for line in lines(path):
        due, digest = seq + 1, hashlib.sha256(line).hexdigest()
        try:
            record = json.loads(line.decode())
            number, before, kind = record["seq"], record["prev"], record["kind"]
        except (ValueError, KeyError, TypeError):
            fail(broken or due, "it cannot be read")
        if broken:  # the record before this one, or the one before that, was changed: which, this one knows
            fail(broken - 1 if before == prev and broken > 1 else broken, "the chain breaks there")
        if number != due:
            fail(due, f"it is missing, {number} comes next")
        if due == 1 and kind != "genesis":
            fail(1, "it is not genesis")
        journal = journal or (record.get("host"), record.get("journal"))
        broken = due if before != prev else None
        if kind == "checkpoint" and not broken:
            note, key = NOTE.fullmatch(record["note"]), base64.urlsafe_b64decode(record["publicKey"] + "=")
            if not note or note.groups()[:4] != (*journal, str(seq), prev) or not signed(note, key):
                fail(due, "it is a checkpoint that does not fit")
            vouched = seq if trusted in (None, key) else vouched
        seq, prev = due, digest
        if known and int(known[3]) == seq and (known[1], known[2], known[4]) != (*journal, prev):
            fail(broken or seq, "it is not the one that was signed")
    if broken or seq == 0:
        fail(broken or 1, "the chain breaks there" if broken else "there is none")
    if known and int(known[3]) > seq:
        fail(seq + 1, "it is missing: the end was cut off")
    print(f"whole: {seq} records, the last is {prev}, signed up to {vouched}")

main(*sys.argv[1:])
