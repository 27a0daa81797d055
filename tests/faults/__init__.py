"""The client against a gateway that fails in every way a network knows."""
