"""The ways to reach a recipient, one step each: SMS, Viber, Viber with a resend, none; and what a channel is."""
