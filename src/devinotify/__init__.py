"""SMS and Viber through the Devino Telecom HTTP API."""
