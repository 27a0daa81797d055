#!/bin/sh
# Makes what compose.yaml hands over, for the sandbox: secrets/url, secrets/hooks.toml, secrets/database_password, and .env
# with the sandbox's token. What is there already stays.
set -eu
cd "$(dirname "$0")"
random() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }
mkdir -p secrets
# Only you can enter the folder. The files are read by the containers' own users, who are nobody here.
chmod 700 secrets
[ -e secrets/database_password ] || random >secrets/database_password
# The outbox's URL stands in the account's: : and / in it are %3A and %2F, @ is %40.
[ -e secrets/url ] || printf '%s&outbox=postgresql%%3A%%2F%%2Fdevinotify%%3A%s%%40database%%2Fdevinotify\n' \
    'devino://demo:demo@DEVINO?gateway=http://sandbox:8026/rest&insecure=yes' "$(cat secrets/database_password)" >secrets/url
[ -e secrets/hooks.toml ] || printf '[receivers.oncall]\nto = ["+79161234567"]\ntoken = "%s"\n' "$(random)" >secrets/hooks.toml
[ -e .env ] || printf 'DEVINOTIFY_SANDBOX_TOKEN=%s\n' "$(random)" >.env
chmod 644 secrets/*
chmod 600 .env
echo "The token of the sandbox's page is in $(pwd)/.env, that of the webhook in $(pwd)/secrets/hooks.toml."
