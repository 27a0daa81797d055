"""The Devino Telecom HTTP API: tables, wire format, session, transport, client."""
