"""Flask: a one-time code by SMS. It waits in the process, is asked for once a minute, and is of no use after five.

pip install flask .
DEVINOTIFY_URL=devino://LOGIN:PASSWORD@SENDER?validity=5 flask --app flask_codes run
curl -X POST localhost:5000/codes -d phone=89161234567
curl -X POST localhost:5000/codes/check -d phone=89161234567 -d code=123456

One process keeps the codes here; several need a store that they share. For Flask-Security there is
devinotify-flask-security.
"""

import hmac
import os
import secrets
import time

from flask import Flask, Response, jsonify, request

from devinotify import InvalidPhoneNumber, Notifier, Verdict, phones

LIFE, AGAIN, TRIES = 300.0, 60.0, 5
"""Seconds that a code is good for, seconds before another one, and wrong guesses that are too many."""

app = Flask(__name__)
notifier = Notifier(os.environ["DEVINOTIFY_URL"])  # one for the process, shared by its threads
codes: dict[str, tuple[str, float, int]] = {}


@app.errorhandler(InvalidPhoneNumber)
def wrong_number(error: InvalidPhoneNumber) -> tuple[Response, int]:
    """Say what is wrong with a number."""
    return jsonify(error=str(error)), 422


@app.post("/codes")
def send_code() -> tuple[Response, int]:
    """Send a code; the caller is told of a failure only where nothing was sent."""
    number = phones.normalize(request.form.get("phone", "")).e164
    now = time.monotonic()
    if number in codes and now - codes[number][1] < AGAIN:
        return jsonify(error="wait a minute before you ask for another code"), 429
    code = f"{secrets.randbelow(10**6):06}"
    codes[number] = code, now, 0  # before it leaves: whatever arrives has to be good
    (outcome,) = notifier.notify(f"Your code: {code}", number, tags=["one-time", "urgent"])
    if outcome.verdict in (Verdict.ACCEPTED, Verdict.UNKNOWN):  # an unknown one may be on its way
        return jsonify(sent=True), 202
    del codes[number]
    return jsonify(error=str(outcome.error)), 503


@app.post("/codes/check")
def check_code() -> tuple[Response, int]:
    """Take a code, once."""
    number = phones.normalize(request.form.get("phone", "")).e164
    code, since, wrong = codes.get(number, ("", float("-inf"), 0))
    if time.monotonic() - since > LIFE or wrong >= TRIES:
        return jsonify(error="ask for a new code"), 410
    if not hmac.compare_digest(code, request.form.get("code", "")):
        codes[number] = code, since, wrong + 1
        return jsonify(error="that is not the code"), 403
    del codes[number]
    return jsonify(ok=True), 200
